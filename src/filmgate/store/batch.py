"""Group commit and shared reads: whoever comes while a batch is out shares the next one."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from filmgate.domain.limits import COMMIT_BATCH
from filmgate.store.patience import AWAY, whole_again

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Lane(Generic[Item, Answer]):
    """Runs `run` on batches, one batch at a time for each of `width` tracks, without any timer."""

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Coroutine[Any, Any, Sequence[Answer]]],
        *,
        width: int = 1,
        limit: int = COMMIT_BATCH,
    ) -> None:
        self._run = whole_again(run)
        self._limit = limit
        self._idle = width
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._tracks: set[asyncio.Task[None]] = set()

    async def put(self, item: Item, *, within_s: float | None = None) -> Answer:
        """Run the item with others; its own error is raised, another item's never.

        What has not begun `within_s` is not begun any more; what has may still be done when TimeoutError is raised.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        entry = item, future
        self._waiting.append(entry)
        if self._idle:
            self._idle -= 1
            track = asyncio.create_task(self._drain())
            self._tracks.add(track)
            track.add_done_callback(self._tracks.discard)
        try:
            async with asyncio.timeout(within_s):
                # One who leaves must not take the answers of the others along.
                return await asyncio.shield(future)
        except TimeoutError:
            if entry in self._waiting:
                self._waiting.remove(entry)
            future.cancel()
            raise

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._settle(batch)
        finally:
            self._idle += 1

    async def _settle(self, batch: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._run([item for item, _ in batch])
        except AWAY as error:
            # Nobody knows whether it was written: each caller looks for itself.
            for _, future in batch:
                _fail(future, error)
            return
        except Exception as error:  # noqa: BLE001  # whatever it was, each caller must hear of it
            if len(batch) == 1:
                _fail(batch[0][1], error)
                return
            # One bad row must hurt only itself.
            for single in batch:
                await self._settle([single])
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _fail(future: asyncio.Future[Answer], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
