-- Films of several clips, their records, and what a task needs to be found by a number.

create sequence film.task_numbers;
alter table film.tasks
    add column number bigint not null default nextval('film.task_numbers'),
    -- What became of the task on its way; transitions write its parts.
    add column record jsonb not null default '{}',
    add column stage_at timestamptz not null default now();
create index tasks_by_number on film.tasks (account_id, number);

-- A clip that is made and kept, as a film of its own in case no other comes of the task.
alter table film.clips
    drop column prompt,
    drop column file_id,
    add column object_key text not null,
    add column film jsonb not null;
alter table film.clips drop constraint clips_role_check;
alter table film.clips add constraint clips_role_check check (role in ('first', 'extension', 'upsample'));

-- Whether a refused prompt may be softened and sent once more.
alter table film.keys add column soften boolean not null default false;

-- Failed films that are kept are first clips whose extension failed.
alter table film.tasks add constraint tasks_film_when_usable
    check (film is null or state in ('succeeded', 'failed'));
