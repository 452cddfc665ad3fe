-- What operators are told is told once in a log, by whichever engine finds it first, and may be about an endpoint.

alter table film.notices
    add column endpoint_id uuid,
    add column told_at timestamptz;
update film.notices set told_at = at;
create index notices_untold on film.notices (id) where told_at is null;
create index notices_by_kind on film.notices (kind, at desc);
create index notices_by_endpoint on film.notices (endpoint_id, kind, at desc) where endpoint_id is not null;
