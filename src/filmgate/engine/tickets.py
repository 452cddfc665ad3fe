"""Tickets as attempts keep them."""

from filmgate.domain.contracts_provider import Ticket
from filmgate.store.work import OpenAttempt


def ticket_of(attempt: OpenAttempt) -> Ticket:
    """Give the ticket of an attempt that was accepted."""
    if attempt.ref is None:
        raise ValueError(attempt.key)
    return Ticket(ref=attempt.ref, memory=attempt.ticket or {})
