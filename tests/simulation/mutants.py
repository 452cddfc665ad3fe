"""Bugs to plant: a checker that cannot fail proves nothing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from filmgate.engine import accept, end, prepare, reconcile
from filmgate.engine.parts import Parts
from filmgate.store import announce, ends, moves, read
from filmgate.store.ends import End, Ends
from filmgate.store.upkeep import Upkeep
from filmgate.store.work import Claim

Change = tuple[object, str, object]


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is put in the place of what, and the rules that may be the ones to notice."""

    rules: frozenset[str]
    plant: Callable[[], Sequence[Change]]


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """Plant a bug for as long as the block lasts."""
    changes = () if name is None else MUTANTS[name].plant()
    right = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in changes]
    for owner, attribute, wrong in changes:
        setattr(owner, attribute, wrong)
    try:
        yield
    finally:
        for owner, attribute, value in right:
            setattr(owner, attribute, value)


def _blind_resend() -> Sequence[Change]:
    """A lost reply is taken for proof that nothing was begun."""

    async def look(*_: object) -> None:
        raise reconcile._Absent

    return [(reconcile, "_look", look)]


def _hasty_look() -> Sequence[Change]:
    """A vendor that shows no job yet is believed."""
    return [(reconcile, "_visible_by", lambda *_: True)]


def _no_fence() -> Sequence[Change]:
    """Whoever had a step once may write for ever."""

    async def fenced(_: object, claims: Sequence[Claim]) -> set[moves.Fence]:
        return {(claim.task_id, claim.fence) for claim in claims}

    return [(moves, "fenced", fenced), (ends, "fenced", fenced)]


def _intent_after_sending() -> Sequence[Change]:
    """The vendor is asked before anybody has written that it is."""
    right = prepare._send

    async def send(parts: Parts, claim: Claim, line: Any, clip: Any) -> None:
        await line.provider.submit(clip, f"{claim.task_id}.{claim.clip_no}.{clip.attempt}")
        await right(parts, claim, line, clip)

    return [(prepare, "_send", send)]


def _charged_for_nothing() -> Sequence[Change]:
    return [(end, "_cost", lambda ending: ending.claim.task.hold_micros)]


def _lost_release() -> Sequence[Change]:
    """What was held and not spent is booked back, and never reaches the balance."""
    return [(ends, "_END", ends._END.replace("p.balance_micros + s.back", "p.balance_micros"))]


def _double_capture() -> Sequence[Change]:
    """A film is charged twice, in books that balance."""
    return [
        (
            ends,
            "_END",
            ends._END.replace("'revenue', task.cost_micros)", "'revenue', 2 * task.cost_micros)").replace(
                "task.hold_micros - task.cost_micros)", "task.hold_micros - 2 * task.cost_micros)"
            ),
        )
    ]


def _webhook_before_commit() -> Sequence[Change]:
    """Receivers are told of an end that may never come to be."""
    right, tell = Ends._write, announce.announce

    async def write(self: Ends, batch: Sequence[End]) -> Sequence[bool]:
        async with self._pool.acquire() as connection, connection.transaction():
            await tell(connection, [(one.claim.task, one.state) for one in batch])
        return await right(self, batch)

    return [(Ends, "_write", write), (ends, "announce", _nothing)]


def _webhook_after_commit() -> Sequence[Change]:
    """Nobody is told, where the engine dies between an end and its announcement."""
    right, tell = Ends._write, announce.announce

    async def write(self: Ends, batch: Sequence[End]) -> Sequence[bool]:
        owned = await right(self, batch)
        async with self._pool.acquire() as connection, connection.transaction():
            await tell(
                connection,
                [(one.claim.task, one.state) for one, mine in zip(batch, owned, strict=True) if mine],
            )
        return owned

    return [(Ends, "_write", write), (ends, "announce", _nothing)]


def _forgotten_repeats() -> Sequence[Change]:
    return [(accept.Repeat, "memory", lambda *_: None)]


def _no_repair() -> Sequence[Change]:
    """A task that lost its work row is forgotten."""
    return [(Upkeep, "repair", _no)]


def _kept_slots() -> Sequence[Change]:
    return [(moves, "_GIVE_BACK", moves._GIVE_BACK.replace("- r.n", "- 0 * r.n"))]


def _progress_back() -> Sequence[Change]:
    wrong = moves._SHOW.replace(
        "greatest(t.progress, least(coalesce(r.progress, 0), 99))", "coalesce(r.progress, 0)"
    )
    return [(moves, "_SHOW", wrong.replace("t.progress < least(coalesce(r.progress, 0), 99)", "true"))]


def _anybodys_tasks() -> Sequence[Change]:
    return [(read, "_FIND", read._FIND.replace("and t.account_id = r.account_id", ""))]


async def _nothing(*_: object) -> None:
    return


async def _no(*_: object) -> int:
    return 0


def _caught_by(rules: str, plant: Callable[[], Sequence[Change]]) -> Mutant:
    return Mutant(frozenset(rules.split()), plant)


MUTANTS: Final[Mapping[str, Mutant]] = {
    "blind_resend": _caught_by("I3", _blind_resend),
    "hasty_look": _caught_by("I3", _hasty_look),
    "no_fence": _caught_by("I2 I3 I4 I5 I6 I8", _no_fence),
    "intent_after_sending": _caught_by("I2", _intent_after_sending),
    "charged_for_nothing": _caught_by("I5 I8", _charged_for_nothing),
    "double_capture": _caught_by("I5", _double_capture),
    "lost_release": _caught_by("I6", _lost_release),
    "webhook_before_commit": _caught_by("I9", _webhook_before_commit),
    "webhook_after_commit": _caught_by("I9", _webhook_after_commit),
    "forgotten_repeats": _caught_by("I1", _forgotten_repeats),
    "no_repair": _caught_by("I8", _no_repair),
    "kept_slots": _caught_by("I8", _kept_slots),
    "progress_back": _caught_by("I7", _progress_back),
    "anybodys_tasks": _caught_by("I10", _anybodys_tasks),
}
