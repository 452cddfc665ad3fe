"""Encoders that tests use, and the product never does."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def real_time() -> bool:
    """Tell whether this thread comes before all that share the machine fairly."""
    return hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER


@contextmanager
def fairly() -> Iterator[None]:
    """Share the machine as before, once the block has ended.

    SVT-AV1 gives itself a real-time priority where root runs it, and leaves it to the thread that called. Whatever that
    starts inherits it, and where it spins, nobody else gets a processor again.
    """
    try:
        yield
    finally:
        if real_time():
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
