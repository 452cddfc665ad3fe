"""Keys that take each other's place, and what becomes of their budgets."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from filmgate.store.allowance import Setting
from filmgate.store.keys import KeyRow, Keys, ReplacedKeyError
from filmgate.store.pool import Pool, open_pool
from kit.books import PRICE, collecting, sound_books, succeeded
from kit.worlds import make_world

DAY = timedelta(days=1)
BUDGET = 20_000_000


@pytest.fixture
def keys(pool: Pool) -> Keys:
    return Keys(pool, [b"pepper"])


async def _rows(keys: Keys) -> dict[int, KeyRow]:
    return {row.id: row for row in await keys.list()}


async def test_two_keys_of_one_budget_never_spend_more_than_it(keys: Keys, pool: Pool) -> None:
    old = await keys.create(
        "sk-old",
        name="ci",
        account="team",
        strict=True,
        budget_micros=BUDGET,
        budget_period="month",
        max_running=2,
    )
    await pool.execute(
        "update keys set spent_micros = 5000000, held_micros = 400000, over_limit = 'refuse', destination = 'd'"
        " where id = $1",
        old,
    )
    made = await keys.rotate("ci", "sk-new", overlap=DAY)
    assert made is not None
    rows = await _rows(keys)
    former, new = rows[old], rows[made.id]
    # What the former one holds may still come back to it, and is all that it can spend then.
    assert (former.budget_micros, former.budget_period, former.spent_micros, former.held_micros) == (
        5_400_000,
        None,
        5_000_000,
        400_000,
    )
    assert (new.budget_micros, new.budget_period, new.spent_micros, new.held_micros) == (
        BUDGET,
        "month",
        5_400_000,
        0,
    )
    manners = await pool.fetchrow(
        "select over_limit, destination, max_running from keys where id = $1", made.id
    )
    assert manners is not None
    assert tuple(manners) == ("refuse", "d", 2)
    assert (new.name, new.account, new.strict, new.max_running) == ("ci", "team", True, 2)
    assert former.expires_at == made.former_until
    owners = [await keys.owner(key) for key in ("sk-old", "sk-new")]
    assert [owner and owner.key_id for owner in owners] == [old, made.id]


async def test_a_key_that_ends_sooner_is_not_kept_alive_by_its_successor(keys: Keys, pool: Pool) -> None:
    old = await keys.create("sk-old", name="ci", account="team")
    soon = await pool.fetchval(
        "update keys set expires_at = now() + interval '1 hour' where id = $1 returning expires_at", old
    )
    made = await keys.rotate(str(old), "sk-new", overlap=DAY)
    assert made is not None
    assert made.former_until == soon


async def test_only_one_living_key_that_is_meant_is_rotated(keys: Keys) -> None:
    await keys.create("sk-a", name="ci", account="team")
    await keys.create("sk-b", name="ci", account="team")
    with pytest.raises(LookupError):
        await keys.rotate("ci", "sk-new", overlap=DAY)
    assert await keys.rotate("nobody", "sk-new", overlap=DAY) is None
    await keys.revoke("ci")
    assert await keys.rotate("ci", "sk-new", overlap=DAY) is None
    assert len(await keys.list()) == 2


async def test_keys_that_open_one_account_at_once_all_belong_to_it(pool: Pool) -> None:
    keys = Keys(pool, [b"pepper"])
    for no in range(20):
        await asyncio.gather(
            *(keys.create(f"sk-{no}-{gate}", name="local", account=f"a{no}") for gate in range(4))
        )
    owners = [await keys.owner(f"sk-{no}-{gate}") for no in range(20) for gate in range(4)]
    assert len({owner.account_id for owner in owners if owner is not None}) == 20
    assert None not in owners


async def test_the_books_stay_sound_over_a_rotation_and_into_the_next_period(pool: Pool) -> None:
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, old = Keys(pool, [b"pepper"]), books.world.owner.key_id
    await pool.execute(
        "update keys set budget_period = 'month', budget_micros = $2,"
        " period_start = date_trunc('month', now(), 'UTC') where id = $1",
        old,
        BUDGET,
    )
    assert await books.broken() == {}
    first = await keys.rotate(str(old), "sk-first", overlap=DAY)
    assert first is not None
    # What was charged, and what is held for the film that runs.
    assert (await _rows(keys))[first.id].spent_micros == 2 * PRICE
    assert await books.broken() == {}
    second = await keys.rotate(str(first.id), "sk-second", overlap=DAY)
    assert second is not None
    assert (await _rows(keys))[second.id].spent_micros == 2 * PRICE
    assert await books.broken() == {}
    # Another month begins: whoever spends next leaves what was taken over behind.
    await pool.execute(
        "update keys set created_at = created_at - interval '40 days', carried_at = carried_at - interval '40 days',"
        " spent_micros = 0 where id = $1",
        second.id,
    )
    assert await books.broken() == {}
    await pool.execute("update keys set spent_micros = 1 where id = $1", second.id)
    assert await books.broken() == {"spent_is_what_was_charged": [f"key {second.id}: spent 1, charged 0"]}


async def test_of_a_period_that_is_over_only_what_is_held_goes_over(keys: Keys, pool: Pool) -> None:
    old = await keys.create("sk-old", name="ci", account="team", budget_micros=BUDGET, budget_period="day")
    await pool.execute(
        "update keys set spent_micros = 5000000, held_micros = 400000, period_start = now() - interval '3 days'"
        " where id = $1",
        old,
    )
    made = await keys.rotate("ci", "sk-new", overlap=DAY)
    assert made is not None
    assert (await _rows(keys))[made.id].spent_micros == 400_000
    assert await pool.fetchval(
        "select period_start = date_trunc('day', now(), 'UTC') from keys where id = $1", made.id
    )


async def test_what_a_key_may_do_is_changed_while_it_is_in_use(keys: Keys) -> None:
    await keys.create("sk-a", name="ci", account="team", strict=True, max_running=2, budget_micros=BUDGET)
    told = {"max_running": None, "language": "en", "strict": False, "over_limit": "refuse"}
    row = await keys.set("ci", **{name: Setting(value) for name, value in told.items()})
    assert row is not None
    assert {name: getattr(row, name) for name in told} == told
    assert row.budget_micros == BUDGET
    owner = await keys.owner("sk-a")
    assert owner is not None
    assert (owner.language, owner.strict) == ("en", False)


async def test_a_key_that_has_run_out_is_given_more_time(keys: Keys, pool: Pool) -> None:
    id_ = await keys.create("sk-a", name="ci", account="team")
    await pool.execute("update keys set expires_at = now() - interval '1 day' where id = $1", id_)
    assert await keys.set("ci", expires_at=Setting(None)) is not None
    owner = await keys.owner("sk-a")
    assert owner is not None
    assert not owner.expired


async def test_only_one_key_that_is_meant_is_changed(keys: Keys) -> None:
    first = await keys.create("sk-a", name="ci", account="team")
    await keys.create("sk-b", name="ci", account="team")
    await keys.create("sk-admin", name="admin", account=None)
    with pytest.raises(LookupError):
        await keys.set("ci", max_running=Setting(1))
    row = await keys.set(str(first), max_running=Setting(1))
    assert row is not None
    assert [row.max_running for row in await keys.list()] == [1, None, None]
    assert await keys.set("admin", max_running=Setting(1)) is None
    with pytest.raises(TypeError):
        await keys.set(str(first), spent_micros=Setting(0))


async def test_after_a_rotation_a_name_means_the_key_that_took_the_others_place(
    keys: Keys, pool: Pool
) -> None:
    old = await keys.create("sk-old", name="ci", account="team")
    new = await keys.rotate("ci", "sk-new", overlap=DAY)
    assert new is not None
    changed = await keys.set("ci", max_running=Setting(1))
    assert changed is not None
    assert changed.id == new.id
    owner = await keys.named("ci")
    assert owner is not None
    assert owner.key_id == new.id
    for act in (keys.set(str(old), max_running=Setting(2)), keys.rotate(str(old), "sk-no", overlap=DAY)):
        with pytest.raises(ReplacedKeyError, match=str(new.id)):
            await act
    # The former one runs out, and is never revoked.
    await pool.execute("update keys set expires_at = now() - interval '1 day' where id = $1", old)
    newest = await keys.rotate("ci", "sk-newest", overlap=DAY)
    assert newest is not None
    assert newest.former_id == new.id


@pytest.mark.parametrize("budget", [None, BUDGET])
async def test_who_was_replaced_by_a_key_that_is_revoked_is_meant_again_unless_its_budget_went_over(
    keys: Keys, pool: Pool, budget: int | None
) -> None:
    old = await keys.create("sk-old", name="ci", account="team", budget_micros=budget)
    await pool.execute("update keys set expires_at = now() + interval '90 days'")
    new = await keys.rotate("ci", "sk-new", overlap=DAY)
    assert new is not None
    await keys.revoke(str(new.id))
    if budget is not None:
        for act in (keys.set("ci", max_running=Setting(3)), keys.rotate("ci", "sk-no", overlap=DAY)):
            with pytest.raises(ReplacedKeyError, match=str(new.id)) as told:
                await act
            assert told.value.revoked
        return
    changed = await keys.set("ci", max_running=Setting(3))
    assert changed is not None
    assert (changed.id, changed.successor_id) == (old, None)
    again = await keys.rotate("ci", "sk-again", overlap=DAY)
    assert again is not None
    rows = await _rows(keys)
    # The former one ends in a day; who takes its place ends when it was to end at first.
    assert rows[again.id].expires_at == rows[new.id].expires_at
    assert again.former_until < datetime.now(UTC) + 2 * DAY


async def test_a_change_that_waits_for_a_rotation_changes_the_new_key(keys: Keys, pool: Pool) -> None:
    old = await keys.create("sk-old", name="ci", account="team", budget_micros=5, budget_period="month")
    async with pool.acquire() as connection:
        rotation = connection.transaction()
        await rotation.start()
        await connection.execute("select from keys where id = $1 for update", old)
        change = asyncio.create_task(keys.set("ci", budget_micros=Setting(50)))
        await asyncio.sleep(0.2)
        new = await connection.fetchval(
            "insert into keys (account_id, name, hash, hint, former_id)"
            " select account_id, name, sha256('new'), hint, id from keys where id = $1 returning id",
            old,
        )
        await rotation.commit()
    changed = await change
    assert changed is not None
    assert changed.id == new
    assert [row.budget_micros for row in await keys.list()] == [5, 50]


async def test_a_budget_that_is_set_counts_what_was_spent_since_its_period_began(pool: Pool) -> None:
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, old = Keys(pool, [b"pepper"]), books.world.owner.key_id
    for period in ("day", "month", None):
        row = await keys.set(str(old), budget_micros=Setting(BUDGET), budget_period=Setting(period))
        assert row is not None
        assert (row.budget_micros, row.budget_period, row.spent_micros) == (BUDGET, period, PRICE)
        assert await books.broken() == {}
    last = old
    for no in range(2):
        new = await keys.rotate(str(last), f"sk-{no}", overlap=DAY)
        assert new is not None
        last = new.id
        # What it took over counts on, charged and held.
        for period in ("day", "month", None):
            row = await keys.set(str(last), budget_period=Setting(period))
            assert row is not None
            assert (row.budget_micros, row.spent_micros) == (BUDGET, 2 * PRICE)
            assert await books.broken() == {}


async def test_of_what_a_key_took_over_only_what_its_new_period_has_counts(pool: Pool) -> None:
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, old = Keys(pool, [b"pepper"]), books.world.owner.key_id
    # It was charged long ago, and made before that.
    await pool.execute("update ledger set at = at - interval '100 days' where kind = 'close'")
    await pool.execute(
        "update keys set created_at = created_at - interval '200 days', period_start = now() - interval '200 days'"
        " where id = $1",
        old,
    )
    await pool.execute("update accounts set spent_micros = 0 where spent_micros > 0")
    assert await books.broken() == {}
    new = await keys.rotate(str(old), "sk-new", overlap=DAY)
    assert new is not None
    for period, spent in (("month", PRICE), (None, 2 * PRICE), ("day", PRICE)):
        row = await keys.set(str(new.id), budget_micros=Setting(BUDGET), budget_period=Setting(period))
        assert row is not None
        # What it held for a film that runs, and for good all that was ever charged.
        assert row.spent_micros == spent
        assert await books.broken() == {}


async def test_what_was_spent_before_a_rotation_counts_in_the_month_whatever_the_former_period_was(
    pool: Pool,
) -> None:
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, old = Keys(pool, [b"pepper"]), books.world.owner.key_id
    await keys.set(str(old), budget_micros=Setting(BUDGET), budget_period=Setting("day"))
    # The day is over, and what was charged then is of this month.
    await pool.execute("update keys set spent_micros = 0, period_start = now() where id = $1", old)
    new = await keys.rotate(str(old), "sk-new", overlap=DAY)
    assert new is not None
    assert (await _rows(keys))[new.id].spent_micros == PRICE
    row = await keys.set(str(new.id), budget_period=Setting("month"))
    assert row is not None
    assert row.spent_micros == 2 * PRICE
    assert await books.broken() == {}


async def test_a_period_that_another_began_while_this_was_asked_is_kept(
    keys: Keys, pool: Pool, database: dict[str, Any]
) -> None:
    """At midnight: a film that ended after it has begun the new day already."""
    id_ = await keys.create("sk-a", name="ci", account="team", budget_micros=BUDGET, budget_period="day")
    await pool.execute("update keys set period_start = '2026-03-02T00:00:00Z' where id = $1", id_)
    await pool.execute(
        "create function film.now() returns timestamptz stable return timestamptz '2026-03-01T23:59:59Z'"
    )
    late = await open_pool(database, size=1, statement_ms=5000, name="late", pooled=True)
    try:
        await late.execute("set search_path = film, pg_catalog")
        await Keys(late, [b"pepper"]).set("ci", budget_period=Setting("day"))
    finally:
        await late.close()
        await pool.execute("drop function film.now()")
    started = await pool.fetchval("select period_start from keys where id = $1", id_)
    assert started == datetime(2026, 3, 2, tzinfo=UTC)


async def test_a_period_that_began_by_a_clock_which_was_set_back_since_ends_with_it(pool: Pool) -> None:
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, id_ = Keys(pool, [b"pepper"]), books.world.owner.key_id
    await pool.execute("update keys set period_start = now() + interval '2 days', spent_micros = 0")
    row = await keys.set(str(id_), budget_micros=Setting(BUDGET), budget_period=Setting("day"))
    assert row is not None
    # It counts what was charged today.
    assert row.spent_micros == PRICE
    assert await books.broken() == {}
    await pool.execute("update keys set period_start = now() + interval '2 days'")
    assert await keys.rotate(str(id_), "sk-new", overlap=DAY) is not None
    assert await pool.fetchval("select bool_and(period_start < now()) from keys where former_id is not null")


async def test_a_budget_that_comes_after_a_rotation_binds_also_the_keys_before(pool: Pool) -> None:
    """They live on for a day, and would spend what nobody counts."""
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, first = Keys(pool, [b"pepper"]), books.world.owner.key_id
    second = await keys.rotate(str(first), "sk-second", overlap=DAY)
    assert second is not None
    third = await keys.rotate(str(second.id), "sk-third", overlap=DAY)
    assert third is not None
    # The first one goes on spending.
    await books.world.pool.execute(
        "update ledger set at = now() + interval '1 ms' where kind = 'close' and key_id = $1", first
    )
    for settings in (
        {"budget_micros": Setting(BUDGET)},
        {"budget_micros": Setting(BUDGET), "budget_period": Setting("month")},
    ):
        row = await keys.set(str(third.id), **settings)
        assert row is not None
        assert row.spent_micros == 2 * PRICE
        assert await books.broken() == {}
    rows = await _rows(keys)
    assert [rows[id_].budget_micros for id_ in (first, second.id, third.id)] == [2 * PRICE, 2 * PRICE, BUDGET]


async def test_what_a_former_key_is_charged_after_a_rotation_counts_once_though_the_clock_was_set_back(
    pool: Pool,
) -> None:
    """It was taken over as held: by its time alone it would seem to have been charged before."""
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, old = Keys(pool, [b"pepper"]), books.world.owner.key_id
    await keys.set(str(old), budget_micros=Setting(BUDGET))
    claim = await collecting(books.world)
    new = await keys.rotate(str(old), "sk-new", overlap=DAY)
    assert new is not None
    assert (await _rows(keys))[new.id].spent_micros == 3 * PRICE
    await books.world.ends.end(succeeded(claim))
    await pool.execute(
        "update ledger set at = (select carried_at from keys where id = $2) - interval '1 ms'"
        " where kind = 'close' and task_id = $1",
        claim.task_id,
        new.id,
    )
    for period in ("month", None):
        row = await keys.set(str(new.id), budget_period=Setting(period))
        assert row is not None
        assert row.spent_micros == 3 * PRICE
        assert await books.broken() == {}


async def test_what_was_taken_over_before_it_was_known_from_whom_is_never_forgotten(pool: Pool) -> None:
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, first = Keys(pool, [b"pepper"]), books.world.owner.key_id
    await keys.set(str(first), budget_micros=Setting(BUDGET))
    second = await keys.rotate(str(first), "sk-second", overlap=DAY)
    assert second is not None
    await pool.execute(
        "update keys set former_id = null, carried_at = null, carried_held_micros = 0,"
        " created_at = now() - interval '40 days', period_start = now() - interval '40 days' where id = $1",
        second.id,
    )
    assert await books.broken() == {}
    for period, spent in (("day", 0), (None, 2 * PRICE)):
        row = await keys.set(str(second.id), budget_micros=Setting(BUDGET), budget_period=Setting(period))
        assert row is not None
        assert row.spent_micros == spent
        assert await books.broken() == {}
    third = await keys.rotate(str(second.id), "sk-third", overlap=DAY)
    assert third is not None
    row = await keys.set(str(third.id), budget_micros=Setting(BUDGET), budget_period=Setting(None))
    assert row is not None
    assert row.spent_micros == 2 * PRICE
    assert await books.broken() == {}


async def test_a_list_shows_nothing_as_spent_of_a_period_that_is_over(keys: Keys, pool: Pool) -> None:
    await keys.create("sk-a", name="ci", account="team", budget_micros=BUDGET, budget_period="day")
    await pool.execute("update keys set spent_micros = 5, period_start = now() - interval '3 days'")
    assert [row.spent_micros for row in await keys.list()] == [0]
