alter table users validate constraint users_named;

-- Lists and searches of users. Names and addresses are in the order of their bytes, whatever the database's collation,
-- so that a prefix is a range. Where there are many users, make them beforehand without holding logins up:
-- docs/operations.md says how.
create index if not exists users_by_username on users (username_folded collate "C", id);
create index if not exists users_by_email on users (email_folded collate "C", id);
create index if not exists users_by_creation on users (created_at, id);
create index if not exists users_by_status on users (status, created_at, id);
create index if not exists users_by_last_login on users (last_login_at, id) where last_login_at is not null;
