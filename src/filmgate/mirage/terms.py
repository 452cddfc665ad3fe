"""On what terms the vendor works."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from filmgate.mirage.lies import Die, Lies, read_die, read_lies

PRIVATE_URL: Final = "http://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`lies` are told of every job, `dice` of a share of them. Raise ValueError for what cannot be meant.

    `keys` are the API keys that it demands; none lets everyone in. With `idempotent`, an Idempotency-Key that
    was seen gives its job again. With `lookup` jobs are shown with that key, and lists may be asked for it, once
    the job is `visible_after_s` old. The rates are by credential, None is no limit. `callback` may hold {id} and {key}.
    With `fast`, nothing is drawn: every job is the same tiny film.
    """

    lies: Lies = field(default_factory=dict)
    dice: tuple[Die, ...] = ()
    seed: int = 0
    takes_s: float = 1.0
    keys: frozenset[str] = frozenset()
    idempotent: bool = False
    lookup: bool = False
    visible_after_s: float = 0
    submits_per_minute: int | None = None
    in_flight: int | None = None
    poll_after_s: float = 0.25
    callback: str | None = None
    callback_secret: str | None = None
    private_url: str = PRIVATE_URL
    fast: bool = False
    polls_logged: bool = True

    def __post_init__(self) -> None:
        for amount, what in (
            (self.takes_s, "a job cannot take"),
            (self.visible_after_s, "a job cannot become visible after"),
            (self.poll_after_s, "a client cannot be asked to poll after"),
        ):
            if not 0 <= amount < float("inf"):
                raise ValueError(f"{what} {amount} s")
        for limit, what in (
            (self.submits_per_minute, "submits a minute"),
            (self.in_flight, "jobs in flight"),
        ):
            if limit is not None and limit < 1:
                raise ValueError(f"the limit of {what} must be 1 or more, not {limit}")
        if self.callback is not None and not self.callback.startswith(("http://", "https://")):
            raise ValueError(f"callbacks go to an address with http:// or https://, not to {self.callback!r}")


def read_terms(flags: Mapping[str, Any]) -> Terms:
    """Read the flags of a program that starts the vendor, by their names; raise ValueError for what cannot be meant."""
    lost = flags["lose_replies"]
    dice = [*(flags["dice"] or ()), *([f"lost-reply={lost}"] if lost else [])]
    return Terms(
        lies=read_lies(flags["lie"] or ()),
        dice=tuple(read_die(text) for text in dice),
        seed=flags["seed"],
        takes_s=flags["takes"],
        keys=frozenset(flags["key"] or ()),
        idempotent=flags["idempotent"],
        lookup=flags["lookup"],
        visible_after_s=flags["visible_after"],
        submits_per_minute=flags["submits_per_minute"],
        in_flight=flags["in_flight"],
        poll_after_s=flags["poll_after"],
        callback=flags["callback"],
        callback_secret=flags["callback_secret"],
        private_url=flags["private_url"],
        fast=flags["fast"],
        polls_logged=flags["log_polls"],
    )
