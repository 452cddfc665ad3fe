"""What is charged of a price, by what came of the film."""

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from filmgate.domain.charge import charge
from filmgate.domain.film import FilmFacts
from filmgate.domain.price import Line, PriceList, PriceRow
from filmgate.domain.size import Size
from filmgate.domain.states import State
from filmgate.domain.task import Film
from kit.films import film_request, task

PRICES = PriceList([PriceRow("sora-2", date(2025, 1, 1), {720: 100_000, 1080: 300_000}, {})])
NOW = datetime(2025, 6, 1, tzinfo=UTC)
FACTS = FilmFacts("h264", 720, 1280, 24.0, 24, 1.0, "aac", 48000, 5, faststart=True)
ID = UUID(int=1)


def film(*files: str) -> Film:
    return Film(FACTS, dict.fromkeys(["video", *files], ID))


@pytest.mark.parametrize(
    ("state", "made", "lines"),
    [
        (State.SUCCEEDED, film("first"), [(1, 300_000, "1080x1920"), (2, 300_000, "1080x1920")]),
        (State.SUCCEEDED, film("source"), [(1, 300_000, "1080x1920"), (2, 300_000, "1080x1920")]),
        (State.SUCCEEDED, film(), [(1, 100_000, "720x1280"), (2, 100_000, "720x1280")]),
        (State.FAILED, film(), [(1, 100_000, "720x1280")]),
        (State.FAILED, None, []),
    ],
)
def test_what_is_delivered_is_paid_at_the_size_in_which_it_is_there(
    state: State, made: Film | None, lines: list[tuple[int, int, str]]
) -> None:
    asked = film_request("x", clips=(8, 7), prompt_extend="y", upsample_to=Size(1080, 1920))
    price = PRICES.price(asked, NOW)
    assert [(line.unit_price_micros, line.size) for line in price.lines] == [(300_000, "1080x1920")] * 2
    assert type(price).from_json(price.as_json()) == price
    told = charge(task("t", request=asked, price=price), state, made)
    assert [(line.clip, line.unit_price_micros, line.size) for line in told] == lines


def test_a_price_of_before_sizes_were_told_is_charged_as_it_stands() -> None:
    line = Line.from_json(
        {
            "what": "clip 1",
            "clip": 1,
            "quantity": 8,
            "unit": "second",
            "unit_price_micros": 5,
            "amount_micros": 40,
        }
    )
    asked = film_request("x", upsample_to=Size(1080, 1920))
    old = task("t", request=asked, price=replace(PRICES.price(asked, NOW), lines=(line,)))
    assert [one.amount_micros for one in charge(old, State.SUCCEEDED, film())] == [40]
