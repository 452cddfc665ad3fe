"""What may be spent: balances that many spend at once, budgets by the day, the month or for good."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from filmgate.domain import ids
from filmgate.store.accept import Acceptor, Remember, Verdict
from filmgate.store.accounts import Accounts, GiftMismatchError, Given
from filmgate.store.allowance import Setting
from filmgate.store.funds import Purse
from filmgate.store.keys import Keys
from filmgate.store.ledger import Ledger
from filmgate.store.pool import Pool
from filmgate.world import SystemChance
from kit.books import PRICE, collecting, sound_books, succeeded
from kit.worlds import World, make_world


@pytest.fixture
async def world(pool: Pool) -> World:
    return await make_world(pool, in_flight=9)


def purse(period: str | None, begun: str, now: str) -> Purse:
    return Purse(
        id=1, balance_micros=None, credit_micros=None, held_micros=0, budget_micros=100, budget_period=period,
        period_start=datetime.fromisoformat(begun), spent_micros=100, unfinished=0, max_unfinished=None,
        submits_per_minute=None, minute_start=datetime.fromisoformat(now), minute_submits=0,
        max_running=None, over_limit="wait", now=datetime.fromisoformat(now),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("period", "last", "first"),
    [
        ("day", "2026-02-28T23:59:59.999999Z", "2026-03-01T00:00:00Z"),
        ("month", "2026-02-28T23:59:59.999999Z", "2026-03-01T00:00:00Z"),
        ("month", "2028-02-29T23:59:59.999999Z", "2028-03-01T00:00:00Z"),
        ("month", "2026-12-31T23:59:59.999999Z", "2027-01-01T00:00:00Z"),
        ("day", "2026-10-25T23:59:59.999999Z", "2026-10-26T00:00:00Z"),
    ],
)
def test_a_budget_begins_anew_at_the_first_moment_of_its_period(period: str, last: str, first: str) -> None:
    begun = last[:8] + ("01" if period == "month" else last[8:10]) + "T00:00:00Z"
    before, after = purse(period, begun, last), purse(period, begun, first)
    before.begin()
    after.begin()
    assert (before.spent_micros, before.period_start) == (100, datetime.fromisoformat(begun))
    assert (after.spent_micros, after.period_start) == (0, datetime.fromisoformat(first))
    assert [None if one is None else one.code for one in (before.refusal(1), after.refusal(1))] == [
        "budget_exceeded",
        None,
    ]


@pytest.mark.parametrize(
    ("period", "now", "price", "wait"),
    [
        ("day", "2026-02-28T23:59:30Z", 100, 31),
        ("day", "2026-02-28T23:00:00Z", 100, 3601),
        ("day", "2026-02-28T22:59:59Z", 100, None),
        ("day", "2026-02-28T23:59:30Z", 101, None),
        ("month", "2026-02-28T23:59:30Z", 1, 31),
        ("month", "2026-12-31T23:59:30Z", 1, 31),
        ("month", "2026-02-27T23:59:30Z", 1, None),
        (None, "2026-02-28T23:59:30Z", 1, None),
    ],
)
def test_a_budget_that_is_spent_says_when_to_come_again_only_where_that_is_soon_and_helps(
    period: str | None, now: str, price: int, wait: int | None
) -> None:
    spent = purse(period, now[:8] + "01T00:00:00Z" if period == "month" else now[:10] + "T00:00:00Z", now)
    refusal = spent.refusal(price)
    assert refusal is not None
    assert (refusal.code, refusal.parameters.get("retry_after_s")) == ("budget_exceeded", wait)


def test_a_budget_without_a_period_never_begins_anew() -> None:
    forever = purse(None, "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z")
    forever.begin()
    assert forever.spent_micros == 100


def test_a_clock_that_was_set_back_forgets_nothing_that_was_spent() -> None:
    back = purse("day", "2026-03-02T00:00:00Z", "2026-03-01T12:00:00Z")
    back.begin()
    assert (back.spent_micros, back.period_start) == (100, datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize("period", ["day", "month"])
async def test_what_was_spent_in_a_period_that_is_over_is_neither_shown_nor_counted(
    world: World, period: str
) -> None:
    accounts = Accounts(world.pool)
    await accounts.set("test", budget_micros=Setting(PRICE), budget_period=Setting(period))
    await world.ends.end(succeeded(await collecting(world)))
    assert (await world.accept(hold_micros=PRICE)).verdict is Verdict.REFUSED
    now = await world.pool.fetchval("select now()")
    account = await accounts.find("test")
    assert account is not None
    assert account.spent_micros == PRICE
    assert account.period_ends_at is not None
    assert now < account.period_ends_at <= now + timedelta(days=31)
    await pass_by(world, period)
    account = await accounts.find("test")
    assert account is not None
    assert account.spent_micros == 0
    assert await Ledger(world.pool).check() == []
    assert (await world.accept(hold_micros=PRICE)).verdict is Verdict.ACCEPTED
    assert await Ledger(world.pool).check() == []


async def test_a_film_is_spent_in_the_period_in_which_it_ends(world: World) -> None:
    accounts = Accounts(world.pool)
    await accounts.set("test", budget_micros=Setting(2 * PRICE), budget_period=Setting("day"))
    await world.ends.end(succeeded(await collecting(world)))
    claim = await collecting(world)
    await pass_by(world, "day")
    await world.ends.end(succeeded(claim))
    account = await accounts.find("test")
    assert account is not None
    assert (account.spent_micros, account.held_micros) == (PRICE, 0)
    assert await Ledger(world.pool).check() == []


async def test_a_period_that_is_set_counts_what_was_spent_in_it_before(world: World) -> None:
    accounts = Accounts(world.pool)
    await world.ends.end(succeeded(await collecting(world)))
    for period in ("month", "day", None):
        account = await accounts.set("test", budget_period=Setting(period))
        assert account is not None
        assert account.spent_micros == PRICE
        assert await Ledger(world.pool).check() == []


async def pass_by(world: World, period: str) -> None:
    """Let all that was booked, and the periods, have been a period ago."""
    step = f"interval '1 {period}'"
    for table in ("accounts", "keys"):
        await world.pool.execute(f"update {table} set period_start = period_start - {step}")  # noqa: S608  # our tables
    await world.pool.execute(f"update ledger set at = at - {step}")  # noqa: S608  # a unit of time


async def test_of_two_hundred_at_once_whose_balance_is_for_one_exactly_one_is_accepted(world: World) -> None:
    accounts = Accounts(world.pool)
    await accounts.set("test", credit_micros=Setting(0), max_running=Setting(None))
    await accounts.give(world.owner.account_id, PRICE, author="operator", reason="for one")
    # Four web processes: each has its own group commit.
    acceptors = [Acceptor(world.pool) for _ in range(4)]
    news = [
        replace(world.new(hold_micros=PRICE), id=ids.uuid7(datetime.now(UTC), SystemChance()))
        for _ in range(200)
    ]
    decisions = await asyncio.gather(*(acceptors[no % 4].accept(new) for no, new in enumerate(news)))
    verdicts = Counter((one.verdict, one.refusal and one.refusal.code) for one in decisions)
    assert verdicts == {(Verdict.ACCEPTED, None): 1, (Verdict.REFUSED, "insufficient_balance"): 199}
    [account] = await world.rows("select balance_micros, held_micros, unfinished from accounts")
    assert account == {"balance_micros": 0, "held_micros": PRICE, "unfinished": 1}
    assert await world.pool.fetchval("select count(*) from tasks") == 1
    assert await Ledger(world.pool).check() == []


async def test_a_key_that_has_run_out_reads_for_seven_days_more_and_then_is_nobodys(pool: Pool) -> None:
    keys = Keys(pool, [b"pepper"])
    key_id = await keys.create("sk-old", name="old", account="test")
    for ago, found in (
        ("-1 second", "lives"),
        ("1 second", "expired"),
        ("167 hours", "expired"),
        ("169 hours", None),
    ):
        await pool.execute(f"update keys set expires_at = now() - interval '{ago}'")  # noqa: S608  # ours
        for owner in (await keys.owner("sk-old"), await keys.standing(key_id)):
            said = None if owner is None else "expired" if owner.expired else "lives"
            assert said == found, ago
    await pool.execute("update keys set expires_at = now() + interval '1 day', revoked_at = now()")
    assert await keys.owner("sk-old") is None
    assert await keys.standing(key_id) is None


async def test_an_operators_key_that_has_run_out_is_nobodys_at_once(pool: Pool) -> None:
    keys = Keys(pool, [b"pepper"])
    await keys.create("sk-chief", name="chief", account=None)
    await pool.execute("update keys set expires_at = now() - interval '1 second'")
    assert await keys.owner("sk-chief") is None


async def test_what_may_be_spent_is_told_anew_with_its_period(world: World, pool: Pool) -> None:
    for table in ("accounts", "keys"):
        await pool.execute(
            f"update {table} set budget_micros = 5, budget_period = 'day', spent_micros = 5, "  # noqa: S608  # two names of this test
            "period_start = now() - interval '2 days'"
        )
    account, key = await Accounts(pool).of_owner(world.owner.account_id, world.owner.key_id)
    assert account is not None
    assert key is not None
    assert (account.spent_micros, key.spent_micros) == (0, 0)
    assert (await world.accept(hold_micros=5)).verdict is Verdict.ACCEPTED


async def test_what_was_held_for_a_key_and_given_back_is_summed_for_its_period(world: World) -> None:
    await sound_books(world)
    assert await Accounts(world.pool).returned_micros(world.owner.key_id) == PRICE


async def test_what_is_refused_or_repeated_writes_to_no_account_and_no_key(world: World) -> None:
    async def places() -> list[object]:
        found = "select ctid::text from accounts union all select ctid::text from keys"
        return [row["ctid"] for row in await world.rows(found)]

    await Accounts(world.pool).set("test", budget_micros=Setting(5))
    remember = Remember("one", timedelta(hours=24))
    assert (await world.accept(hold_micros=5, remember=remember)).verdict is Verdict.ACCEPTED
    before = await places()
    assert (await world.accept(hold_micros=5)).verdict is Verdict.REFUSED
    assert (await world.accept(hold_micros=5, remember=remember)).verdict is Verdict.REPLAYED
    assert await places() == before


async def test_a_gift_with_a_key_is_given_once_however_many_ask_at_once(world: World, pool: Pool) -> None:
    accounts, id_ = Accounts(pool), world.owner.account_id

    async def give(key: str | None, micros: int = 5) -> Given:
        return await accounts.give(id_, micros, author="operator", reason="paid", key=key)

    given = await asyncio.gather(*(give("one") for _ in range(5)))
    assert sorted((one.balance_micros, one.replayed) for one in given) == [(5, False)] + [(5, True)] * 4
    assert await give(None) == Given(10)
    assert await give("one") == Given(5, replayed=True)
    with pytest.raises(GiftMismatchError):
        await give("one", 6)
    await pool.execute("update idempotency set created_at = now() - interval '25 hours'")
    assert await give("one", 6) == Given(16)
    assert await Ledger(pool).check() == []
