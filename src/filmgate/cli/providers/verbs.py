"""`filmgate providers`."""

from typing import Final

from filmgate.cli.verb import group

_EXAMPLES: Final = (
    "filmgate providers list",
    "filmgate providers test relay",
    "filmgate providers pause relay",
    "filmgate providers resume relay",
)

app = group(
    "providers",
    _EXAMPLES,
    (
        ("list", "providers.list:app", "List providers: their lights, what they make, and what they may."),
        (
            "test",
            "providers.trial:app",
            "Ask a provider whether it would take films; free, or with one film.",
        ),
        ("pause", "providers.switch:pause_app", "Send a provider nothing more; what it makes goes on."),
        ("resume", "providers.switch:resume_app", "Send a provider films again."),
    ),
)
