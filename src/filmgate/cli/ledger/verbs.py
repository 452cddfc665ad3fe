"""`filmgate ledger`."""

from typing import Final

from filmgate.cli.verb import group

_EXAMPLES: Final = (
    "filmgate ledger check",
    "filmgate ledger export --from 2026-11-01 --to 2026-12-01 --csv -o november.csv",
)

app = group(
    "ledger",
    _EXAMPLES,
    (
        ("check", "ledger.check:app", "Audit the books: name each rule that they break, and what breaks it."),
        ("export", "ledger.export:app", "Give every entry of a time, oldest first."),
    ),
)
