-- Whom to tell when a film ends, what is to be told, and what became of each try.

create table film.endpoints (
    id uuid primary key,
    account_id bigint not null references film.accounts,
    -- The one row of an account that stands for all the addresses which its requests name themselves.
    callback boolean not null default false,
    name text not null,
    url text,
    events text[] not null,
    -- Sealed under a key that is not in the database.
    secret bytea not null,
    hint text not null,
    former_secret bytea,
    former_until timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    failing_since timestamptz,
    disabled_at timestamptz,
    disabled_reason text,
    deleted_at timestamptz,
    constraint endpoints_url_unless_callback check (callback = (url is null)),
    constraint endpoints_former_both check ((former_secret is null) = (former_until is null)),
    constraint endpoints_reason_when_disabled check ((disabled_at is null) = (disabled_reason is null))
);
create index endpoints_by_account on film.endpoints (account_id, id desc) where deleted_at is null;
create unique index endpoints_one_for_callbacks on film.endpoints (account_id) where callback;

create table film.deliveries (
    id uuid primary key,
    account_id bigint not null references film.accounts,
    -- Null where the request itself named the address.
    endpoint_id uuid,
    url text not null,
    host text not null,
    task_id uuid not null,
    event text not null,
    body bytea not null,
    state text not null default 'due' check (state in ('due', 'delivered', 'given_up')),
    -- When the next try is due; while one is in hand, when its lease runs out.
    due_at timestamptz,
    lease_by uuid,
    fence bigint not null default 0,
    -- Tries since it was made, or since it was last replayed.
    tries smallint not null default 0,
    created_at timestamptz not null default now(),
    ended_at timestamptz,
    constraint deliveries_due_until_over check ((state = 'due') = (due_at is not null)),
    constraint deliveries_ended_when_over check ((state = 'due') = (ended_at is null)),
    constraint deliveries_leased_while_due check (lease_by is null or state = 'due')
) with (fillfactor = 85);
create index deliveries_due on film.deliveries (due_at) where state = 'due';
create index deliveries_by_host on film.deliveries (host, due_at) where state = 'due';
create index deliveries_in_hand on film.deliveries (host) where lease_by is not null;
create index deliveries_by_account on film.deliveries (account_id, created_at desc, id desc);
create index deliveries_by_age on film.deliveries (created_at, id);
create index deliveries_by_task on film.deliveries (task_id);

create table film.delivery_tries (
    id bigint generated always as identity primary key,
    delivery_id uuid not null references film.deliveries on delete cascade,
    at timestamptz not null default now(),
    status smallint,
    duration_ms int not null check (duration_ms >= 0),
    answer text,
    error text
);
create index delivery_tries_by_delivery on film.delivery_tries (delivery_id, id);
