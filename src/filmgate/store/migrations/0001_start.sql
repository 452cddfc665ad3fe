-- Times are timestamptz, money is bigint micro-dollars, states are text with checks: an enum cannot lose a value.
-- Nothing refers to tasks by foreign key, since its partitions must be droppable.

create table film.accounts (
    id bigint generated always as identity primary key,
    name text not null unique,
    balance_micros bigint not null default 0,
    held_micros bigint not null default 0 check (held_micros >= 0),
    -- Null spends without limit.
    credit_micros bigint check (credit_micros >= 0),
    max_running int check (max_running > 0),
    created_at timestamptz not null default now(),
    check (balance_micros >= -credit_micros)
) with (fillfactor = 50);

create table film.keys (
    id bigint generated always as identity primary key,
    account_id bigint references film.accounts,
    name text not null,
    -- HMAC-SHA-256 under a pepper that is not in the database.
    hash bytea not null unique check (length(hash) = 32),
    hint text not null,
    operator boolean not null default false,
    dialect text,
    strict boolean not null default false,
    spend_limit_micros bigint check (spend_limit_micros > 0),
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    check (operator = (account_id is null))
);

create table film.tasks (
    id uuid not null primary key,
    account_id bigint not null,
    key_id bigint not null,
    dialect text not null,
    names jsonb not null,
    model text not null,
    kind text not null default 'create' check (kind in ('create', 'extend', 'remix', 'join')),
    parent_id uuid,
    state text not null default 'queued' check (state in ('queued', 'preparing', 'generating', 'extending',
        'upsampling', 'collecting', 'succeeded', 'failed', 'cancelled', 'expired')),
    progress smallint not null default 0 check (progress between 0 and 100),
    request jsonb not null,
    film jsonb,
    error_code text,
    error_parameters jsonb,
    cancel_requested_at timestamptz,
    hold_micros bigint not null check (hold_micros >= 0),
    cost_micros bigint check (cost_micros between 0 and hold_micros),
    version int not null default 1,
    created_at timestamptz not null default now(),
    changed_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz,
    deadline_at timestamptz not null,
    content_until timestamptz,
    deleted_at timestamptz,
    constraint tasks_ended_when_terminal
        check ((state in ('succeeded', 'failed', 'cancelled', 'expired')) = (ended_at is not null)),
    constraint tasks_cost_when_ended check ((ended_at is null) = (cost_micros is null)),
    -- A failed task with a cost is one whose extension failed: its first clip was made.
    constraint tasks_cost_for_films check (state in ('succeeded', 'failed') or coalesce(cost_micros, 0) = 0),
    constraint tasks_error_when_failed check ((state in ('failed', 'expired')) = (error_code is not null)),
    constraint tasks_film_when_succeeded check (state <> 'succeeded' or film is not null),
    constraint tasks_whole_when_succeeded check ((progress = 100) = (state = 'succeeded'))
) partition by range (id);
create table film.tasks_default partition of film.tasks default with (fillfactor = 85);
-- What should have a work row: the sweep looks for those that have none.
create index tasks_unfinished on film.tasks (created_at) where ended_at is null;
create index tasks_by_account on film.tasks (account_id, id desc);

create table film.credentials (
    id int generated always as identity primary key,
    provider text not null,
    name text not null,
    enabled boolean not null default true,
    weight int not null default 100,
    rate_per_s float8 check (rate_per_s > 0),
    burst float8 not null default 1 check (burst >= 1),
    tokens float8 not null default 1,
    refilled_at timestamptz not null default clock_timestamp(),
    max_in_flight int not null check (max_in_flight > 0),
    in_flight int not null default 0 check (in_flight >= 0),
    blocked_until timestamptz not null default '2000-01-01T00:00:00Z',
    failures_in_row int not null default 0,
    unique (provider, name)
) with (fillfactor = 20);

