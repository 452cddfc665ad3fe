"""The bodies of `/gate/v1`, as its OpenAPI file shows them."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from filmgate.domain.limits import MOST_PICTURES, START_WITHIN_S
from filmgate.domain.record import ProgressSource
from filmgate.domain.states import State
from filmgate.engine.whereabouts import WaitingFor


class NewFilm(BaseModel):
    """What to make; everything but the prompt has a default."""

    model_config = ConfigDict(extra="ignore")

    prompt: str
    model: str = "animatic"
    size: str | None = Field(None, description="`WxH`, or a ratio such as `9:16`.")
    seconds: Annotated[int, Field(strict=True)] | None = None
    seed: Annotated[int, Field(strict=True)] | None = None
    image: str | None = Field(None, description="A first frame: an https address or a data URI.")
    last_image: str | None = Field(None, description="A last frame; it needs a first one.")
    references: list[str] = Field(
        [], max_length=MOST_PICTURES, description="Pictures of what the film shows."
    )
    prompt_extend: str | None = Field(
        None, description="What a second clip shows, where the model makes one."
    )
    enhance: bool = Field(default=False, description="Let the prompt be worded richly in English.")
    upsample: bool = Field(default=False, description="Scale the film up, to 1080p or as the model says.")
    sound: bool = True
    callback_url: str | None = Field(None, description="An https address that is told when the film ends.")
    deliver_to: str | None = Field(
        None, description="A destination of the operator's, into which the film goes; empty for none."
    )
    deadline_s: Annotated[int, Field(strict=True, ge=1, le=START_WITHIN_S)] | None = Field(
        None, description="A film that has not begun within so many seconds ends as expired, for nothing."
    )


class DetailsOut(BaseModel):
    """What is known of an error beside its sentence; null what is not."""

    field: str | None = Field(None, description="The field of the request, as the client wrote it.")
    input: str | None = Field(
        None,
        description="The culprit: `prompt`, `first_frame`, `last_frame`, `reference[1]` (the first), `source`, "
        "`output`, or `unknown` where a provider did not say.",
    )
    reason: str | None = None
    suggestion: str | None = Field(None, description="What could be made instead, and paid.")
    retryable: bool = Field(description="Whether the same request, unchanged, may succeed later.")
    charged_micros: int | None = Field(None, description="What the task cost; null where there is none.")
    docs: str = Field(description="The row of the page of errors.")
    exit_code: int = Field(description="With which a verb of the command line ends.")
    cost_micros: int | None = Field(None, description="What the film will cost that cannot be stopped.")


class ErrorOut(BaseModel):
    """`code` never changes; `message` is in the language of the key, or of the request."""

    code: str
    message: str
    details: DetailsOut


class ErrorAnswer(BaseModel):
    """How each error is answered."""

    error: ErrorOut


class FilmOut(BaseModel):
    """The film's own measures, read from the file."""

    seconds: float
    width: int
    height: int
    fps: float
    frames: int
    size_bytes: int
    video_codec: str
    audio_codec: str | None


class SpanOut(BaseModel):
    """A time that is shown: in steps of 10 s below a minute, of 30 s below ten, of a minute above."""

    low_s: int
    high_s: int


class BasisOut(BaseModel):
    """Which films an estimate stands on: finished ones with all of this in common."""

    provider: str
    model: str
    seconds: int
    size: str
    days: int


class EtaOut(BaseModel):
    """How long a run takes: half of those before took `low_s` at most, nine of ten `high_s`."""

    low_s: float | None = Field(None, description="Null where fewer than eight runs stand for it.")
    high_s: float | None = None
    sample: int = Field(description="How many runs it stands on.")
    basis: BasisOut
    past: bool = Field(default=False, description="It has run for longer than nine of ten before it.")
    left: SpanOut | None = Field(
        None, description="What is left of that; null before the start and once past."
    )
    withheld: bool = Field(
        default=False, description="There is an estimate, and those of this model held too seldom of late."
    )


class Addresses(BaseModel):
    self: str
    events: str
    cancel: str
    console: str
    video: str | None = None
    thumbnail: str | None = None
    poster: str | None = None
    first: str | None = Field(None, description="The first clip, where the film has two.")
    source: str | None = Field(None, description="The film before it was scaled up.")


