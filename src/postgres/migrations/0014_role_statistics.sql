-- A search for a role that few users have is planned by how many have it. The usual sample misses such roles, and the
-- plan then walks through all users.
alter table users alter column roles set statistics 1000;
