"""What a task needs before it is sent may take long to gather; what became of the task meanwhile counts."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from filmgate.domain.states import State
from filmgate.engine.parts import Wording
from filmgate.engine.route import RouteRule, Via
from filmgate.prompts.enhancer import Enhancer
from filmgate.store.pool import Pool
from kit.engines import Vendor, make_engine
from kit.worlds import make_world

TAKES_S = 0.6


class Slow(Enhancer):
    """Finds its words late."""

    def __init__(self) -> None:
        super().__init__(None, lambda reason: None)

    async def enhance(self, prompt: str) -> Wording:
        await asyncio.sleep(TAKES_S)
        return await super().enhance(prompt)


@pytest.mark.parametrize(
    ("deadline_s", "sent", "state"), [(TAKES_S / 2, 0, State.EXPIRED), (60, 1, State.GENERATING)]
)
async def test_a_task_whose_time_ends_while_its_words_are_found_is_not_sent(
    pool: Pool, tmp_path: Path, deadline_s: float, sent: int, state: State
) -> None:
    world, vendor = await make_world(pool), Vendor()
    engine = await make_engine(
        pool, tmp_path / "engine", {("a", "A"): vendor}, [RouteRule("veo3", (Via("a", "m"),))]
    )
    engine.parts = replace(engine.parts, enhancer=Slow())
    new = world.new(hold_micros=80)
    await world.acceptor.accept(
        replace(
            new,
            credential_id=None,
            request=replace(new.request, model="veo3", enhance=True),
            deadline=timedelta(seconds=deadline_s),
        )
    )
    assert await engine.started() == 1
    assert len(vendor.keys) == sent
    task = await world.task(new.id)
    assert task.state is state
    assert await world.rows("select count(*) as n from attempts") == [{"n": sent}]
    held = 80 if sent else 0
    assert await world.rows("select held_micros from accounts") == [{"held_micros": held}]