-- One narrow row per unfinished task, deleted with its last step; it is the queue.
create table film.work (
    task_id uuid primary key,
    step text not null check (step in ('prepare', 'submit', 'reconcile', 'poll', 'collect', 'render')),
    credential_id int references film.credentials,
    due_at timestamptz not null,
    -- How long after a claim for a poll the next one is due.
    pace_ms int not null default 5000 check (pace_ms > 0),
    fence bigint not null default 0,
    lease_by uuid,
    tries smallint not null default 0,
    -- What failed, and since when: tries count the same failure in a row.
    tried_as text,
    tries_since timestamptz,
    deaths smallint not null default 0
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index work_due on film.work (step, due_at);

create table film.clips (
    task_id uuid not null,
    no smallint not null check (no >= 1),
    role text not null check (role in ('first', 'extension', 'upsample', 'joined')),
    prompt text,
    file_id uuid,
    primary key (task_id, no)
);

create table film.attempts (
    task_id uuid not null,
    clip_no smallint not null check (clip_no >= 1),
    no smallint not null check (no >= 1),
    credential_id int not null references film.credentials,
    provider text not null,
    key text not null unique,
    body_sha256 bytea,
    state text not null check (state in ('sending', 'accepted', 'uncertain', 'done', 'failed', 'lost', 'abandoned')),
    ticket jsonb,
    vendor_ref text,
    result jsonb,
    sent_at timestamptz not null default now(),
    closed_at timestamptz,
    vendor_cost_micros bigint,
    error_class text,
    error_text text,
    primary key (task_id, clip_no, no),
    constraint attempts_ticket_when_accepted check (state <> 'accepted' or ticket is not null),
    constraint attempts_result_when_done check (state <> 'done' or result is not null),
    constraint attempts_closed_when_over
        check ((state in ('sending', 'accepted', 'uncertain')) = (closed_at is null))
);
-- Never two paid jobs for one clip.
create unique index attempts_one_open on film.attempts (task_id, clip_no) where closed_at is null;
-- A vendor's id is an identity only together with the credential.
create unique index attempts_by_vendor on film.attempts (credential_id, vendor_ref) where vendor_ref is not null;

create table film.files (
    id uuid primary key,
    task_id uuid not null,
    account_id bigint not null references film.accounts,
    role text not null check (role in ('input', 'video', 'thumbnail', 'poster', 'clip', 'spritesheet')),
    object_key text not null,
    media_type text not null,
    size_bytes bigint not null check (size_bytes >= 0),
    sha256 text not null check (length(sha256) = 64),
    created_at timestamptz not null default now(),
    delete_after timestamptz
);
create index files_by_task on film.files (task_id);
create index files_due on film.files (delete_after) where delete_after is not null;

-- Every id that any dialect ever showed for a task.
create table film.aliases (
    alias text primary key,
    task_id uuid not null
);
create index aliases_by_task on film.aliases (task_id);

create table film.idempotency (
    account_id bigint not null references film.accounts,
    key text not null,
    body_sha256 bytea not null,
    task_id uuid not null,
    created_at timestamptz not null default now(),
    primary key (account_id, key)
);
create index idempotency_by_age on film.idempotency (created_at);

-- Double entry: the entries of each ledger row sum to zero; one hold a task, one close a hold.
create table film.ledger (
    id bigint generated always as identity primary key,
    task_id uuid,
    kind text not null check (kind in ('topup', 'adjust', 'hold', 'close')),
    author text,
    reason text,
    at timestamptz not null default now(),
    constraint ledger_task_when_held check ((kind in ('hold', 'close')) = (task_id is not null))
);
-- Closing twice is an error, not a loss.
create unique index ledger_once on film.ledger (task_id, kind) where task_id is not null;

create table film.entries (
    ledger_id bigint not null references film.ledger,
    account text not null,
    amount_micros bigint not null check (amount_micros <> 0),
    primary key (ledger_id, account)
);

-- A start of an engine on a data folder; leases name it, so that the next start there can release them.
create table film.boots (
    id uuid primary key,
    folder uuid not null,
    supervisor uuid not null,
    started_at timestamptz not null default now()
);
create index boots_by_folder on film.boots (folder, started_at desc);

-- What an operator should look at: orphans, parked tasks, misconfigured providers.
create table film.notices (
    id bigint generated always as identity primary key,
    kind text not null,
    task_id uuid,
    provider text,
    text text not null,
    at timestamptz not null default now()
);
