-- A user has a name, an address or both. An earlier version shows a user without a name with an empty one.
alter table users alter column username drop not null, alter column username_folded drop not null;
alter table users add constraint users_named check (username_folded is not null or email_folded is not null) not valid;

alter table users
  add column display_name text,
  add column locale text,
  -- The operator's own claims of the user's access tokens; an object.
  add column claims jsonb,
  -- Whether a login is refused until the user has changed the password.
  add column must_change_password boolean not null default false;
comment on column users.password_hash is 'empty for a user who has no password';
