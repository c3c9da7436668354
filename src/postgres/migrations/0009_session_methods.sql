-- How the user proved who it is when the session began, by the names of RFC 8176. The default is what was there before:
-- it is constant, so no row is rewritten, and an instance that does not know the column writes the same.
alter table sessions add column amr text[] not null default '{pwd}';
