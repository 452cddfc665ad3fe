-- What one customer or one vendor does costs the others nothing.

-- Which keys stood for a task is asked when it is deleted.
create index idempotency_by_task on film.idempotency (task_id);
