"""One check and what it found."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from filmgate.cli.text import Text


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


SEE_LOG: Final = Text("Look at the log of filmgate serve.", "请查看 filmgate serve 的日志。")


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, and the way out where it is not well."""

    name: str
    verdict: Verdict
    found: Text
    way_out: Text | None = None


def ok(name: str, found: str) -> Check:
    return Check(name, Verdict.OK, Text(found, found))


def warn(name: str, found: Text, way_out: Text) -> Check:
    return Check(name, Verdict.WARN, found, way_out)


def fail(name: str, found: Text, way_out: Text) -> Check:
    return Check(name, Verdict.FAIL, found, way_out)
