-- The language that a key's owner reads; null where each request says so, or its dialect's own does.
alter table film.keys add column language text check (language in ('en', 'zh'));
