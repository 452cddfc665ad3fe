"""Makes every limit of time of a gate shorter, in one proportion as far as it goes, before anything reads them.

A run that kills a thousand times cannot wait half a minute for each lease; how long each takes is no part of the rules.
"""

from datetime import timedelta

from filmgate.domain import limits


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


SHORTER = {
    "SUBMIT_SECONDS": 4.0,
    "POLL_SECONDS": 3.0,
    "CANCEL_SECONDS": 2.0,
    "LEASE_SPARE": _s(0.5),
    "SUBMIT_LEASE": _s(6),
    "STEP_LEASE": _s(4),
    "LEASE_RENEWAL": _s(1),
    "POLL_FIRST": _s(0.3),
    "POLL_SLOWEST": _s(1),
    "QUESTION_FIRST": _s(0.3),
    "QUESTION_SLOWEST": _s(2),
    "ATTEMPT_BACKOFF": _s(0.2),
    "CIRCUIT_FIRST": _s(0.5),
    "CIRCUIT_LONGEST": _s(2),
    "ROUTE_PATIENCE": _s(5),
    "BEAT_EVERY": _s(1),
    "SILENT_AFTER": _s(4),
    "RECONCILE_GIVE_UP": _s(12),
    "LOST_OVER": _s(8),
    "COLLECT_OVER": _s(20),
    "SWEEP_EVERY": _s(1.5),
    "WEBHOOK_SECONDS": 2.0,
    "WEBHOOK_LEASE": _s(3),
    "WEBHOOK_SCHEDULE": tuple(_s(seconds) for seconds in (0.2, 0.4, 0.8, 1, 2, 2, 3, 4, 5)),
    "RESTART_SLOWEST": _s(0.2),
    "STORE_PROBE_SECONDS": 2.0,
    "STORE_PROBE_EVERY": _s(0.5),
    # Films of these vendors are as small as their times are short.
    "PART_BYTES": 4096,
}
for _name, _value in SHORTER.items():
    # A name that is gone must not pass in silence.
    assert type(getattr(limits, _name)) is type(_value), _name
    setattr(limits, _name, _value)
