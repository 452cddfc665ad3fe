"""Budgets of keys: what counts as spent where they are set, changed, and go over to other keys."""

from datetime import UTC, datetime
from typing import Any

import pytest

from filmgate.store.allowance import Setting
from filmgate.store.keys import Keys
from filmgate.store.pool import Pool, open_pool
from kit.books import PRICE, collecting, sound_books, succeeded
from kit.keys import BUDGET, DAY, rows_of
from kit.worlds import make_world


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
    assert (await rows_of(keys))[new.id].spent_micros == PRICE
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
    rows = await rows_of(keys)
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
    assert (await rows_of(keys))[new.id].spent_micros == 3 * PRICE
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


async def test_a_key_whose_successor_without_a_budget_was_revoked_is_given_one_and_changed_again(
    keys: Keys,
) -> None:
    old = await keys.create("sk-old", name="ci", account="team")
    new = await keys.rotate("ci", "sk-new", overlap=DAY)
    assert new is not None
    await keys.revoke(str(new.id))
    for micros in (BUDGET, BUDGET // 2):
        row = await keys.set(str(old), budget_micros=Setting(micros))
        assert row is not None
        assert (row.id, row.budget_micros, row.successor_id) == (old, micros, None)


async def test_a_budget_for_good_counts_what_is_charged_though_the_clock_was_set_back(pool: Pool) -> None:
    """By the clock of now its period has not begun, and it has no other."""
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, id_ = Keys(pool, [b"pepper"]), books.world.owner.key_id
    await keys.set(str(id_), budget_micros=Setting(BUDGET))
    claim = await collecting(books.world)
    await pool.execute("update keys set period_start = now() + interval '1 hour'")
    await pool.execute("update accounts set period_start = now() + interval '1 hour'")
    await pool.execute("update ledger set at = now() + interval '2 hours'")
    await books.world.ends.end(succeeded(claim))
    assert (await rows_of(keys))[id_].spent_micros == 2 * PRICE
    assert await books.broken() == {}
    await pool.execute("update keys set created_at = now() + interval '1 hour'")
    row = await keys.set(str(id_), budget_micros=Setting(BUDGET), budget_period=Setting(None))
    assert row is not None
    assert row.spent_micros == 2 * PRICE
    assert await books.broken() == {}


@pytest.mark.parametrize("bound_later", [False, True])
async def test_what_goes_over_counts_in_a_period_that_has_only_just_begun_elsewhere(
    pool: Pool, *, bound_later: bool
) -> None:
    """The clock of a database that took over is a little behind."""
    books = await sound_books(await make_world(pool, in_flight=9))
    keys, old = Keys(pool, [b"pepper"]), books.world.owner.key_id
    if not bound_later:
        await keys.set(str(old), budget_micros=Setting(BUDGET))
    await pool.execute("update ledger set at = now() + interval '1 hour' where kind = 'close'")
    await pool.execute("update keys set period_start = now() + interval '5 s', spent_micros = $1", PRICE)
    new = await keys.rotate(str(old), "sk-new", overlap=DAY)
    assert new is not None
    row = await keys.set(str(new.id), budget_micros=Setting(BUDGET))
    assert row is not None
    assert row.spent_micros == 2 * PRICE
    assert await books.broken() == {}
