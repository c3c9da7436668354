-- Searches of the audit trail by type, by address and by a name that no user has read every row without these. Where
-- the trail is large, make them beforehand without holding logins up: docs/audit.md says how.
create index audit_events_by_type on audit_events (type, occurred_at);
create index audit_events_by_address on audit_events (client_address, occurred_at);
create index audit_events_by_name on audit_events (name_hmac, occurred_at) where name_hmac is not null;
