"""What the demo asks for, as rows: a dialect's wire, and the requests that are sent over it.

A further dialect is a further `Tongue` and its `Order`s; nothing else here knows one by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from filmgate.cli.output import Json

DUSK_URL: Final = "{dusk}"
NIGHT_URL: Final = "{night}"


@dataclass(frozen=True, slots=True)
class Tongue:
    """One dialect's wire: paths, and where its answers hold what a client reads (dotted names).

    `phase_field` holds a finer word than the status while it is there.
    """

    name: str
    create: str
    show: str
    id_field: str
    status_field: str
    done: frozenset[str]
    failed: frozenset[str]
    progress_field: str
    reason_field: str
    phase_field: str = ""
    film_field: str = ""
    film_path: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One request: a JSON body, or the fields of a form; `pictures` are form fields, each with one of the pictures."""

    tongue: Tongue
    form: bool
    fields: Mapping[str, Json]
    pictures: Sequence[tuple[str, str]] = field(default=())

    @property
    def prompt(self) -> str:
        return str(self.fields["prompt"])

    @property
    def picture_count(self) -> int:
        written = [value for value in self.fields.values() if isinstance(value, list)]
        return len(self.pictures) + sum(map(len, written))

    def filled(self, urls: Mapping[str, str]) -> Mapping[str, Json]:
        """Put the addresses of the demo's own pictures where the row says so."""
        return {name: _filled(value, urls) for name, value in self.fields.items()}


def _filled(value: Json, urls: Mapping[str, str]) -> Json:
    if isinstance(value, list):
        return [_filled(part, urls) for part in value]
    return urls.get(value, value) if isinstance(value, str) else value


_DONE: Final = frozenset({"completed"})
_FAILED: Final = frozenset({"failed"})

LAOZHANG: Final = Tongue(
    name="laozhang",
    create="/veo/v1/api/video/submit",
    show="/veo/v1/api/video/status/{id}",
    id_field="data.taskId",
    status_field="data.status",
    done=_DONE,
    failed=_FAILED,
    progress_field="",
    reason_field="data.message",
    phase_field="data.upstreamData.status",
    film_field="data.result.video_url",
)
UNIFIED: Final = Tongue(
    name="unified",
    create="/v1/video/create",
    show="/v1/video/query?id={id}",
    id_field="id",
    status_field="status",
    done=_DONE,
    failed=_FAILED,
    progress_field="progress",
    reason_field="error",
    film_field="video_url",
)
NEWAPI: Final = Tongue(
    name="newapi",
    create="/v1/videos",
    show="/v1/videos/{id}",
    id_field="task_id",
    status_field="status",
    done=frozenset({"SUCCESS"}),
    failed=frozenset({"FAILURE"}),
    progress_field="progress",
    reason_field="fail_reason",
    film_field="data.video_url",
)
# Films of one clip come without the envelope.
NEWAPI_FLAT: Final = Tongue(
    name="newapi",
    create="/v1/videos",
    show="/v1/videos/{id}",
    id_field="id",
    status_field="status",
    done=_DONE,
    failed=_FAILED,
    progress_field="progress",
    reason_field="error",
    film_field="url",
)
YISHANG: Final = Tongue(
    name="yishang",
    create="/v1/videos",
    show="/v1/videos/{id}",
    id_field="task_id",
    status_field="status",
    done=_DONE,
    failed=_FAILED,
    progress_field="progress",
    reason_field="error.message",
    film_field="video_url",
)
OPENAI: Final = Tongue(
    name="openai",
    create="/openai/v1/videos",
    show="/openai/v1/videos/{id}",
    id_field="id",
    status_field="status",
    done=_DONE,
    failed=_FAILED,
    progress_field="progress",
    reason_field="error.message",
    film_path="/openai/v1/videos/{id}/content",
)

# Where a dialect's own document shows a request, it is that one, but for the pictures' addresses.
ORDERS: Final = (
    Order(
        LAOZHANG,
        form=False,
        fields={
            "prompt": "一只猫咪在雨夜散步,准备抓一只老鼠",
            "model": "veo3",
            "images": [NIGHT_URL],
            "enhance_prompt": True,
        },
    ),
    Order(
        UNIFIED,
        form=False,
        fields={
            "model": "veo3.1-fast",
            "images": [DUSK_URL],
            "prompt": "make animate",
            "aspect_ratio": "16:9",
            "enhance_prompt": True,
            "enable_upsample": True,
        },
    ),
    Order(
        NEWAPI,
        form=True,
        fields={
            "model": "veo_3_1-fast-remix",
            "prompt": "一只橘猫在花园里散步",
            "prompt_extend": "夜幕降临，下起雪来",
            "size": "1280x720",
        },
    ),
    Order(
        NEWAPI_FLAT,
        form=True,
        fields={"model": "veo_3_1-fast-fl", "prompt": "夜幕降临山谷，窗户亮起灯光", "size": "1280x720"},
        pictures=(("input_reference[]", DUSK_URL), ("input_reference[]", NIGHT_URL)),
    ),
    Order(
        YISHANG,
        form=False,
        fields={
            "model": "sora-2",
            "prompt": "A cat playing piano in the garden",
            "size": "720x1280",
            "seconds": "5",
            "input_reference": [DUSK_URL],
        },
    ),
    Order(
        OPENAI,
        form=False,
        fields={"model": "sora-2", "prompt": "A lighthouse at dusk, gulls over the waves", "seconds": "4"},
    ),
)
