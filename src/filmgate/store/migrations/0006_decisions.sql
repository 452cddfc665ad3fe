-- What waits for somebody's decision is found without looking through every task.

create index tasks_cancelling on film.tasks (id) where cancel_requested_at is not null and ended_at is null;
create index tasks_parked on film.tasks (id) where error_code = 'engine_error';
create index attempts_uncertain on film.attempts (task_id) where state = 'uncertain';
