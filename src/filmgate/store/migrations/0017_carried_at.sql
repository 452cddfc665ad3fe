-- Until when what a key was charged counts for the one that took its place: the moment from which it was bound. Null: when
-- that one was made.
alter table film.keys add column carried_at timestamptz;
