-- Whose money each booking was, what vendors are paid, and which tasks were forgotten on purpose.

-- Bookings outlive their tasks.
alter table film.ledger
    add column account_id bigint,
    add column key_id bigint,
    add column model text;
update film.ledger l set account_id = t.account_id, key_id = t.key_id, model = t.model
from film.tasks t where t.id = l.task_id;
update film.ledger l set account_id = substr(e.account, 11)::bigint
from film.entries e where e.ledger_id = l.id and l.task_id is null and e.account like 'available:%';
create index ledger_by_time on film.ledger using brin (at);
create index ledger_charges on film.ledger (account_id, at) where kind = 'close';

-- What is spent is what was charged since the period began, whoever asked last.
update film.accounts a set spent_micros = coalesce((
    select sum(e.amount_micros) from film.ledger l join film.entries e on e.ledger_id = l.id and e.account = 'revenue'
    where l.kind = 'close' and l.account_id = a.id and l.at >= a.period_start), 0);
update film.keys k set spent_micros = coalesce((
    select sum(e.amount_micros) from film.ledger l join film.entries e on e.ledger_id = l.id and e.account = 'revenue'
    where l.kind = 'close' and l.key_id = k.id and l.at >= k.period_start), 0);

-- What an attempt costs by the provider's list, known before it is sent, and its own name of the model.
alter table film.attempts
    add column vendor_model text,
    add column list_cost_micros bigint check (list_cost_micros >= 0);

-- Weeks whose tasks were removed; their bookings stay, and must go on to add up to what is written here.
create table film.forgotten (
    from_id uuid primary key,
    to_id uuid not null,
    tasks bigint not null,
    held_micros bigint not null,
    charged_micros bigint not null,
    begun_at timestamptz not null default now(),
    done_at timestamptz,
    check (from_id < to_id)
);
