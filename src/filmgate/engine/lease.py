"""Keep a lease while long work goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from filmgate.domain.limits import LEASE_RENEWAL, STEP_LEASE
from filmgate.engine.parts import Parts
from filmgate.store.patience import AWAY
from filmgate.store.work import Claim


@asynccontextmanager
async def renewing(parts: Parts, claim: Claim) -> AsyncIterator[None]:
    """Keep the lease while the work goes on; only a living worker renews."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(LEASE_RENEWAL.total_seconds())
            with suppress(*AWAY):
                await parts.claims.renew(claim, STEP_LEASE)

    renewal = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewal.cancel()
        # A renewal under way would else shorten the lease of what follows.
        await asyncio.gather(renewal, return_exceptions=True)
