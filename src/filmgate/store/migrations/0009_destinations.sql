-- Films on their way into buckets of customers, and what keeps objects and rows together.

create table film.shipments (
    id uuid primary key,
    task_id uuid not null,
    account_id bigint not null references film.accounts,
    destination text not null,
    -- What the film is called there, settled once: a path that is changed later makes no second copy.
    name text not null,
    object_key text not null,
    size_bytes bigint not null check (size_bytes >= 0),
    state text not null default 'due' check (state in ('due', 'delivered', 'given_up')),
    -- When the next try is due; while one is in hand, when its lease runs out.
    due_at timestamptz,
    lease_by uuid,
    fence bigint not null default 0,
    -- Tries since it was made, or since it was last asked for again.
    tries smallint not null default 0,
    -- What stood in the way of the last try: a word for customers, a sentence for operators.
    trouble text,
    error text,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    constraint shipments_due_until_over check ((state = 'due') = (due_at is not null)),
    constraint shipments_ended_when_over check ((state = 'due') = (ended_at is null)),
    constraint shipments_leased_while_due check (lease_by is null or state = 'due'),
    constraint shipments_once unique (task_id, destination)
) with (fillfactor = 85);
create index shipments_due on film.shipments (destination, due_at) where state = 'due';
create index shipments_of_object on film.shipments (object_key) where state = 'due';
create index shipments_by_age on film.shipments (created_at, id);

-- Where the films of a key go, if its requests say nothing else.
alter table film.keys add column destination text;

-- Whether a row knows an object is asked of every object there is.
create index files_by_object on film.files (object_key);

-- What is done by one machine at a time, and when it is due again.
create table film.chores (
    name text primary key,
    due_at timestamptz not null
);
insert into film.chores (name, due_at) values ('orphans', now());
