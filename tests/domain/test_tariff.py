"""Prices and costs as operators write them, and which of them holds when."""

import tomllib
from datetime import UTC, date, datetime
from typing import Any

import pytest

from filmgate.domain.catalogue import BadCatalogueError, read_catalogue
from filmgate.domain.cost import CostList, CostRow
from filmgate.domain.lines import line_of
from filmgate.domain.price import PriceList, PriceRow
from filmgate.domain.size import Size
from filmgate.domain.tariff import read_cost, read_price, repeated

HD = Size(1280, 720)
FULL_HD = Size(1920, 1080)


def row(text: str) -> dict[str, Any]:
    return tomllib.loads(text)


def price(models: str, since: str, micros: int) -> PriceRow:
    return PriceRow(models, date.fromisoformat(since), {720: micros}, {})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


GOOD = 'models = "veo3*"\nsince = 2026-02-01\n'


def test_a_price_is_read_in_whole_micro_dollars() -> None:
    said = GOOD + "per_second = { 720p = 0.10, 2160p = 0.123456 }\nsilent = { 720p = 0 }"
    assert read_price(row(said)) == PriceRow(
        "veo3*", date(2026, 2, 1), {720: 100_000, 2160: 123_456}, {720: 0}
    )


@pytest.mark.parametrize(
    ("said", "says"),
    [
        (GOOD, "`per_second` is missing"),
        ("per_second = { 720p = 0.1 }\nsince = 2026-02-01", "`models` must name a model"),
        ('models = "a"\nper_second = { 720p = 0.1 }', "`since` must be a day without quotes"),
        (
            'models = "a"\nsince = "2026-02-01"\nper_second = { 720p = 0.1 }',
            "such as 2026-01-31, not '2026-02-01'",
        ),
        ('models = "a"\nsince = 2026-02-01T00:00:00Z\nper_second = { 720p = 0.1 }', "`since` must be a day"),
        (GOOD + "per_second = 0.1", "`per_second` must be a table"),
        (GOOD + "per_second = { 720p = -0.1 }", "`per_second.720p` must be 0 to 100 dollars, not -0.1"),
        (GOOD + "per_second = { 720p = 4000 }", "must be 0 to 100 dollars, not 4000"),
        (GOOD + "per_second = { 720p = nan }", "must be 0 to 100 dollars, not nan"),
        (GOOD + "per_second = { 720p = inf }", "must be 0 to 100 dollars, not inf"),
        (GOOD + 'per_second = { 720p = "0.1" }', "must be a number of dollars without quotes"),
        (GOOD + "per_second = { 720p = true }", "must be a number of dollars"),
        (GOOD + "per_second = { 720p = 0.0000001 }", "at most six digits behind the point"),
        (GOOD + "per_second = { 721p = 0.1 }", "there is no resolution `721p`"),
        (GOOD + "per_second = { 4K = 0.1 }", "there is no resolution `4K`: `2160p` is the right spelling"),
        (GOOD + "per_second = { 1080 = 0.1 }", "`1080p` is the right spelling"),
        (GOOD + "per_second = { 720P = 0.1 }", "`720p` is the right spelling"),
        (
            GOOD + "per_seconds = { 720p = 0.1 }",
            "there is no `per_seconds`: `per_second` is the right spelling",
        ),
        (
            GOOD + "per_second = { 720p = 0.1 }\nsilent = { 1080p = 0.1 }",
            "`silent` has 1080p, which `per_second` has not",
        ),
    ],
)
def test_a_price_that_cannot_be_meant_is_refused_with_what_would_be_right(said: str, says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # its text is what is held
        read_price(row(said))
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("", "`per_second` or `per_clip` must say what it costs"),
        ("per_clip = -1", "`per_clip` must be 0 to 10000 dollars, not -1"),
        ("per_clip = 20000", "`per_clip` must be 0 to 10000 dollars, not 20000"),
        ("per_clip = 1\nper_film = 2", "there is no `per_film`"),
        ("per_clip = 1\nsilent = { 720p = 0.1 }", "`silent` has 720p"),
    ],
)
def test_a_cost_that_cannot_be_meant_is_refused_too(said: str, says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # its text is what is held
        read_cost(row(said))
    assert says in str(caught.value)


def test_a_cost_is_by_the_clip_by_the_second_or_both() -> None:
    both = read_cost(
        row("per_clip = 0.30\nper_second = { 720p = 0.05, 1080p = 0.08 }\nsilent = { 720p = 0.04 }")
    )
    assert [
        both.of_clip(HD, 8, sound=True),
        both.of_clip(HD, 8, sound=False),
        both.of_clip(FULL_HD, 8, sound=True),
    ] == [700_000, 620_000, 940_000]
    costs = CostList([both, CostRow("veo3*", date(2026, 7, 1), per_clip_micros=5)])
    assert costs.of_clip("veo3-fast", HD, 8, sound=True, at=at("2026-06-30T23:59:59.999999")) == 700_000
    assert costs.of_clip("veo3-fast", HD, 8, sound=True, at=at("2026-07-01T00:00:00")) == 5
    assert CostList().of_clip("veo3-fast", HD, 8, sound=True, at=at("2026-07-01")) is None


def test_a_price_holds_from_the_first_moment_of_its_day_and_the_former_until_then() -> None:
    prices = PriceList([price("a*", "2026-03-01", 2), price("a*", "2026-01-01", 1)])
    found = [prices.row("a1", at(moment)) for moment in (
        "2025-12-31T23:59:59.999999", "2026-01-01T00:00:00", "2026-02-28T23:59:59.999999", "2026-03-01T00:00:00",
    )]  # fmt: skip
    assert [None if one is None else one.per_second[720] for one in found] == [None, 1, 1, 2]


def test_the_most_specific_pattern_decides_and_of_its_rows_the_latest() -> None:
    prices = PriceList([
        price("veo3-fast", "2025-01-01", 1), price("veo3*", "2026-01-01", 2), price("veo3-fast*", "2026-05-01", 3),
        price("*", "2026-06-01", 4),
    ])  # fmt: skip
    now = at("2026-08-01")
    found = [prices.row(model, now) for model in ("veo3-fast", "veo3-fast-hd", "veo3", "sora-2")]
    assert [None if one is None else one.per_second[720] for one in found] == [1, 3, 2, 4]


def test_the_prices_to_come_are_those_that_will_decide() -> None:
    prices = PriceList([
        price("veo3", "2025-01-01", 1), price("veo*", "2026-03-01", 2), price("veo3", "2026-04-01", 3),
        price("veo3", "2026-02-01", 4),
    ])  # fmt: skip
    coming = prices.coming("veo3", at("2026-01-15"))
    assert [(one.since.isoformat(), one.per_second[720]) for one in coming] == [
        ("2026-02-01", 4),
        ("2026-04-01", 3),
    ]
    assert prices.coming("veo3", at("2026-04-01")) == []


def test_two_rows_from_one_day_for_the_same_models_are_found() -> None:
    rows = [price("a", "2026-01-01", 1), price("b", "2026-01-01", 1), price("a", "2026-01-01", 2)]
    found = repeated(rows)
    assert found is not None
    assert (found[0], "`a` has another row from 2026-01-01" in found[1]) == (2, True)
    assert repeated(rows[:2]) is None


def test_a_catalogue_names_the_line_of_a_price_that_cannot_be_meant() -> None:
    row_of = 'models = "a"\nsince = 2026-01-01\nper_second = {{ 720p = {} }}\n'
    text = f"# mine\n[[prices]]\n{row_of.format(0.1)}\n [[ prices ]]\n{row_of.format(0.2)}"
    with pytest.raises(BadCatalogueError, match="line 7: prices: `a` has another row"):
        read_catalogue([text])
    with pytest.raises(BadCatalogueError, match=r"line 7: prices: `per_second\.720p` must be"):
        read_catalogue([text.replace("0.2", "-2")])


def test_prices_in_the_settings_stand_over_those_of_the_catalogue() -> None:
    text = '[[prices]]\nmodels = "a"\nsince = 2026-01-01\nper_second = { 720p = 0.1 }\n'
    found = read_catalogue([text], [price("a", "2026-01-01", 7)]).prices.row("a", at("2026-01-02"))
    assert found is not None
    assert found.per_second == {720: 7}


def test_a_table_without_a_header_of_its_own_is_looked_for_from_the_top() -> None:
    assert line_of('prices = [{ models = "a" }]', "prices", 0) == 1
