"""`filmgate doctor`."""

import os
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place, data_folder, find_address
from filmgate.cli.client import Gate
from filmgate.cli.doctor.check import Check, Verdict, warn
from filmgate.cli.doctor.gate import ask_health, gate_checks
from filmgate.cli.errors import CliError, Exit, trouble
from filmgate.cli.output import PLAIN_MANNER, Form, Manner, Output
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

_MARKS: Final = {Verdict.OK: ("✔", "green"), Verdict.WARN: ("!", "yellow"), Verdict.FAIL: ("✘", "red")}
_NAME_WIDTH: Final = 14
_NO_KEY: Final = Text("nothing here proves one", "此处没有运营者凭证")
_PROVE: Final = Text(
    "Only an operator sees the gate's inside: set FILMGATE_ADMIN_KEY, or name its data folder with --data.",
    "仅运营者可查看网关内部：请设置 FILMGATE_ADMIN_KEY，或用 --data 指定其数据目录。",
)
_ALL_WELL: Final = Text("All is well.", "一切正常。")
_USABLE: Final = Text("Usable; {count} to look at.", "可以使用，{count} 项需留意。")


def doctor(
    *,
    quick: Annotated[
        bool, Parameter(negative="", help="Only ask whether the gate is alive: exit 0, or 3.")
    ] = False,
    settings: Annotated[
        bool, Parameter(negative="", help="Each setting, its value and where it comes from.")
    ] = False,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Check everything that a gate needs, and say the way out of what is not well."""
    output = manner.output
    if settings:
        return _settings(output, place)
    gate = Gate(find_address(place, os.environ), output.language, output.trace)
    if quick:
        ask_health(gate)
        if output.form is Form.JSON:
            output.document({"status": "ok", "base_url": gate.address.base_url})
        return Exit.DONE
    found: list[Check] = []
    for check in _checks(gate, place, manner):
        found.append(check)
        _say(output, check)
    return _verdict(output, found)


def _checks(gate: Gate, place: Place, manner: Manner) -> Iterator[Check]:
    from filmgate.cli.doctor import machine, storage  # noqa: PLC0415  # the container's health check need not pay for it
    from filmgate.cli.doctor.settings import load, settings_check  # noqa: PLC0415  # slow to import

    yield machine.python_check()
    yield machine.packages_check()
    usable = settings_check(place.data)
    yield usable
    yield from machine.folder_checks(data_folder(place.data, os.environ))
    if usable.verdict is not Verdict.FAIL:
        known = load(place.data)
        yield machine.postgres_check(known.postgres_bin, external=known.database_url is not None)
        yield from storage.own_check(known)
    yield machine.encoder_check()
    yield machine.font_check()
    answered = yield from gate_checks(gate)
    if answered:
        yield from _inside(place, manner)


def _inside(place: Place, manner: Manner) -> Iterator[Check]:
    """Check what an operator may see, where something here proves one."""
    from filmgate.cli.doctor import storage  # noqa: PLC0415  # as above
    from filmgate.cli.doctor.inside import inside_checks  # noqa: PLC0415  # as above
    from filmgate.cli.keys.operator import operator_session  # noqa: PLC0415  # as above

    try:
        gate = operator_session(manner, place).gate
    except CliError:
        yield warn("operator", _NO_KEY, _PROVE)
        return
    yield from storage.gate_storage_checks(gate)
    yield from inside_checks(gate)


def _say(output: Output, check: Check) -> None:
    found = check.found.pick(output.language)
    way_out = check.way_out.pick(output.language) if check.way_out else ""
    if output.form is Form.PLAIN:
        output.answer(f"{check.name}\t{check.verdict}\t{found}\t{way_out}")
    elif output.form is Form.HUMAN:
        mark, style = _MARKS[check.verdict]
        output.styled([(f"{mark} ", style), (f"{check.name:<{_NAME_WIDTH}}", "bold"), (found, "")])
        if way_out:
            output.styled([(" " * (_NAME_WIDTH + 2), ""), (way_out, style)])


def _verdict(output: Output, found: Sequence[Check]) -> int:
    failed = sum(check.verdict is Verdict.FAIL for check in found)
    warned = sum(check.verdict is Verdict.WARN for check in found)
    if output.form is Form.JSON:
        output.document(
            {
                "ok": not failed,
                "checks": [
                    {
                        "name": check.name,
                        "verdict": check.verdict.value,
                        "found": check.found.pick(output.language),
                        "way_out": check.way_out.pick(output.language) if check.way_out else None,
                    }
                    for check in found
                ],
            }
        )
    if failed:
        raise trouble("checks_failed", count=failed, total=len(found))
    if output.form is Form.HUMAN:
        output.note(output.say(_USABLE, count=warned) if warned else output.say(_ALL_WELL), "dim")
    return Exit.DONE


def _settings(output: Output, place: Place) -> int:
    from filmgate.cli.doctor.settings import grid, rows  # noqa: PLC0415  # slow to import

    found = rows(place)
    if output.form is Form.JSON:
        output.document({name: {"value": value, "source": source} for name, value, source in found})
    else:
        output.rows(grid(found))
    return Exit.DONE


app = verb("doctor", doctor, ("filmgate doctor", "filmgate doctor --quick", "filmgate doctor --settings"))
