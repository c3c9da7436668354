-- The sessions of a client that is deleted: without it each batch of them would read the whole table.
create index sessions_live_by_client on sessions (client_id) where ended_at is null;
