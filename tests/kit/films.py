"""Tasks in each state, for tests of what is shown."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from filmgate.domain.contracts import Links, TaskView
from filmgate.domain.film import FilmFacts
from filmgate.domain.price import Price
from filmgate.domain.record import Record
from filmgate.domain.request import FilmRequest, Picture, PictureRole, Source, SourceKind
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
        clips=(5,),
        pictures=(),
        seed=None,
        sound=True,
        enhance=False,
        upsample_to=None,
        soften=False,
        source=None,
        metadata={},
    )
    return replace(plain, **changed)


def task(name: str, *, names: Mapping[str, str] | None = None, **changed: Any) -> Task:
    """Give a queued task of the model sora-2; `changed` replaces its parts."""
    queued = Task(
        id=ID,
        number=1,
        account_id=1,
        key_id=1,
        dialect="yishang",
        names=names or {"id": name},
        request=film_request("A cat playing piano in the garden"),
        record=Record(),
        price=Price((), "2025-01-01"),
        state=State.QUEUED,
        progress=0,
        failure=None,
        film=None,
        hold_micros=0,
        cost_micros=None,
        version=1,
        created_at=CREATED,
        changed_at=CREATED,
        stage_at=CREATED,
        started_at=None,
        ended_at=None,
        deadline_at=CREATED + timedelta(hours=1),
        content_until=None,
    )
    return replace(queued, **changed)


def shown(name: str, state: str, said: Mapping[str, Any]) -> TaskView:
    """Build the task that a golden pair describes.

    `request`, `record` and `names` replace parts of the task's; `started`, `ended` and `stage` are unix seconds.
    """
    changed: dict[str, Any] = {"state": State(state), "progress": said.get("progress", 0)}
    links = Links(open=said.get("open", {}))
    if State(state).ended:
        changed |= {"ended_at": ENDED, "cost_micros": 0}
    if "video" in said:
        facts = FilmFacts(
            "h264", said["width"], said["height"], 24.0, 125, said["seconds"], "aac", 48000, said["size_bytes"],
            faststart=True,
        )  # fmt: skip
        changed |= {"film": Film(facts, {}), "content_until": ENDED + timedelta(days=1)}
        links = replace(
            links,
            video=said["video"],
            thumbnail=said["video"] + ".webp",
            poster=said.get("poster"),
            first=said.get("first"),
            source=said.get("source"),
        )
    if state == "succeeded":
        changed["progress"] = 100
    if "failure" in said:
        changed["failure"] = Failure(said["failure"], said.get("parameters", {}))
    for moment in ("created", "started", "ended", "stage", "changed"):
        if moment in said:
            changed[f"{moment}_at"] = datetime.fromtimestamp(said[moment], UTC)
    changed["request"] = requested(said.get("request", {}))
    changed["record"] = Record(**said.get("record", {}))
    changed |= {
        part: said[part] for part in ("number", "hold_micros", "cost_micros", "account_id") if part in said
    }
    return TaskView(task(name, names={"id": name, **said.get("names", {})}, **changed), links)


def requested(said: Mapping[str, Any]) -> FilmRequest:
    """Build a request from what a golden pair says of it."""
    changed = dict(said)
    for size in ("size", "upsample_to"):
        if size in changed:
            changed[size] = Size.parse(changed[size])
    if "clips" in changed:
        changed["clips"] = tuple(changed["clips"])
    if "pictures" in changed:
        changed["pictures"] = tuple(
            Picture(PictureRole(picture["role"]), url=picture["url"]) for picture in changed["pictures"]
        )
    if "source" in changed:
        changed["source"] = Source(SourceKind(changed["source"]["kind"]), ID, changed["source"]["name"])
    return replace(film_request(changed.pop("prompt", "A cat playing piano in the garden")), **changed)
