"""Provider credentials as the database counts them: one row each, with its slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from filmgate.store.pool import Pool

_SYNC: Final = """
insert into credentials (provider, name, max_in_flight, rate_per_s, burst, tokens)
select provider, name, max_in_flight, rate_per_s, burst, burst
from jsonb_to_recordset($1::jsonb) as r(provider text, name text, max_in_flight int, rate_per_s float8, burst float8)
on conflict (provider, name) do update set enabled = true, max_in_flight = excluded.max_in_flight,
    rate_per_s = excluded.rate_per_s, burst = excluded.burst
returning id, provider
"""

_DISABLE: Final = "update credentials set enabled = false where not provider = any($1::text[]) and enabled"

_BLOCK: Final = """
update credentials set blocked_until = greatest(blocked_until, now() + $2::interval) where id = $1
"""


@dataclass(frozen=True, slots=True)
class CredentialRow:
    provider: str
    name: str
    max_in_flight: int
    rate_per_s: float | None = None
    burst: float = 1.0


class Credentials:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def sync(self, wanted: Sequence[CredentialRow]) -> Mapping[str, int]:
        """Write what the settings say; give each provider's credential. Those no longer named are disabled."""
        written = [
            {
                "provider": row.provider,
                "name": row.name,
                "max_in_flight": row.max_in_flight,
                "rate_per_s": row.rate_per_s,
                "burst": row.burst,
            }
            for row in wanted
        ]
        async with self._pool.acquire() as connection, connection.transaction():
            found = await connection.fetch(_SYNC, written)
            await connection.execute(_DISABLE, [row.provider for row in wanted])
        return {row["provider"]: row["id"] for row in found}

    async def block(self, credential_id: int, duration: timedelta) -> None:
        """Send nothing through a credential for a while."""
        await self._pool.execute(_BLOCK, credential_id, duration)
