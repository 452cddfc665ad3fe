"""Prices and costs hold by the database's days, whatever the clock of a node says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from filmgate.domain.catalogue import read_catalogue
from filmgate.domain.cost import CostList, CostRow
from filmgate.domain.price import PriceList, PriceRow
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft
from filmgate.engine.accept import Acceptance, Repeat
from filmgate.engine.route import Access, Router, RouteRule, Via
from filmgate.engine.sources import Sources
from filmgate.net.guard import Guard, GuardRules
from filmgate.store.pool import Pool
from filmgate.store.quotes import Quotes
from filmgate.store.read import Reader
from filmgate.world import SystemChance, SystemClock
from kit.engines import Engine, Vendor, make_engine
from kit.houses import nobody
from kit.worlds import World, make_world

MONTH = timedelta(days=30)
RULES = [RouteRule("sora-2", (Via("a", "m"),))]
DRAFT = Draft(model="sora-2", prompt="a boat", seconds="4", size="1280x720")
wrong_clocks = pytest.mark.parametrize(
    "by", [-400 * MONTH, -2 * MONTH, 2 * MONTH], ids=["ages ago", "back", "ahead"]
)


class Wrong(SystemClock):
    """A clock that somebody has set; time goes on from there."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by


def versions() -> list[tuple[date, int]]:
    """Give what a second costs from which day on: the second of these holds today."""
    today = datetime.now(UTC).date()
    return [(today - 3 * MONTH, 10), (today - MONTH, 20), (today + MONTH, 40)]


def acceptance(world: World, engine: Engine, by: timedelta) -> Acceptance:
    catalogue = read_catalogue([files("filmgate").joinpath("catalogue.toml").read_text("utf-8")])
    catalogue.prices = PriceList([PriceRow("sora-2", since, {720: unit}, {}) for since, unit in versions()])
    guard = Guard(GuardRules(), nobody)
    return Acceptance(
        catalogue=catalogue,
        router=engine.parts.router,
        acceptor=world.acceptor,
        quotes=Quotes(world.pool),
        sources=Sources(Reader(world.pool), SystemClock()),
        objects=engine.parts.objects,
        guard=guard,
        callback_guard=guard,
        clock=Wrong(by),
        chance=SystemChance(),
    )


@wrong_clocks
async def test_a_node_whose_clock_is_wrong_takes_todays_price(
    pool: Pool, tmp_path: Path, by: timedelta
) -> None:
    world = await make_world(pool)
    engine = await make_engine(pool, tmp_path / "engine", {("a", "A"): Vendor()}, RULES)
    gate = acceptance(world, engine, by)
    task, _ = await gate.accept(
        DRAFT, owner=world.owner, dialect="openai", names={"id": "video_{hex:48}"}, repeat=Repeat()
    )
    quoted = await gate.quote(DRAFT, owner=world.owner, dialect="openai")
    for price in (task.price, quoted.priced.price):
        assert (price.amount_micros, price.since) == (80, versions()[1][0].isoformat())
    assert task.hold_micros == 80


async def test_what_has_no_price_today_is_not_sold_though_a_wrong_clock_finds_one(
    pool: Pool, tmp_path: Path
) -> None:
    world = await make_world(pool)
    engine = await make_engine(pool, tmp_path / "engine", {("a", "A"): Vendor()}, RULES)
    gate = acceptance(world, engine, 2 * MONTH)
    gate.catalogue.prices = PriceList([PriceRow("sora-2", versions()[2][0], {720: 40}, {})])
    with pytest.raises(Problem) as caught:
        await gate.accept(
            DRAFT, owner=world.owner, dialect="openai", names={"id": "video_{hex:48}"}, repeat=Repeat("one")
        )
    assert (caught.value.code, caught.value.field) == ("no_price", "model")
    assert await world.rows("select * from tasks") == []
    assert await world.rows("select * from idempotency") == []


@wrong_clocks
async def test_a_node_whose_clock_is_wrong_books_todays_cost(
    pool: Pool, tmp_path: Path, by: timedelta
) -> None:
    world = await make_world(pool)
    vendor = Vendor()
    engine = await make_engine(pool, tmp_path / "engine", {("a", "A"): vendor}, RULES)
    costs = CostList([CostRow("*", since, unit) for since, unit in versions()])
    access = Access("a", engine.ids["a", "A"], vendor, costs)
    engine.parts = replace(engine.parts, clock=Wrong(by), router=Router(RULES, [access]))
    await acceptance(world, engine, by).accept(
        DRAFT, owner=world.owner, dialect="openai", names={"id": "video_{hex:48}"}, repeat=Repeat()
    )
    assert await engine.started() == 1
    assert await world.rows("select list_cost_micros from attempts") == [{"list_cost_micros": 20}]
