"""`filmgate accounts`."""

from typing import Final

from filmgate.cli.verb import group

_EXAMPLES: Final = (
    "filmgate accounts list",
    "filmgate accounts create team-a --credit 0",
    'filmgate accounts topup team-a 50 --note "invoice 2026-11"',
    "filmgate accounts limit team-a --budget 200/month --max-running 4",
)

app = group(
    "accounts",
    _EXAMPLES,
    (
        ("list", "accounts.list:list_app", "List all accounts: what each has, holds and may spend."),
        ("show", "accounts.list:show_app", "Show one of them."),
        ("create", "accounts.change:create_app", "Open an account."),
        (
            "limit",
            "accounts.change:limit_app",
            "Say what an account may spend, and how much of it at a time.",
        ),
        ("credit", "accounts.change:credit_app", "Say how far below zero a balance may go."),
        ("topup", "accounts.give:topup_app", "Give an account money."),
        ("adjust", "accounts.give:adjust_app", "Take money from an account again."),
    ),
)
