"""What is listed, or looked at every now and then, is found without reading all that ever was."""

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from filmgate.domain.limits import NOTICES_SHOWN, SILENT_AFTER
from filmgate.domain.states import State
from filmgate.store import accounts, vitals
from filmgate.store.delivery_log import DeliveryLog, Wanted
from filmgate.store.oversight import Oversight
from filmgate.store.pool import Pool
from filmgate.store.read import Reader
from filmgate.store.shipments import Shipments
from filmgate.store.work import Boot
from kit.worlds import make_world

EVER = 20_000
_TASKS = """
insert into tasks (id, account_id, key_id, dialect, names, model, request, state, hold_micros, cost_micros, ended_at,
    film, progress, deadline_at)
select gen_random_uuid(), $1, $2, 'openai', '{}', 'm', t.request, 'succeeded', 0, 0, now(), '{}', 100, now()
from (select request from tasks limit 1) t, generate_series(1, $3::int)
"""
_DELIVERIES = """
insert into deliveries (id, account_id, url, host, task_id, event, body, state, ended_at, created_at)
select gen_random_uuid(), $1, 'https://h', 'h', gen_random_uuid(), 'video.completed', '', 'delivered', now(),
    now() - g * interval '1 s' from generate_series(1, $2::int) g
"""
_SHIPMENTS = """
insert into shipments (id, task_id, account_id, destination, name, object_key, size_bytes, state, ended_at, created_at)
select gen_random_uuid(), gen_random_uuid(), $1, 'd', 'n', 'o', 0, 'delivered', now(), now() - g * interval '1 s'
from generate_series(1, $2::int) g
"""
_NOTICES = """
insert into notices (kind, text, at) select 'k', 'x', now() - interval '30 days' from generate_series(1, $1::int)
"""


class Listening:
    """A pool that tells how much was read for each question."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.read = 0

    async def fetch(self, statement: str, *arguments: object) -> Sequence[Any]:
        said = await self.pool.fetchval(f"explain (analyze, buffers, format json) {statement}", *arguments)
        [explained] = orjson.loads(said)
        self.read += explained["Plan"]["Shared Hit Blocks"] + explained["Plan"]["Shared Read Blocks"]
        return await self.pool.fetch(statement, *arguments)


@pytest.fixture
async def listening(pool: Pool) -> Listening:
    world = await make_world(pool)
    await world.accept()
    await pool.execute("update tasks set id = $1", UUID(int=random.getrandbits(64)))
    await pool.execute(_TASKS, world.owner.account_id, world.owner.key_id, EVER)
    await pool.execute(_DELIVERIES, world.owner.account_id, EVER)
    await pool.execute(_SHIPMENTS, world.owner.account_id, EVER)
    await pool.execute(_NOTICES, EVER)
    for table in ("tasks", "deliveries", "shipments", "notices", "work"):
        await pool.execute(f"analyze {table}")
    return Listening(pool)


@pytest.mark.parametrize("state", [state for state in State if state is not State.SUCCEEDED])
async def test_tasks_of_a_state_of_which_there_are_few(listening: Listening, state: State) -> None:
    found, _ = await Reader(listening).page(1, after=None, limit=20, state=state)  # type: ignore[arg-type]  # it listens
    assert len(found) == (state is State.QUEUED)
    seen, _ = await Oversight(listening).page(  # type: ignore[arg-type]  # it listens
        state=state, account=None, uncertain=False, parked=False, before=None, limit=20
    )
    assert len(seen) == (state is State.QUEUED)
    assert listening.read < 60


async def test_tasks_of_a_model_of_which_there_are_none(listening: Listening) -> None:
    await Reader(listening).page(1, after=None, limit=20, model="n")  # type: ignore[arg-type]  # it listens
    assert listening.read < 60


@pytest.mark.parametrize(("uncertain", "parked"), [(True, False), (False, True)])
async def test_tasks_that_wait_for_somebody(listening: Listening, *, uncertain: bool, parked: bool) -> None:
    await Oversight(listening).page(  # type: ignore[arg-type]  # it listens
        state=None, account=None, uncertain=uncertain, parked=parked, before=None, limit=20
    )
    assert listening.read < 60


@pytest.mark.parametrize("state", ["due", "given_up"])
@pytest.mark.parametrize("account", [1, None])
async def test_deliveries_of_a_state_of_which_there_are_none(
    listening: Listening, state: str, account: int | None
) -> None:
    log = DeliveryLog(listening)  # type: ignore[arg-type]  # it listens
    assert await log.page(Wanted(account_id=account, state=state), 20) == ([], False)
    assert listening.read < 60


@pytest.mark.parametrize("state", ["due", "given_up"])
async def test_shipments_of_a_state_of_which_there_are_none(listening: Listening, state: Any) -> None:
    log = Shipments(listening, Boot(*[UUID(int=1)] * 3))  # type: ignore[arg-type]  # it listens
    assert await log.page(state=state, destination=None, after=None, limit=20) == ([], False)
    assert listening.read < 60


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        (vitals._WAITING, [SILENT_AFTER, NOTICES_SHOWN]),
        (vitals._NOTICED, [NOTICES_SHOWN]),
        (accounts._RETURNED, [1]),
    ],
    ids=["vitals", "notices", "returned"],
)
async def test_what_is_looked_at_now_and_then(
    listening: Listening, statement: str, arguments: list[object]
) -> None:
    assert isinstance(await listening.fetch(statement, *arguments), list | tuple | asyncpg.Record)
    assert listening.read < 100
