-- What a key took over as spent from the one whose place it took; it counts until the next period of its budget begins.
alter table film.keys add column carried_micros bigint not null default 0 check (carried_micros >= 0);
