"""A receiver of webhooks, and a house that tells it of films."""

from collections.abc import AsyncIterator

import pytest

from filmgate.store.pool import Pool
from kit.houses import House, open_house
from kit.receivers import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def house(pool: Pool, receiver: Receiver) -> AsyncIterator[House]:
    async with open_house(pool, receiver) as house:
        yield house