class RecordOut(BaseModel):
    """What became of the task on its way."""

    enhanced_prompt: str | None
    enhanced_by: str | None
    softened_prompt: str | None = Field(description="What was sent after a provider had refused the prompt.")
    retries: int
    last_error: str | None
    upsampled_by: str | None
    upsample_error: str | None
    joined_by: str | None
    retry_of: str | None = Field(description="The task that this one was asked for again.")
    warnings: list[str]


class TaskOut(BaseModel):
    id: str
    name: str = Field(description="The id that the task's dialect shows.")
    dialect: str
    state: State
    progress: int
    progress_source: ProgressSource = Field(
        description="reported: by the provider; measured: by the gate; estimated: from earlier films, 90 at most."
    )
    model: str
    prompt: str
    size: str
    seconds: int
    queue_position: int | None = Field(
        None,
        description="How many tasks of this gate are ahead; 0 is next; null where it does not wait here.",
    )
    waiting_for: WaitingFor | None = Field(
        None,
        description="your_limit: as many run as may; turn: others come first; provider: it is full, shut, or has not "
        "begun; reply: that of its submit was lost, and is looked for.",
    )
    queue_eta: SpanOut | None = Field(
        None, description="How long the wait for its turn may be; null where unknown."
    )
    eta: EtaOut | None = Field(
        None, description="How long the run takes, without the wait; null once it has ended."
    )
    hold_micros: int
    cost_micros: int | None
    created_at: datetime
    started_at: datetime | None
    start_by: datetime | None = Field(None, description="It ends for nothing unless it has begun by then.")
    ended_at: datetime | None
    clips: list[int] = Field(description="The lengths of the film's clips in seconds.")
    record: RecordOut
    waited_s: float
    running_s: float
    version: int
    cancel: Literal["requested", "refused"] | None = Field(
        None, description="requested: not confirmed yet; refused: the provider goes on."
    )
    error: ErrorOut | None
    film: FilmOut | None
    urls: Addresses


class AttemptOut(BaseModel):
    clip: int
    no: int
    provider: str
    key: str
    state: str
    sent_at: datetime
    closed_at: datetime | None
    error_class: str | None
    error_text: str | None = Field(description="What went wrong, in our words.")


class ShipmentOut(BaseModel):
    """A film on its way into a destination."""

    destination: str
    name: str = Field(description="What it is called there.")
    state: Literal["due", "delivered", "given_up"]
    tries: int = Field(description="Tries since it was made, or since it was last asked for again.")
    tries_most: int
    next_at: datetime | None = Field(description="Null while a try is in hand, and when there will be none.")
    trouble: str | None = Field(description="What stood in the way of the last try, in one word.")
    created_at: datetime
    ended_at: datetime | None


class LineOut(BaseModel):
    what: str
    clip: int
    quantity: int
    unit: Literal["second"]
    unit_price_micros: int
    amount_micros: int
    size: str | None = Field(None, description="The size that this price is for.")


class ReceiptOut(BaseModel):
    """What was agreed to, and what became of it; what is not settled yet is null."""

    lines: list[LineOut]
    delivered: list[LineOut] | None = Field(
        None,
        description="The lines of what is there, which are charged: a clip that was not scaled up at its own size.",
    )
    since: str = Field(description="From when on the price held.")
    held_micros: int
    charged_micros: int | None
    returned_micros: int | None


class TaskDetailOut(TaskOut):
    deliveries: list[ShipmentOut] = Field([], description="Where the film went, or goes, beside this gate.")
    attempts: list[AttemptOut] | None = None
    receipt: ReceiptOut | None = None


class TaskPageOut(BaseModel):
    data: list[TaskOut]
    next_cursor: str | None


class PriceOut(BaseModel):
    """What a second costs where the film's shorter side has up to so many pixels."""

    side: int
    sound: bool
    unit: Literal["second"]
    unit_price_micros: int
    since: date


class ModelOut(BaseModel):
    name: str
    owner: str
    about: str
    dialects: list[str]
    seconds: list[int]
    default_seconds: int
    sizes: list[str]
    ratios: list[str]
    prompt_characters: int
    pictures: dict[str, int] = Field(description="How many are used of each role.")
    sound: bool
    prices: list[PriceOut]
    eta: EtaOut = Field(description="Of its usual length and size.")
    available: bool
    unavailable: Literal["no_route", "no_price"] | None


class ModelPageOut(BaseModel):
    data: list[ModelOut]
