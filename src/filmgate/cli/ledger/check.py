"""`filmgate ledger check`."""

from typing import Final, cast

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit, trouble
from filmgate.cli.grid import Grid
from filmgate.cli.keys.operator import operator_session
from filmgate.cli.ledger.shapes import AuditShape, FindingShape
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.text import Text
from filmgate.cli.verb import verb

# Large books take their time.
_AUDIT_S: Final = 600.0
_CLEAN: Final = Text("✔ The books are clean.", "✔ 账目无误。")
_MORE: Final = Text("… and {count} more", "…… 另有 {count} 项")


def check(*, place: Place = HERE, manner: Manner = PLAIN_MANNER) -> int:
    """Audit the books: name each rule that they break, and what breaks it. Exit 1 where one is broken."""
    session = operator_session(manner, place)
    audit = cast("AuditShape", session.gate.ask("GET", "/admin/v1/ledger/check", timeout_s=_AUDIT_S))
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", audit))
    elif output.form is Form.PLAIN:
        output.rows(Grid((), [[one["rule"], said] for one in audit["findings"] for said in one["examples"]]))
    elif audit["clean"]:
        output.styled([(output.say(_CLEAN), "green")])
    else:
        for finding in audit["findings"]:
            _tell(finding, output)
    if not audit["clean"]:
        raise trouble("books_broken", rules=", ".join(one["rule"] for one in audit["findings"]))
    return Exit.DONE


def _tell(finding: FindingShape, output: Output) -> None:
    output.styled([("✘ ", "red"), (finding["rule"], "bold"), (f" · {finding['says']}", "")])
    for said in finding["examples"]:
        output.styled([(f"    {said}", "")])
    hidden = finding["count"] - len(finding["examples"])
    if hidden > 0:
        output.styled([("    " + output.say(_MORE, count=hidden), "dim")])


app = verb(
    "check", check, ("filmgate ledger check", "filmgate ledger check --json | jq -r '.findings[].rule'")
)
