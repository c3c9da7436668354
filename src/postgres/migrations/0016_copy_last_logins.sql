-- Apart from 0015, whose trigger stands by now: nobody waits for this, and who signs in meanwhile is newer.
insert into last_logins (user_id, at) select id, last_login_at from users where last_login_at is not null
on conflict (user_id) do nothing;
