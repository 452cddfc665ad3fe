"""Between any two effects there is a failpoint, so that a test may kill whatever runs just there."""

from collections import Counter
from pathlib import Path

import pytest

from filmgate.domain.failpoint import POINTS
from kit.effects import Rules, failpoints_of, walk

SOURCES = Path(__file__).parents[2] / "src" / "filmgate"
RULES = {
    # Transactions, requests to vendors, receivers and word servers, and writes of objects.
    "engine": Rules(
        receivers=frozenset(
            [
                "able",
                "acceptor",
                "claims",
                "credentials",
                "decisions",
                "deliveries",
                "endpoints",
                "ends",
                "enhancer",
                "files",
                "moves",
                "named[1]",
                "objects",
                "post",
                "provider",
                "quotes",
                "starts",
                "upkeep",
                "wishes",
            ]
        ),
        reads=frozenset(
            [
                *("stream", "inputs", "due_for_removal", "find", "page", "fetch", "poll", "now"),
                *("rooms", "models", "next", "failed", "stranded", "strays_by_default"),
                # Lists of this name are no store.
                "append",
                # A sign of life and a longer lease change nothing but time, and come from beside the steps.
                *("beat", "renew"),
                # A place among the tests of webhooks goes back by itself after a while, whoever died.
                *("begin_test", "end_test"),
                # Whoever claims or takes writes who owns it from then on, and the step begins behind a failpoint.
                *(
                    "due",
                    "claim",
                    "begin",
                    "release_lost",
                    "put_back",
                    "blame",
                    "overdue",
                    "left",
                    "callbacks",
                    "softer",
                ),
            ]
        ),
        calls=frozenset(["chore", "write"]),
    ),
    "objects": Rules(
        receivers=frozenset(["s3", "_s3", "destination"]),
        reads=frozenset(["uploads", "parts", "size", "stream", "close", "abort"]),
        calls=frozenset(),
    ),
}


@pytest.mark.parametrize("room", RULES)
def test_no_two_effects_stand_without_a_failpoint_between(room: str) -> None:
    assert walk(RULES[room], SOURCES / room) == set()


def test_each_failpoint_stands_in_one_place_and_in_the_list() -> None:
    assert Counter(failpoints_of(SOURCES)) == Counter(POINTS)


def test_two_effects_in_a_row_are_seen_on_every_way(tmp_path: Path) -> None:
    """The reading itself is put to the test: a loop, an error, a branch and another function."""
    (tmp_path / "one.py").write_text(
        """
from room.two import written

async def looping(parts):
    for _ in parts:
        await parts.moves.make()

async def failing(parts):
    try:
        await parts.moves.make()
    except OSError:
        await parts.ends.end()

async def branching(parts, odd):
    if odd:
        await parts.moves.make()
    else:
        await failpoint("one.odd")
    await written(parts)

async def fine(parts):
    await parts.moves.make()
    await failpoint("one.made")
    await parts.reader.find()
    await written(parts)
"""
    )
    (tmp_path / "two.py").write_text("async def written(parts):\n    await parts.ends.end()\n")
    rules = Rules(frozenset(["moves", "ends", "reader"]), frozenset(["find"]), frozenset())
    assert walk(rules, tmp_path) == {
        "one.looping: make, make",
        "one.failing: make, end",
        "two.written: make, end",
    }
