"""Pure decisions of the engine: who makes a film, and how long to wait."""

from datetime import timedelta
from typing import Any

import pytest

from filmgate.domain.contracts_provider import Power
from filmgate.domain.limits import COLLECT_OVER, COLLECT_TRIES
from filmgate.domain.request import Picture, PictureRole
from filmgate.engine.backoff import after_attempt, after_collect, after_question, between_polls
from filmgate.engine.route import Access, Router, RouteRule, Via, Wish
from filmgate.store.credentials import Room
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
    replays = None
    powers: frozenset[Power] = frozenset()


class Artist(Nobody):
    powers = frozenset({Power.LAST_FRAME})


def access(name: str, credential_id: int, provider: object | None = None) -> Access:
    return Access(name, credential_id, provider or Nobody())  # type: ignore[arg-type]  # never asked here


ANIMATIC = access("animatic", 0)
A, B1, B2 = access("a", 1), access("b", 21), access("b", 22)
OPEN = {id_: Room(10, shut=False) for id_ in (0, 1, 21, 22, 3)}
FULL, SHUT = Room(0, shut=False), Room(0, shut=True)

RULES = (
    RouteRule("*", (Via("b", "anything"),)),
    RouteRule("sora-2*", (Via("a", "sora", 3), Via("b", "sora-b", 1))),
    RouteRule("sora-2-pro", (Via("b", "pro"),)),
)
IN_TURN = RouteRule("veo3", (Via("a", "veo", order=1), Via("b", "veo-b", order=2)))


def router(*rules: RouteRule, accesses: tuple[Access, ...] = (ANIMATIC, A, B1, B2)) -> Router:
    return Router(rules, accesses)


def wish(model: str, **wanted: Any) -> Wish:
    return Wish(**{"request": film_request("x", model=model), "failed": {}, **wanted})


def chosen(router: Router, wish: Wish, rooms: dict[int, Room], share: float = 0.0) -> int | None:
    line = router.choose(wish, OPEN | rooms, Dice(share))
    return None if line is None else line.credential_id


@pytest.mark.parametrize(
    ("model", "lines"),
    [
        ("sora-2-pro", [("b", "pro", 21), ("b", "pro", 22)]),
        ("sora-2-hd", [("a", "sora", 1), ("b", "sora-b", 21), ("b", "sora-b", 22)]),
        ("veo3", [("b", "anything", 21), ("b", "anything", 22)]),
        ("animatic", [("animatic", "animatic", 0)]),
    ],
)
def test_the_most_specific_route_wins_with_every_credential(
    model: str, lines: list[tuple[str, str, int]]
) -> None:
    found = router(*RULES).lines(model)
    assert [(line.provider_name, line.model, line.credential_id) for line in found] == lines


def test_a_way_without_a_name_of_its_own_asks_for_the_model_that_was_asked_for() -> None:
    found = router(RouteRule("sora-2*", (Via("a"),))).lines("sora-2-pro")
    assert [line.model for line in found] == ["sora-2-pro"]


@pytest.mark.parametrize(("share", "id_"), [(0.0, 1), (0.74, 1), (0.76, 22), (0.999, 22)])
def test_a_provider_is_drawn_by_its_weight_whatever_its_credentials_are(share: float, id_: int) -> None:
    assert chosen(router(*RULES), wish("sora-2"), {21: Room(0, shut=False)}, share) == id_


@pytest.mark.parametrize(("share", "id_"), [(0.0, 21), (0.8, 21), (0.95, 22)])
def test_of_a_providers_credentials_the_one_with_more_room_is_drawn_more_often(
    share: float, id_: int
) -> None:
    rooms = {21: Room(9, shut=False), 22: Room(1, shut=False)}
    assert chosen(router(*RULES), wish("sora-2-pro"), rooms, share) == id_


@pytest.mark.parametrize(
    ("rooms", "waited_s", "failed", "id_"),
    [
        ({}, 0, {}, 1),
        ({1: FULL}, 0, {}, None),
        ({1: FULL}, 29, {}, None),
        ({1: FULL}, 31, {}, 21),
        ({1: SHUT}, 0, {}, 21),
        ({1: SHUT, 21: SHUT, 22: SHUT}, 99, {}, None),
        ({}, 0, {1: 1}, 21),
        ({21: SHUT}, 0, {1: 1}, 22),
        ({}, 0, {1: 1, 21: 1}, 22),
        ({}, 0, {1: 1, 21: 1, 22: 1}, 1),
        ({}, 0, {1: 2, 21: 1, 22: 2}, 21),
        ({21: SHUT, 22: SHUT}, 0, {1: 1}, 1),
        ({21: FULL, 22: SHUT}, 0, {1: 1}, None),
    ],
)
def test_a_way_of_a_higher_order_is_taken_when_those_of_a_lower_one_cannot_be_had(
    rooms: dict[int, Room], waited_s: int, failed: dict[int, int], id_: int | None
) -> None:
    wanted = wish("veo3", waited=timedelta(seconds=waited_s), failed=failed)
    assert chosen(router(IN_TURN), wanted, rooms) == id_


@pytest.mark.parametrize(
    ("rooms", "failed", "id_"),
    [({}, {}, 21), ({21: FULL}, {}, None), ({21: SHUT}, {}, 1), ({}, {21: 1}, 1)],
)
def test_who_made_the_film_before_goes_on_with_it_where_that_can_be(
    rooms: dict[int, Room], failed: dict[int, int], id_: int | None
) -> None:
    assert chosen(router(IN_TURN), wish("veo3", preferred=21, failed=failed), rooms) == id_


def test_nothing_is_left_once_every_credential_has_failed_twice() -> None:
    made = router(IN_TURN)
    assert made.remains(wish("veo3", failed={1: 2, 21: 2, 22: 1}))
    assert not made.remains(wish("veo3", failed={1: 2, 21: 2, 22: 2}))


def test_only_those_are_asked_who_can_do_what_is_wanted() -> None:
    rule = RouteRule("veo3", (Via("a", "veo"), Via("artist", "veo-a")))
    pictured = film_request("x", model="veo3", pictures=(Picture(PictureRole.LAST, "last_image"),))
    made = router(rule, accesses=(A, access("artist", 3, Artist())))
    assert chosen(made, wish("veo3", request=pictured), {}, 0.0) == 3
    assert made.serves(pictured)
    assert not router(rule, accesses=(A,)).serves(pictured)


def test_without_a_real_provider_the_animatic_draws_every_model_and_with_one_no_other() -> None:
    sandbox = router(accesses=(ANIMATIC,))
    assert [(line.provider_name, line.model) for line in sandbox.lines("veo3")] == [("animatic", "veo3")]
    assert router(RULES[1]).lines("veo3") == []


def test_models_that_wait_for_the_same_credentials_are_named_together() -> None:
    made = router(RULES[1], IN_TURN, RouteRule("kling*", (Via("animatic", "k"),)))
    models = ["animatic", "kling-1", "sora-2", "veo3"]
    assert made.sharing("veo3", models) == ["veo3", "sora-2"]
    assert made.sharing("kling-1", models) == ["kling-1", "animatic"]


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
