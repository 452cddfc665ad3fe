"""Sentences with places for what is filled in: a reason that is a sentence of its own ends with one stop."""

import re
from collections.abc import Mapping
from typing import Final

_STOPPED: Final = re.compile(r"\{(reason\w*)\}[.。]")
_STOPS: Final = " \n.。"
_MARKS: Final = ("!", "?", "\uff01", "\uff1f")


def filled(template: str, given: Mapping[str, object]) -> str:
    """Fill the `{names}` of a template; raise KeyError for one that nobody gave."""
    template, reasons = _stopped_once(template, given)
    return template.format_map({**given, **reasons})


def filled_freely(template: str, given: Mapping[str, object]) -> str:
    """Fill the `{names}` of a template; what nobody gave is left empty."""
    template, reasons = _stopped_once(template, given)
    return template.format_map(_Given({**given, **reasons}))


def _stopped_once(template: str, given: Mapping[str, object]) -> tuple[str, Mapping[str, str]]:
    reasons = {name: str(given[name]).rstrip(_STOPS) for name in _STOPPED.findall(template) if name in given}
    for name, reason in reasons.items():
        if reason.endswith(_MARKS):
            template = re.sub(rf"(\{{{name}\}})[.。]", r"\1", template)
    return template, reasons


class _Given(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return ""
