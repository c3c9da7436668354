-- When each user has signed in last. In a table of its own: an index of this column of users made each login write a
-- new version of the user's row, and an entry of every index of users.
create table last_logins (
  user_id text primary key references users (id) on delete cascade,
  at timestamptz not null
);
create index last_logins_by_time on last_logins (at, user_id);

-- An earlier version goes on writing the column.
create function note_last_login() returns trigger language plpgsql as $$
begin
  insert into last_logins (user_id, at) values (new.id, new.last_login_at)
  on conflict (user_id) do update set at = excluded.at;
  return null;
end
$$;
create trigger users_last_login after insert or update of last_login_at on users
  for each row when (new.last_login_at is not null) execute function note_last_login();

drop index users_by_last_login;
comment on column users.last_login_at is 'written by earlier versions alone; see last_logins';
