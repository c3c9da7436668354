-- Which roles have a scope: asked at logins and refreshes that ask for scopes, and remembered for a second.
create index roles_by_scope on roles using gin (scopes);
