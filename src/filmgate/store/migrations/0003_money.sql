-- Prices, budgets, prepaid balances, quotes, and what limits count.

alter table film.tasks
    add column price jsonb not null default '{}',
    add column quote_id uuid;

-- A budget is spent within its period; what is held counts as spent until it is returned.
alter table film.accounts
    add column budget_micros bigint check (budget_micros >= 0),
    add column budget_period text check (budget_period in ('day', 'month')),
    add column period_start timestamptz not null default now(),
    add column spent_micros bigint not null default 0 check (spent_micros >= 0),
    -- Tasks that have not ended; those that wait are among them.
    add column unfinished int not null default 0 check (unfinished >= 0),
    add column max_unfinished int check (max_unfinished > 0),
    add column submits_per_minute int check (submits_per_minute > 0),
    add column minute_start timestamptz not null default now(),
    add column minute_submits int not null default 0;

alter table film.keys
    drop column spend_limit_micros,
    add column budget_micros bigint check (budget_micros >= 0),
    add column budget_period text check (budget_period in ('day', 'month')),
    add column period_start timestamptz not null default now(),
    add column spent_micros bigint not null default 0 check (spent_micros >= 0),
    add column held_micros bigint not null default 0 check (held_micros >= 0),
    add column unfinished int not null default 0 check (unfinished >= 0),
    add column max_unfinished int check (max_unfinished > 0),
    add column submits_per_minute int check (submits_per_minute > 0),
    add column minute_start timestamptz not null default now(),
    add column minute_submits int not null default 0;

update film.accounts a set unfinished = n
from (select account_id, count(*) as n from film.tasks where ended_at is null group by account_id) t
where t.account_id = a.id;
update film.keys k set unfinished = n
from (select key_id, count(*) as n from film.tasks where ended_at is null group by key_id) t where t.key_id = k.id;

-- A price that binds until it expires, for one request, once.
create table film.quotes (
    id uuid primary key,
    account_id bigint not null references film.accounts,
    key_id bigint not null,
    body_sha256 bytea not null,
    price jsonb not null,
    amount_micros bigint not null check (amount_micros >= 0),
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    task_id uuid
);
create index quotes_by_age on film.quotes (expires_at);
