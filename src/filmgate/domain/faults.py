"""Why a question to a provider failed, named by what must happen next.

Fault
├── Invalid        the customer must change the request: end, free, no retry
├── Refused        the vendor will not make this: end, free, no retry
├── Busy           nothing was created: the same attempt again after `retry_after`
├── Broken         nothing was created: try elsewhere
├── Misconfigured  nothing was created: tell the operator, try elsewhere
├── Uncertain      the reply was lost after sending: look, and never submit again blindly
└── Vanished       the vendor does not know the job that is asked about, or that a new one should vary
"""

from datetime import timedelta


class Fault(Exception):  # noqa: N818  # each fault is named by what must happen next
    """The question failed; what it says is for operators, never for clients."""


class Invalid(Fault):
    """The customer must change the request; the text may be shown to the customer."""


class Refused(Fault):
    """The vendor will not make this; the text may be shown to the customer."""


class Busy(Fault):
    def __init__(self, text: str, retry_after: timedelta) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Broken(Fault):
    pass


class Misconfigured(Fault):
    pass


class Uncertain(Fault):
    pass


class Vanished(Fault):
    pass


class StorageFault(Exception):  # noqa: N818  # named as the faults above
    """Where files live failed this time, which says nothing of any provider: a later try may do."""

    kind = "broken"
    """What stands in the way, in one word: `absent`, `denied`, `full`, `unreachable`, and more."""

    @property
    def absent(self) -> bool:
        """Whether there is no such file, which no later try will change."""
        return self.kind == "absent"
