create table clients (
  id text primary key,
  name text not null,
  -- SHA-256 of a random secret; null for a public client, which has none.
  secret_hash bytea check (octet_length(secret_hash) = 32),
  -- The operator's own: only then may it see passwords.
  first_party boolean not null,
  grants text[] not null check (grants <@ '{password,refresh_token,client_credentials}'),
  scopes text[] not null,
  -- The aud of its access tokens; null for the service's default.
  audience text,
  can_introspect boolean not null,
  -- Null for the service's defaults.
  access_token_ttl_seconds int check (access_token_ttl_seconds > 0),
  refresh_grace_ms int check (refresh_grace_ms >= 0),
  created_at timestamptz not null default now(),
  check (not (first_party = false and 'password' = any (grants))),
  check (secret_hash is not null or not ('client_credentials' = any (grants) or can_introspect))
);

-- Access tokens that were revoked and have no session that could end. Rows go when the token would have.
create table revoked_access_tokens (
  jti text primary key,
  expires_at timestamptz not null
);

create index revoked_access_tokens_by_expiry on revoked_access_tokens (expires_at);
