"""The world as it is: the one place that reads the machine's clock and its source of chance."""

import os
import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


class SystemChance:
    def bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def share(self) -> float:
        return secrets.randbelow(1 << 53) / (1 << 53)
