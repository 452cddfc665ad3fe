"""What the demo asks for, as rows: a dialect's wire, and the requests that are sent over it.

A further dialect is a further `Tongue` and its `Order`s; nothing else here knows one by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from filmgate.cli.output import Json

PICTURE_URL: Final = "{picture_url}"


@dataclass(frozen=True, slots=True)
class Tongue:
    """One dialect's wire: paths, and where its answers hold what a client reads (dotted names)."""

    name: str
    create: str
    show: str
    id_field: str
    status_field: str
    done: frozenset[str]
    failed: frozenset[str]
    progress_field: str
    reason_field: str
    film_field: str = ""
    film_path: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One request: a JSON body, or the fields of a form; `pictures` are form fields that hold the demo's picture."""

    tongue: Tongue
    form: bool
    fields: Mapping[str, Json]
    pictures: Sequence[str] = field(default=())

    @property
    def prompt(self) -> str:
        return str(self.fields["prompt"])

    def filled(self, picture_url: str) -> Mapping[str, Json]:
        """Put the address of the demo's own picture where the row says so."""
        return {name: _filled(value, picture_url) for name, value in self.fields.items()}


def _filled(value: Json, picture_url: str) -> Json:
    if isinstance(value, list):
        return [_filled(part, picture_url) for part in value]
    return picture_url if value == PICTURE_URL else value


YISHANG: Final = Tongue(
    name="yishang",
    create="/v1/videos",
    show="/v1/videos/{id}",
    id_field="task_id",
    status_field="status",
    done=frozenset({"completed"}),
    failed=frozenset({"failed"}),
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
    done=frozenset({"completed"}),
    failed=frozenset({"failed"}),
    progress_field="progress",
    reason_field="error.message",
    film_path="/openai/v1/videos/{id}/content",
)

ORDERS: Final = (
    # The example of the dialect's own document, but for the picture's address.
    Order(
        YISHANG,
        form=False,
        fields={
            "model": "sora-2",
            "prompt": "A cat playing piano in the garden",
            "size": "720x1280",
            "seconds": "5",
            "input_reference": [PICTURE_URL],
        },
    ),
    Order(
        YISHANG,
        form=False,
        fields={
            "model": "veo3.1",
            "prompt": "雨巷里的纸船，灯笼在水中的倒影",
            "size": "1280x720",
            "seconds": "4",
        },
    ),
    Order(
        OPENAI,
        form=False,
        fields={"model": "sora-2", "prompt": "A lighthouse at dusk, gulls over the waves", "seconds": "4"},
    ),
    # As the official client sends it: a form, with the picture as a file.
    Order(
        OPENAI,
        form=True,
        fields={"model": "sora-2", "prompt": "The valley wakes up", "seconds": "4", "size": "1280x720"},
        pictures=("input_reference",),
    ),
)
