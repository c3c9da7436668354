-- Where the last rotation came from: 64 bits of a keyed hash, to tell a replay from elsewhere by. Null while
-- there was none, and for those made by a version that did not look.
alter table sessions add column rotation_origin bytea check (octet_length(rotation_origin) = 8);
