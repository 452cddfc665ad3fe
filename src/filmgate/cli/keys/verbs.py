"""`filmgate keys`."""

from typing import Final

from filmgate.cli.verb import group

_EXAMPLES: Final = (
    "filmgate keys create team-a",
    "filmgate keys create ci --account team-a --budget 20/month",
    "filmgate keys list",
    "filmgate keys change ci --budget 50/month",
    "filmgate keys rotate ci",
    "filmgate keys revoke ci",
)

app = group(
    "keys",
    _EXAMPLES,
    (
        ("create", "keys.create:app", "Create a key; its secret is shown this once."),
        ("list", "keys.list:app", "List all keys; none of them can be read back."),
        ("change", "keys.change:app", "Change what a key may spend, and how it is answered."),
        ("rotate", "keys.rotate:app", "Put a new key in a key's place; the former one lives on for a day."),
        (
            "destination",
            "keys.destination:app",
            "Say into which destination the films of a key go by themselves.",
        ),
        ("revoke", "keys.revoke:app", "Revoke a key, or all of a name; what it made stays its account's."),
    ),
)
