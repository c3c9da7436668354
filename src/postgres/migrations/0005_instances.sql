-- The instances that run now: each writes its row again every few seconds.
create table instances (
  id text primary key,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);
