-- What one customer or one vendor does costs the others nothing.

-- Which keys stood for a task is asked when it is deleted.
create index idempotency_by_task on film.idempotency (task_id);

-- A delivery is ready while it waits for a hand: whose hosts have something to be told is found without looking at
-- those that wait for their time.
alter table film.deliveries add column ready boolean not null default false;
alter table film.deliveries add constraint deliveries_ready_while_due
    check (not ready or (state = 'due' and lease_by is null));
drop index film.deliveries_due;
drop index film.deliveries_by_host;
drop index film.deliveries_in_hand;
create index deliveries_later on film.deliveries (due_at) where state = 'due' and not ready;
create index deliveries_ready on film.deliveries (account_id, host, due_at) where ready;
create index deliveries_in_hand on film.deliveries (account_id, host) where lease_by is not null;

-- Each credential's steps are claimed by themselves, so that those of a slow vendor hide nobody else's.
drop index film.work_due;
create index work_due on film.work (step, credential_id, due_at);

alter table film.accounts alter column max_unfinished set default 10000;
update film.accounts set max_unfinished = 10000 where max_unfinished is null;

-- Until when an endpoint counts as being told of a test.
alter table film.endpoints add column testing_until timestamptz;
create index endpoints_testing on film.endpoints (testing_until) where testing_until is not null;
