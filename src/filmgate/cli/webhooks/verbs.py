"""`filmgate webhooks`."""

from typing import Final

from filmgate.cli.verb import group

_EXAMPLES: Final = (
    "filmgate webhooks deliveries --state given_up",
    "filmgate webhooks replay wh_01a1feef57bc7b10acdae21ab74422fc",
)

app = group(
    "webhooks",
    _EXAMPLES,
    (
        (
            "deliveries",
            "webhooks.deliveries:app",
            "List what was told of films, to whom, and with what answer.",
        ),
        ("replay", "webhooks.replay:app", "Tell one delivery again, with the same id and the same bytes."),
    ),
)
