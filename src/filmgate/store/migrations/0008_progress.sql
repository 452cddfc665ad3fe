-- How long runs take, what may wait for how long, and what the processes of the gate have counted.

alter table film.tasks
    -- A task that has not started by then ends for nothing.
    add column start_by timestamptz;

alter table film.keys
    add column over_limit text not null default 'wait' check (over_limit in ('wait', 'refuse'));

-- Written with each end, and folded into what stands below a moment later: no two ends ever wait for one row.
create table film.runs (
    no bigint generated always as identity primary key,
    provider text not null,
    model text not null,
    -- What was made: so many seconds, of that size.
    seconds int not null,
    size text not null,
    -- Null where the run ended without its film, or was begun more than once.
    run_s float8,
    -- Whether it ended in the time that its client had been shown; null where none was shown.
    covered boolean
) with (autovacuum_vacuum_scale_factor = 0.05);

-- How many runs of a day took how long: each bucket is a twentieth longer than the one before it.
create table film.run_times (
    provider text not null,
    model text not null,
    seconds int not null,
    size text not null,
    day date not null,
    bucket smallint not null,
    runs int not null check (runs > 0),
    primary key (provider, model, seconds, size, day, bucket)
) with (fillfactor = 80);
create index run_times_by_day on film.run_times (day);

create table film.estimates (
    provider text not null,
    model text not null,
    seconds int not null,
    size text not null,
    runs int not null check (runs > 0),
    p50_s float8 not null check (p50_s >= 0),
    p90_s float8 not null check (p90_s >= p50_s),
    made_on date not null default current_date,
    primary key (provider, model, seconds, size)
) with (fillfactor = 50);

-- Whether the last hundred runs of a model, newest first, ended in the time that was shown.
create table film.honesty (
    model text primary key,
    covered boolean[] not null
);

-- What each process has counted since it started, so that any of them can tell of all.
create table film.counts (
    process uuid primary key,
    at timestamptz not null default now(),
    counts jsonb not null
) with (fillfactor = 50);
create index counts_by_age on film.counts (at);

alter table film.files drop constraint files_role_check;
alter table film.files add constraint files_role_check
    check (role in ('input', 'video', 'thumbnail', 'poster', 'clip', 'spritesheet', 'filmstrip'));
