"""Keys that take each other's place, and what becomes of their budgets."""

import asyncio
from datetime import UTC, datetime

import pytest

from filmgate.store.allowance import Setting
from filmgate.store.keys import Keys, ReplacedKeyError
from filmgate.store.pool import Pool
from kit.books import PRICE, sound_books
from kit.keys import BUDGET, DAY, rows_of
from kit.worlds import make_world


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
    rows = await rows_of(keys)
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
    assert (await rows_of(keys))[first.id].spent_micros == 2 * PRICE
    assert await books.broken() == {}
    second = await keys.rotate(str(first.id), "sk-second", overlap=DAY)
    assert second is not None
    assert (await rows_of(keys))[second.id].spent_micros == 2 * PRICE
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
    assert (await rows_of(keys))[made.id].spent_micros == 400_000
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
    rows = await rows_of(keys)
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
