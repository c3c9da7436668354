-- An identity column of a partitioned table takes PostgreSQL 17.
create sequence audit_events_id;

-- The audit trail: one row for each security event, never changed and never deleted. Old months are dropped
-- as whole partitions.
create table audit_events (
  id bigint not null default nextval('audit_events_id'),
  occurred_at timestamptz not null default now(),
  -- The transaction that wrote the row. Ids and times are not in the order of commits: who follows the trail
  -- reads what was written by transactions older than all that are still open.
  xact xid8 not null default pg_current_xact_id(),
  type text not null,
  actor_kind text not null check (actor_kind in ('user', 'client', 'operator', 'service', 'anonymous')),
  actor_id text check ((actor_id is not null) = (actor_kind in ('user', 'client'))),
  -- What it is about. None of these is a foreign key: the trail outlives what it tells of.
  user_id text,
  -- HMAC of the folded name, where a login named no user.
  name_hmac text,
  session_id text,
  client_id text,
  key_id text,
  reason text,
  -- How many times it happened, where one row stands for several.
  count int not null default 1 check (count > 0),
  request_id text,
  client_address inet,
  user_agent text,
  primary key (occurred_at, id)
) partition by range (occurred_at);

create index audit_events_by_xact on audit_events (xact, id);
create index audit_events_by_user on audit_events (user_id, occurred_at);

-- Takes what no month has been made for, so that no event is ever refused.
create table audit_events_default partition of audit_events default;

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit_events is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_events_append_only before update or delete on audit_events
  for each row execute function refuse_audit_change();
create trigger audit_events_no_truncate before truncate on audit_events
  for each statement execute function refuse_audit_change();

-- Makes the partition of a month (in UTC) unless it is there. Attached, and not made as a partition, it keeps
-- nobody from writing to the other months.
create function add_audit_partition(month date) returns void language plpgsql as $$
declare
  name text := 'audit_events_' || to_char(month, 'YYYY_MM');
begin
  if to_regclass(name) is not null then
    return;
  end if;
  execute format('create table %I (like audit_events including all)', name);
  execute format(
    'alter table audit_events attach partition %I for values from (%L) to (%L)',
    name, to_char(month, 'YYYY-MM-01 00:00:00+00'), to_char(month + interval '1 month', 'YYYY-MM-01 00:00:00+00')
  );
end
$$;

select add_audit_partition((date_trunc('month', now() at time zone 'UTC') + n * interval '1 month')::date)
from generate_series(0, 3) as n;

-- Events of which an attacker could cause any number: one row for each key and minute, counted up. When the
-- minute is over it becomes one row of audit_events.
create table audit_counts (
  minute timestamptz not null,
  type text not null,
  -- SHA-256 of what the events have in common.
  key bytea not null check (octet_length(key) = 32),
  actor_kind text not null,
  actor_id text,
  user_id text,
  name_hmac text,
  session_id text,
  client_id text,
  key_id text,
  reason text,
  count int not null,
  -- Of the first of them.
  request_id text,
  client_address inet,
  user_agent text,
  primary key (minute, type, key)
);
