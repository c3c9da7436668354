-- The first generation whose parent is answered when its grace is over. A late answer raises it by two beyond the
-- current one, and the current one, where it is shown and not rotated, by one.
alter table sessions add column late_from bigint not null default 0;
