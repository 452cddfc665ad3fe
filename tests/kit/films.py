"""Tasks in each state, for tests of what is shown."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from filmgate.domain.contracts import Links, TaskView
from filmgate.domain.film import FilmFacts
from filmgate.domain.request import FilmRequest
from filmgate.domain.size import Size
from filmgate.domain.states import State
from filmgate.domain.task import Failure, Film, Task

CREATED = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
ENDED = datetime(2024, 1, 15, 10, 35, 12, tzinfo=UTC)
ID = UUID("018d0c9f-0000-7000-8000-000000000001")


def film_request(prompt: str, **changed: Any) -> FilmRequest:
    """Give a request of 5 s by sora-2; `changed` replaces its parts."""
    plain = FilmRequest(
        model="sora-2",
        prompt=prompt,
        prompt_extend=None,
        size=Size(720, 1280),
        seconds=5,
        pictures=(),
        seed=None,
        sound=True,
        enhance=False,
        upsample=False,
        metadata={},
    )
    return replace(plain, **changed)


def task(name: str, **changed: Any) -> Task:
    """Give a queued task of the model sora-2; `changed` replaces its parts."""
    queued = Task(
        id=ID,
        account_id=1,
        key_id=1,
        dialect="yishang",
        names={"id": name},
        request=film_request("A cat playing piano in the garden"),
        state=State.QUEUED,
        progress=0,
        failure=None,
        film=None,
        hold_micros=0,
        cost_micros=None,
        version=1,
        created_at=CREATED,
        changed_at=CREATED,
        started_at=None,
        ended_at=None,
        deadline_at=CREATED + timedelta(hours=1),
        content_until=None,
    )
    return replace(queued, **changed)


def shown(name: str, state: str, said: Mapping[str, Any]) -> TaskView:
    """Build the task that a golden pair describes."""
    changed: dict[str, Any] = {"state": State(state), "progress": said.get("progress", 0)}
    links = Links()
    if State(state).ended:
        changed |= {"ended_at": ENDED, "cost_micros": 0}
    if state == "succeeded":
        facts = FilmFacts(
            "h264", said["width"], said["height"], 24.0, 125, said["seconds"], "aac", 48000, said["size_bytes"],
            faststart=True,
        )  # fmt: skip
        changed |= {"progress": 100, "film": Film(facts, {}), "content_until": ENDED + timedelta(days=1)}
        links = Links(video=said["video"], thumbnail=said["video"] + ".webp", poster=said.get("poster"))
    if "failure" in said:
        changed["failure"] = Failure(said["failure"], said.get("parameters", {}))
    return TaskView(task(name, **changed), links)
