"""The objects of the gate's own HTTP, as far as the verbs read them."""

from typing import NotRequired, TypedDict


class ErrorShape(TypedDict):
    code: str
    message: str
    details: NotRequired[dict[str, str | int | None]]


class FilmShape(TypedDict):
    seconds: float
    width: int
    height: int
    fps: float
    frames: int
    size_bytes: int
    video_codec: str
    audio_codec: str | None


class UrlsShape(TypedDict):
    self: str
    video: str | None
    thumbnail: str | None
    first: str | None
    source: str | None


class RecordShape(TypedDict):
    enhanced_prompt: str | None
    enhanced_by: str | None
    softened_prompt: str | None
    retries: int
    last_error: str | None
    upsampled_by: str | None
    upsample_error: str | None
    joined_by: str | None
    warnings: list[str]


class AttemptShape(TypedDict):
    clip: int
    no: int
    provider: str
    key: str
    state: str
    sent_at: str
    closed_at: str | None
    error_class: str | None
    error_text: str | None
    credential: NotRequired[str]
    """This and what follows only operators are told."""
    vendor_ref: NotRequired[str | None]


class WorkShape(TypedDict):
    step: str
    due_at: str
    tries: int
    deaths: int
    leased: bool


class SpanShape(TypedDict):
    low_s: int
    high_s: int


class EtaShape(TypedDict):
    low_s: float | None
    high_s: float | None
    sample: int
    past: bool
    left: SpanShape | None
    withheld: bool


class TaskShape(TypedDict):
    id: str
    name: str
    dialect: str
    state: str
    progress: int
    progress_source: NotRequired[str]
    model: str
    prompt: str
    size: str
    seconds: int
    queue_position: int | None
    waiting_for: NotRequired[str | None]
    queue_eta: NotRequired[SpanShape | None]
    eta: NotRequired[EtaShape | None]
    hold_micros: int
    cost_micros: int | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    clips: list[int]
    record: RecordShape
    waited_s: float
    running_s: float
    version: int
    error: ErrorShape | None
    film: FilmShape | None
    urls: UrlsShape
    account: NotRequired[str]
    """This and what follows only operators are told."""
    key_id: NotRequired[int]
    key: NotRequired[str | None]
    uncertain: NotRequired[bool]


def key_name(task: TaskShape) -> str:
    """Name the key that asked for a task, for operators."""
    return task.get("key") or str(task.get("key_id", ""))


class LineShape(TypedDict):
    what: str
    clip: int
    quantity: int
    unit: str
    unit_price_micros: int
    amount_micros: int
    size: NotRequired[str | None]


class ReceiptShape(TypedDict):
    lines: list[LineShape]
    delivered: NotRequired[list[LineShape] | None]
    since: str
    held_micros: int
    charged_micros: int | None
    returned_micros: int | None


class TaskDetailShape(TaskShape):
    attempts: list[AttemptShape] | None
    receipt: NotRequired[ReceiptShape | None]
    work: NotRequired[WorkShape | None]


class TaskPageShape(TypedDict):
    data: list[TaskShape]
    next_cursor: str | None


class QuoteShape(TypedDict):
    """A price; one that was asked for another's key binds nobody."""

    quote_id: NotRequired[str]
    amount_micros: int
    lines: list[LineShape]
    expires_at: NotRequired[str]
    model: str
    size: str
    clips: list[int]
    remaining_micros: int | None
    after_micros: int | None
    warnings: list[str]


class ModelPriceShape(TypedDict):
    side: int
    sound: bool
    unit: str
    unit_price_micros: int


class ModelShape(TypedDict):
    name: str
    owner: str
    about: str
    dialects: list[str]
    seconds: list[int]
    default_seconds: int
    sizes: list[str]
    pictures: dict[str, int]
    sound: bool
    prices: NotRequired[list[ModelPriceShape]]
    eta: NotRequired[EtaShape | None]
    available: bool


class ModelPageShape(TypedDict):
    data: list[ModelShape]


class KeyShape(TypedDict):
    id: int
    name: str
    account: str | None
    hint: str
    operator: bool
    dialect: str | None
    language: str | None
    strict: bool
    soften: bool
    budget_micros: int | None
    budget_period: str | None
    spent_micros: int
    held_micros: int
    max_running: int | None
    running: int
    unfinished: NotRequired[int]
    max_unfinished: NotRequired[int | None]
    submits_per_minute: NotRequired[int | None]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    successor_id: NotRequired[int | None]


class KeyPageShape(TypedDict):
    data: list[KeyShape]


class CreatedKeyShape(TypedDict):
    id: int
    name: str
    account: str
    key: str


class FormerKeyShape(TypedDict):
    id: int
    expires_at: str


class RotatedKeyShape(CreatedKeyShape):
    former: FormerKeyShape
