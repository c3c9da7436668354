-- The operator's own roles; those that are built in have no row.
create table roles (
  name text collate "C" primary key,
  description text not null,
  permissions text[] not null,
  scopes text[] not null,
  created_at timestamptz not null default now()
);

-- Requests that create something and may be repeated for a day, by the hash of who sent them and of their id.
create table repeatable_requests (
  key bytea primary key check (octet_length(key) = 32),
  -- Of what was asked for, without secrets.
  fingerprint bytea not null,
  result_id text not null,
  expires_at timestamptz not null
);
create index repeatable_requests_by_result on repeatable_requests (result_id);
create index repeatable_requests_by_expiry on repeatable_requests (expires_at);

-- Who has a role. It is asked for before a role is deleted, or an admin removed. Where there are many users, make it
-- beforehand without holding logins up: docs/operations.md says how.
create index if not exists users_by_role on users using gin (roles);
