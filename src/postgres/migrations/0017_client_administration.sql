-- A client's audiences, and where an authorization endpoint may send its users. Where audiences is null, an earlier
-- version has registered the client: audience is then the only one there is.
alter table clients
  add column audiences text[],
  add column redirect_uris text[] not null default '{}',
  add column post_logout_redirect_uris text[] not null default '{}';
comment on column clients.audience is 'the first of audiences, for earlier versions';

-- Lists and searches of clients.
create index clients_by_id on clients (id collate "C");
create index clients_by_creation on clients (created_at, id collate "C");
create index clients_by_scope on clients using gin (scopes);

-- The deletions of clients, until a day after the last session of such a client was ended.
create table client_deletions (
  client_id text collate "C" primary key,
  deleted_at timestamptz not null default now(),
  sessions_ended bigint not null default 0,
  finished_at timestamptz
);
create index client_deletions_unfinished on client_deletions (deleted_at) where finished_at is null;
