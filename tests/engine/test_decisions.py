"""Pure decisions of the engine: who makes a film, and how long to wait."""

from datetime import timedelta

import pytest

from filmgate.domain.contracts_provider import Power, Provider
from filmgate.domain.limits import COLLECT_OVER, COLLECT_TRIES
from filmgate.engine.backoff import after_attempt, after_collect, after_question, between_polls
from filmgate.engine.route import Router, RouteRule, Via
from kit.films import film_request


class Dice:
    """Chance that is known beforehand."""

    def __init__(self, share: float) -> None:
        self._share = share

    def bytes(self, count: int) -> bytes:
        return bytes(count)

    def share(self) -> float:
        return self._share


class Nobody:
    replays = False
    powers: frozenset[Power] = frozenset()


def router(*rules: RouteRule, names: tuple[str, ...] = ("animatic", "a", "b")) -> Router:
    providers: dict[str, Provider] = {name: Nobody() for name in names}  # type: ignore[misc]  # never asked here
    return Router(rules, providers, {name: number for number, name in enumerate(names)})


RULES = (
    RouteRule("*", (Via("b", "anything"),)),
    RouteRule("sora-2*", (Via("a", "sora", 3), Via("b", "sora-b", 1))),
    RouteRule("sora-2-pro", (Via("b", "pro"),)),
)


@pytest.mark.parametrize(
    ("model", "lines"),
    [
        ("sora-2-pro", [("b", "pro")]),
        ("sora-2-hd", [("a", "sora"), ("b", "sora-b")]),
        ("veo3", [("b", "anything")]),
        ("animatic", [("animatic", "animatic")]),
    ],
)
def test_the_most_specific_route_wins(model: str, lines: list[tuple[str, str]]) -> None:
    assert [(line.provider_name, line.model) for line in router(*RULES).lines(model)] == lines


@pytest.mark.parametrize(("share", "name"), [(0.0, "a"), (0.74, "a"), (0.76, "b"), (0.999, "b")])
def test_lines_are_chosen_by_weight(share: float, name: str) -> None:
    line = router(*RULES).choose(film_request("x", model="sora-2"), Dice(share))
    assert line is not None
    assert line.provider_name == name


def test_a_failed_credential_is_left_out() -> None:
    line = router(*RULES).choose(film_request("x", model="sora-2"), Dice(0.0), without=frozenset({1}))
    assert line is not None
    assert line.provider_name == "b"
    assert (
        router(RULES[2]).choose(film_request("x", model="sora-2-pro"), Dice(0.0), without=frozenset({2}))
        is None
    )


def test_without_a_real_provider_the_animatic_draws_every_model_and_with_one_no_other() -> None:
    sandbox = router(names=("animatic",)).choose(film_request("x", model="veo3"), Dice(0.5))
    assert sandbox is not None
    assert (sandbox.provider_name, sandbox.model) == ("animatic", "veo3")
    assert router(RULES[1]).choose(film_request("x", model="veo3"), Dice(0.5)) is None


def test_waits_grow_and_have_an_end() -> None:
    assert [after_question(tries).total_seconds() for tries in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    assert [after_attempt(no).total_seconds() for no in (1, 2, 3)] == [1, 4, 16]
    waits = [after_collect(tries) for tries in range(COLLECT_TRIES - 1)]
    assert waits == sorted(waits)
    assert abs(sum(waits, timedelta(0)) - COLLECT_OVER) < timedelta(minutes=5)


def test_polls_are_asked_as_the_vendor_wants_or_slower_and_slower() -> None:
    assert between_polls(timedelta(seconds=5), timedelta(seconds=9), Dice(0.5)) == timedelta(seconds=9)
    paces = [timedelta(seconds=5)]
    for _ in range(20):
        paces.append(between_polls(paces[-1], None, Dice(0.5)))
    assert paces == sorted(paces)
    assert paces[-1] == timedelta(seconds=30)
