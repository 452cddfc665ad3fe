-- How often in a row a credential was busy, told after it had been left alone for the time before.
alter table film.credentials add column busy_in_row smallint not null default 0;

-- What is listed by its state, or looked at every now and then, is few among all that ever was.
create index tasks_of_account_unfinished on film.tasks (account_id, id desc) where ended_at is null;
create index tasks_of_account_failed on film.tasks (account_id, id desc) where error_code is not null;
create index tasks_of_account_cancelled on film.tasks (account_id, id desc) where cancel_requested_at is not null;
create index tasks_of_account_by_model on film.tasks (account_id, model, id desc);
create index tasks_failed on film.tasks (id) where error_code is not null;
create index deliveries_given_up on film.deliveries (ended_at) where state = 'given_up';
create index deliveries_given_up_by_age on film.deliveries (created_at desc, id desc) where state = 'given_up';
create index deliveries_given_up_by_account on film.deliveries (account_id, created_at desc, id desc) where state = 'given_up';
create index shipments_given_up on film.shipments (created_at desc, id desc) where state = 'given_up';
create index shipments_in_hand on film.shipments (destination, lease_by) where lease_by is not null;
create index notices_by_age on film.notices (at);
create index ledger_closes_of_key on film.ledger (key_id, at) where kind = 'close';
create index notices_by_task on film.notices (task_id, id desc) where task_id is not null;
