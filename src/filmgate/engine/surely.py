"""Write what a vendor answered, also where the database takes nothing for a while: the answer cannot be had again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from filmgate.domain.failpoint import failpoint
from filmgate.domain.limits import LEASE_SPARE, SUBMIT_LEASE
from filmgate.engine.parts import Parts
from filmgate.store.patience import STORE_FAULTS, UNFIT
from filmgate.store.work import Claim

_AGAIN_S: Final = 0.2


async def surely(parts: Parts, claim: Claim, write: Callable[[], Awaitable[None]]) -> None:
    """Repeat a write under its fence until it is made, or the lease is nearly over.

    Whatever keeps the store from writing, be it away, full or locked, may pass; only what can never be written is
    raised at once.
    """
    give_up = claim.since + (SUBMIT_LEASE - LEASE_SPARE).total_seconds()
    while True:
        try:
            await write()
        except UNFIT:
            raise
        except STORE_FAULTS:
            if parts.clock.monotonic() > give_up:
                raise
            await asyncio.sleep(_AGAIN_S)
            await failpoint("surely.again")
        else:
            return
