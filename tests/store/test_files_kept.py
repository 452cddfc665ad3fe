"""Files are kept for as long as something needs them."""

from datetime import timedelta

from filmgate.domain.states import AttemptState, State
from filmgate.store.ends import End
from filmgate.store.files import Files
from filmgate.store.pool import Pool
from kit.books import collecting, running, succeeded
from kit.worlds import make_world


async def test_what_a_film_in_the_making_needs_is_kept_however_short_films_are_kept(pool: Pool) -> None:
    world = await make_world(pool, in_flight=9)
    await world.ends.end(succeeded(await collecting(world)))
    claim = await running(world)
    await pool.execute("update files set task_id = $1, delete_after = now()", claim.task_id)
    files = Files(pool)
    assert await files.due_for_removal(9) == []
    await world.ends.end(
        End(claim=claim, state=State.CANCELLED, kept=timedelta(0), attempt=AttemptState.ABANDONED)
    )
    assert len(await files.due_for_removal(9)) == 1
