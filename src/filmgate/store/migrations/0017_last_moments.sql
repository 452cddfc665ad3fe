-- Until when, and up to which booking, what a key was charged counts for the one that took its place: from then on it was
-- bound. Null: when that one was made.
alter table film.keys add column carried_at timestamptz;
alter table film.keys add column carried_upto bigint;
-- When a submit whose reply was lost was last repeated under its key: what was sent then may still arrive.
alter table film.attempts add column repeated_at timestamptz;
