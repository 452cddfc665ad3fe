"""As whom a verb asks: as an account with its own key, or as an operator, who reaches everybody's."""

import os
from dataclasses import dataclass, replace
from typing import Annotated, Final

from cyclopts import Group, Parameter

from filmgate.cli.address import GATE_GROUP, Address, Place, setting
from filmgate.cli.client import Gate
from filmgate.cli.errors import trouble
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.output import Manner
from filmgate.cli.session import Session, open_session
from filmgate.cli.text import Text

OPERATORS: Final = Group("As an operator", sort_key=70)

_ADMIN_KEY: Final = "FILMGATE_ADMIN_KEY"
_UNKNOWN: Final = frozenset({"task_not_found", "delivery_not_found"})
_ANOTHERS: Final = Text(
    "What is another account's is found with --as-operator.", "其他账户的内容可用 --as-operator 查找。"
)
_OPERATORS_ALONE: Final = "{flags} needs --as-operator: it is about every account's."


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """Whose tasks and deliveries a verb is about."""

    as_operator: Annotated[
        bool,
        Parameter(
            group=GATE_GROUP,
            negative="",
            help="Every account's, with FILMGATE_ADMIN_KEY or on the gate's machine; so it is where no other key is set.",
        ),
    ] = False


OWN: Final = Role()


def role_session(manner: Manner, place: Place, role: Role) -> Session:
    """Open a session of that role; an operator's key alone makes it an operator's."""
    session = open_session(manner, place)
    address = session.gate.address
    operator = bool(setting(os.environ, _ADMIN_KEY))
    if role.as_operator or (operator and address.key is None):
        return replace(operator_session(manner, place), operator=True)
    return replace(session, gate=_hinting(session, address)) if operator or address.own_machine else session


def demand_operator(session: Session, *flags: str) -> None:
    """Return where the session is an operator's or no such flag was given; else raise CliError."""
    if flags and not session.operator:
        raise trouble("wrong_usage", reason=_OPERATORS_ALONE.format(flags=", ".join(flags)))


def _hinting(session: Session, address: Address) -> Gate:
    """Give a gate that says how an operator, who is here with an account's key, finds what is another's."""
    output = session.output

    def refused(code: str) -> None:
        if code in _UNKNOWN:
            output.note(output.say(_ANOTHERS), "dim")

    return Gate(address, output.language, output.trace, refused=refused)
