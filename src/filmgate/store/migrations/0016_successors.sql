-- Which key a key took the place of, and what that one held by then: what of its spending counts depends on the period.
alter table film.keys add column former_id bigint;
alter table film.keys add column carried_held_micros bigint not null default 0 check (carried_held_micros >= 0);
create index keys_by_former on film.keys (former_id) where former_id is not null;
