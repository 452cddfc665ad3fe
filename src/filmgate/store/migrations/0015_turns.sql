-- Whose turn it is next is found by an index, however many stand in line.

-- A turn is a model of which somebody's film may start, and a line is one of a key: both are there, and open, wherever
-- something waits and has room. What stays open in vain is closed by whoever meets it, under the lock of its account
-- alone; what opens one is seen by the triggers below, whoever it was that wrote. Accounts and keys have the truth.
create table film.turns (
    account_id bigint not null,
    model text not null,
    served_at timestamptz not null,
    open boolean not null default true,
    primary key (account_id, model)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index turns_next on film.turns (model, served_at, account_id) where open;

create table film.lines (
    key_id bigint not null,
    model text not null,
    account_id bigint not null,
    served_at timestamptz not null,
    open boolean not null default true,
    primary key (key_id, model)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index lines_next on film.lines (model, account_id, served_at, key_id) where open;
create index lines_by_account on film.lines (account_id, model);

-- What was begun goes on whatever room there is, so it is found apart from what is new.
create index work_begun on film.work (model, account_id, key_id, task_id) where step = 'prepare' and running;

create function film.stand_in_line() returns trigger language plpgsql set search_path = film, pg_temp as $$
begin
    perform from accounts where id = new.account_id for key share;
    insert into lines (key_id, model, account_id, served_at)
    select k.id, new.model, new.account_id, k.served_at from keys k where k.id = new.key_id on conflict do nothing;
    update lines set open = true where key_id = new.key_id and model = new.model and not open;
    insert into turns (account_id, model, served_at)
    select a.id, new.model, a.served_at from accounts a where a.id = new.account_id on conflict do nothing;
    update turns set open = true where account_id = new.account_id and model = new.model and not open;
    return null;
end $$;
create trigger work_comes after insert on film.work for each row when (new.step = 'prepare')
    execute function film.stand_in_line();
create trigger work_comes_back after update of step on film.work for each row
    when (new.step = 'prepare' and old.step <> 'prepare') execute function film.stand_in_line();

create function film.turn_of_account() returns trigger language plpgsql set search_path = film, pg_temp as $$
begin
    update turns set served_at = new.served_at, open = open or (new.running >= new.max_running) is not true
    where account_id = new.id and (not open or served_at <> new.served_at);
    return null;
end $$;
create trigger accounts_turn after update of served_at, running, max_running on film.accounts for each row
    when (new.served_at <> old.served_at
        or (old.running >= old.max_running) is true and (new.running >= new.max_running) is not true)
    execute function film.turn_of_account();

create function film.turn_of_key() returns trigger language plpgsql set search_path = film, pg_temp as $$
begin
    perform from accounts where id = new.account_id for key share;
    update lines set served_at = new.served_at, open = open or (new.running >= new.max_running) is not true
    where key_id = new.id and (not open or served_at <> new.served_at);
    if (new.running >= new.max_running) is not true then
        update turns set open = true where account_id = new.account_id and not open;
    end if;
    return null;
end $$;
create trigger keys_turn after update of served_at, running, max_running on film.keys for each row
    when (new.served_at <> old.served_at
        or (old.running >= old.max_running) is true and (new.running >= new.max_running) is not true)
    execute function film.turn_of_key();

insert into film.lines (key_id, model, account_id, served_at)
select k.id, w.model, w.account_id, k.served_at
from (select distinct model, account_id, key_id from film.work where step = 'prepare') w join film.keys k on k.id = w.key_id;
insert into film.turns (account_id, model, served_at)
select a.id, w.model, a.served_at
from (select distinct model, account_id from film.work where step = 'prepare') w join film.accounts a on a.id = w.account_id;

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
