"""A client verb's surroundings: where it speaks, whom it asks, and how long it keeps asking."""

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from filmgate.cli.address import Place, find_address
from filmgate.cli.client import AwayError, Gate, UnreachableError
from filmgate.cli.errors import CliError, trouble
from filmgate.cli.output import Manner, Output
from filmgate.cli.text import Text
from filmgate.domain.clock import Chance, Clock
from filmgate.world import SystemChance, SystemClock

T = TypeVar("T")

# A gate that was never seen is probably not there; one that was seen is probably being restarted.
STRANGER_S: Final = 5.0
RESTART_S: Final = 120.0
_PAUSE_FIRST_S: Final = 0.25
_PAUSE_LONGEST_S: Final = 2.0

_WAITING = Text(
    "No gate answers at {base_url} yet; trying for {seconds} s.", "{base_url} 暂无响应，将重试 {seconds} 秒。"
)
_GONE = Text("The gate does not answer; trying again.", "网关暂无响应，正在重试。")
_BACK = Text("The gate is back.", "网关已恢复。")


@dataclass(frozen=True, slots=True)
class Session:
    """Whom a verb asks; an operator's reaches every account's tasks and deliveries."""

    output: Output
    gate: Gate
    clock: Clock
    chance: Chance
    sleep: Callable[[float], None]
    operator: bool = False

    @property
    def api(self) -> str:
        return "/admin/v1" if self.operator else "/gate/v1"

    @property
    def again(self) -> str:
        """What a command line that follows must repeat after its ids."""
        return " --as-operator" if self.operator else ""

    def persist(
        self, ask: Callable[[], T], *, stranger_s: float = RESTART_S, after: Text, until: float | None = None
    ) -> T:
        """Ask until an answer comes, over restarts of the gate.

        While nothing of the gate was ever seen it waits `stranger_s`; `after` says what holds when it gives up.
        Past `until` (monotonic) the last error is raised, so that a time-out of the verb's own wins.
        """
        began = self.clock.monotonic()
        patience_s, pause_s, told = stranger_s, _PAUSE_FIRST_S, False
        while True:
            try:
                answer = ask()
            except (UnreachableError, AwayError) as error:
                if isinstance(error, AwayError) or error.sent:
                    patience_s = RESTART_S
                now = self.clock.monotonic()
                if now - began >= patience_s or (until is not None and now >= until):
                    raise self._given_up(error, patience_s, after) from error
                if not told:
                    self._tell(stranger=patience_s == STRANGER_S)
                told = True
                self.sleep(error.retry_after_s or pause_s if isinstance(error, AwayError) else pause_s)
                pause_s = min(pause_s * 2, _PAUSE_LONGEST_S)
            else:
                if told:
                    self.output.note(self.output.say(_BACK), "dim")
                return answer

    def each(self, ids: Iterable[str], do: Callable[[str], None]) -> None:
        """Do it for each id, once, also where another's failed; raise as `fail` does."""
        failed: list[CliError] = []
        for id_ in dict.fromkeys(ids):
            try:
                do(id_)
            except CliError as error:
                failed.append(error)
        self.fail(failed)

    def fail(self, errors: Sequence[CliError]) -> None:
        """Say the earlier errors and raise the last, where there are any."""
        for earlier in errors[:-1]:
            self.output.error(earlier)
        if errors:
            raise errors[-1]

    def _tell(self, *, stranger: bool) -> None:
        text = _WAITING if stranger else _GONE
        self.output.note(
            self.output.say(text, base_url=self.gate.address.base_url, seconds=int(STRANGER_S)), "dim"
        )

    def _given_up(self, error: CliError, patience_s: float, after: Text) -> CliError:
        if patience_s == STRANGER_S or isinstance(error, AwayError):
            return error
        return trouble(
            "contact_lost", base_url=self.gate.address.base_url, seconds=int(patience_s), after=after
        )


def open_session(manner: Manner, place: Place) -> Session:
    """Open what a client verb needs; nothing is asked yet."""
    output = manner.output
    gate = Gate(find_address(place, os.environ), output.language, output.trace)
    return Session(output, gate, SystemClock(), SystemChance(), time.sleep)
