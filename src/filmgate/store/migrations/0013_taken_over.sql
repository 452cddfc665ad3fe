-- Keys that took another's place before what they took over was kept: it is kept now where the ledger shows what the former
-- key had spent and held just then, and that is just what the new one has spent beyond its own charges.
do $$
declare
    key record;
    taken bigint;
begin
    create temporary table rotated on commit drop as
    select k.id, f.id as former from film.keys k
    join film.keys f on f.account_id = k.account_id and f.name = k.name and f.id < k.id and f.budget_period is null
        and f.created_at <= k.created_at and f.expires_at > k.created_at
        and f.expires_at <= k.created_at + interval '24 hours'
    where k.carried_micros = 0 and k.spent_micros > 0 and k.created_at >= k.period_start;
    if not exists (select from rotated) then
        return;
    end if;
    -- Nothing is spent by them meanwhile.
    perform from film.keys where id in (select id from rotated union select former from rotated) order by id
        for no key update;
    create temporary table held_then on commit drop as
    select l.key_id, l.task_id, l.at, e.amount_micros from film.ledger l
    join film.entries e on e.ledger_id = l.id and e.account = 'held:' || l.account_id
    where l.kind = 'hold' and l.key_id in (select former from rotated);
    create temporary table closed_then on commit drop as
    select l.key_id, l.task_id, l.at, coalesce(e.amount_micros, 0) as amount_micros from film.ledger l
    left join film.entries e on e.ledger_id = l.id and e.account = 'revenue'
    where l.kind = 'close' and l.key_id in (select id from rotated union select former from rotated);
    -- In their order: what a former key had taken over itself is known by then.
    for key in
        select r.id, r.former, k.created_at, k.period_start from rotated r join film.keys k on k.id = r.id order by r.id
    loop
        select case when f.created_at >= key.period_start then f.carried_micros else 0 end
            + (select coalesce(sum(c.amount_micros), 0) from closed_then c
                where c.key_id = f.id and c.at between key.period_start and key.created_at)
            + (select coalesce(sum(h.amount_micros), 0) from held_then h
                where h.key_id = f.id and h.at <= key.created_at and not exists (
                    select from closed_then c where c.task_id = h.task_id and c.at <= key.created_at))
        into taken from film.keys f where f.id = key.former;
        update film.keys k set carried_micros = taken
        where k.id = key.id and k.carried_micros = 0 and taken > 0 and k.spent_micros = taken + (
            select coalesce(sum(c.amount_micros), 0) from closed_then c where c.key_id = k.id and c.at >= k.period_start);
    end loop;
end
$$;
