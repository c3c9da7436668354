create table users (
  id text primary key,
  username text not null,
  -- Case-folded NFKC. A username holds no "@" and an address always does, so that two unique
  -- columns make one namespace.
  username_folded text not null unique check (position('@' in username_folded) = 0),
  email text,
  email_folded text unique check (position('@' in email_folded) > 1),
  -- A PHC string, and the id of the pepper that it was made with.
  password_hash text not null,
  password_pepper_id text,
  status text not null default 'active' check (status in ('active', 'pending', 'suspended', 'deactivated')),
  roles text[] not null default '{}',
  -- Counts what ends every session at once: a change of password, a suspension. A login reads it
  -- before it checks the password and compares it when it writes the session.
  session_epoch bigint not null default 0,
  created_at timestamptz not null default now(),
  last_login_at timestamptz,
  check ((email is null) = (email_folded is null))
);

create table sessions (
  -- SHA-256 of the secret handle inside the refresh token; the handle itself is stored nowhere.
  handle_hash bytea primary key check (octet_length(handle_hash) = 32),
  -- The public `sid`.
  id text not null unique,
  user_id text not null references users (id) on delete cascade,
  client_id text not null,
  scopes text[] not null,
  -- How often the refresh token was rotated, when it was the last four times (the latest at the end),
  -- and the id of the secret key of the current one.
  generation bigint not null default 0,
  rotated_at timestamptz[] not null default '{}' check (cardinality(rotated_at) <= 4),
  secret_key_id text not null,
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  idle_expires_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  -- Where the user signed in from, to recognise a session by.
  client_address inet,
  user_agent text
);

create index sessions_live_by_user on sessions (user_id, created_at) where ended_at is null;

create table signing_keys (
  -- The RFC 7638 thumbprint of the public key.
  kid text primary key,
  algorithm text not null,
  public_jwk jsonb not null,
  -- The PKCS #8 private key under AES-256-GCM, and the id of the secret key that it is sealed with.
  sealed_private_key bytea not null,
  secret_key_id text not null,
  created_at timestamptz not null default now(),
  -- A key is published from the start, signs from here on, and is forgotten when the last token that it
  -- signed has died; null while no other key has been made to follow it.
  activates_at timestamptz not null,
  expires_at timestamptz
);
