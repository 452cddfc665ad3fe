"""The film that a request goes on from or varies: found for its owner, and fit for that."""

from dataclasses import dataclass
from uuid import UUID

from filmgate.domain.clock import Clock
from filmgate.domain.limits import EXTEND_WITHIN
from filmgate.domain.problems import Problem
from filmgate.domain.request import NamedSource, Source, SourceKind
from filmgate.domain.size import Size
from filmgate.domain.specify import EarlierFilm
from filmgate.domain.states import State
from filmgate.domain.task import Film, Owner, Task
from filmgate.store.read import Reader


@dataclass(frozen=True, slots=True)
class Found:
    film: EarlierFilm
    credential_id: int | None
    """Who made it."""


@dataclass(frozen=True, slots=True)
class Sources:
    reader: Reader
    clock: Clock

    async def find(self, named: NamedSource, owner: Owner) -> Found:
        """Find the film; raise Problem `source_unusable`, or `task_not_found` where a path names it."""
        task = await self.reader.find(named.name, owner.account_id)
        by_path = named.kind is SourceKind.REMIX
        if task is None or (named.use is not None and task.names.get(named.use) != named.name):
            if by_path:
                raise Problem("task_not_found")
            right = f"data.{named.field} of a film of yours is right."
            raise _unusable(named, f"there is none; {right}", f"不存在，应为您视频的 data.{named.field}。")
        film = self._usable(named, task)
        file, clip, seconds = _file(film, task, first=named.use is not None)
        receipt = await self.reader.receipt(task.id, max(clip, 1))
        return Found(
            EarlierFilm(
                Source(named.kind, task.id, _shown(named, task), file, clip),
                task.request.size if by_path or "source" in film.files else _size(film),
                seconds,
                task.request.seed,
                task.request.model,
            ),
            None if receipt is None else receipt.credential_id,
        )

    def _usable(self, named: NamedSource, task: Task) -> Film:
        if not task.state.ended:
            raise _unusable(named, "it is still being made.", "该视频仍在生成中。")
        if task.film is None or (named.kind is SourceKind.REMIX and task.state is not State.SUCCEEDED):
            raise _unusable(named, "it ended without a film.", "该任务没有生成视频。")
        now = self.clock.now()
        if named.kind is SourceKind.EXTEND and task.ended_at and now - task.ended_at > EXTEND_WITHIN:
            hours = round(EXTEND_WITHIN.total_seconds() / 3600)
            raise _unusable(named, f"it is older than {hours} hours.", f"已超过 {hours} 小时。")
        if task.content_until is not None and now > task.content_until:
            raise _unusable(named, "it is no longer kept.", "该视频已不再保存。")
        return task.film


def _file(film: Film, task: Task, *, first: bool) -> tuple[UUID, int, int]:
    """Give the file to go on from, which clip it shows, and how long that is, in whole seconds."""
    clips = task.request.clips
    alone = len(clips) == 1 or task.state is State.FAILED
    own = 0 if task.request.source is not None and task.request.source.kind is SourceKind.EXTEND else 1
    if first and not alone:
        return film.files["first"], own, clips[0]
    return (
        film.files.get("source", film.files["video"]),
        own if alone else 0,
        clips[0] if alone else sum(clips),
    )


def _size(film: Film) -> Size:
    return Size(film.facts.width, film.facts.height)


def _shown(named: NamedSource, task: Task) -> str:
    return named.name if named.use is not None else task.name


def _unusable(named: NamedSource, reason: str, reason_zh: str) -> Problem:
    return Problem("source_unusable", field=named.field, reason=reason, reason_zh=reason_zh)
