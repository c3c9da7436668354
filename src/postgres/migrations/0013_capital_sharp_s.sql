-- The capital sharp s folds to "ss", as the small one does. No folded text holds a sharp s any more, but those that would
-- meet another user's: they stay as they are.
with folded as (
  select id, replace(username_folded, 'ß', 'ss') as name,
    row_number() over (partition by replace(username_folded, 'ß', 'ss') order by created_at, id) as place
  from users where username_folded like '%ß%'
)
update users u set username_folded = f.name from folded f
where u.id = f.id and f.place = 1 and not exists (select from users o where o.username_folded = f.name);

with folded as (
  select id, replace(email_folded, 'ß', 'ss') as address,
    row_number() over (partition by replace(email_folded, 'ß', 'ss') order by created_at, id) as place
  from users where email_folded like '%ß%'
)
update users u set email_folded = f.address from folded f
where u.id = f.id and f.place = 1 and not exists (select from users o where o.email_folded = f.address);
