-- Routing over several credentials, limits of what runs at a time, and engines on several machines.

alter table film.credentials
    drop column weight,
    add column paused_at timestamptz,
    -- While a credential is tried again after many failures, until when the one trial may take.
    add column probing_until timestamptz not null default '2000-01-01T00:00:00Z',
    add column blocked_because text,
    add column last_error_class text,
    add column last_error text,
    add column last_error_at timestamptz;

-- Where a drawing lies on one machine's disk, only the engine on that data folder may ask for it.
alter table film.work
    add column folder uuid,
    add column model text,
    add column account_id bigint,
    add column key_id bigint,
    -- Whether the task counts as running for its account and key.
    add column running boolean not null default false;
update film.work w set model = t.model, account_id = t.account_id, key_id = t.key_id, running = t.state <> 'queued'
from film.tasks t where t.id = w.task_id;
delete from film.work where model is null;
alter table film.work
    alter column model set not null,
    alter column account_id set not null,
    alter column key_id set not null;
-- Who waits, by model, owner and age: the next of each is found without reading those behind it.
create index work_waiting on film.work (model, account_id, key_id, running desc, task_id) where step = 'prepare';

alter table film.accounts
    alter column max_running set default 100,
    add column running int not null default 0 check (running >= 0),
    add column served_at timestamptz not null default '2000-01-01T00:00:00Z';
update film.accounts set max_running = 100 where max_running is null;
alter table film.keys
    add column max_running int check (max_running > 0),
    add column running int not null default 0 check (running >= 0),
    add column served_at timestamptz not null default '2000-01-01T00:00:00Z';
update film.accounts a set running = n
from (select account_id, count(*) as n from film.work where running group by account_id) w where w.account_id = a.id;
update film.keys k set running = n
from (select key_id, count(*) as n from film.work where running group by key_id) w where w.key_id = k.id;

-- An engine says from time to time that it lives; what lies on the disk of a silent one is made anew elsewhere.
alter table film.boots add column seen_at timestamptz not null default now();
create index boots_by_life on film.boots (seen_at);
