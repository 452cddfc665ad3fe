"""What a program may read of an error beside its sentence; what is not known is None, never a guess."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from filmgate.domain.problems import RETRYABLE, WORDINGS
from filmgate.domain.request import Json

UNKNOWN: Final = "unknown"
_PAGE: Final = "docs/errors.md"
_INPUTS: Final[Mapping[str, str]] = {
    "content_refused": UNKNOWN,
    "request_refused": UNKNOWN,
    "prompt_too_long": "prompt",
    "source_unusable": "source",
    "source_gone": "source",
    "result_lost": "output",
    "render_failed": "output",
}
"""What is to blame by the code alone; a provider that refuses does not say which part of a request it means."""
_BY_FIELD: Final[Mapping[str, str]] = {
    "prompt": "prompt",
    "prompt_extend": "prompt",
    "image": "first_frame",
    "last_image": "last_frame",
    "remix_id": "source",
}

Parameters = Mapping[str, str | int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """`input` names the culprit: `prompt`, `first_frame`, `last_frame`, `reference[1]`, `source`, `output`, or `unknown`.

    `docs` is the row of the page of errors; `retryable` says whether the same request may succeed later.
    """

    field: str | None
    input: str | None
    reason: str | None
    suggestion: str | None
    retryable: bool
    charged_micros: int | None
    docs: str
    exit_code: int

    def as_json(self) -> dict[str, Json]:
        return asdict(self)


def details(
    code: str, parameters: Parameters, language: str, *, charged_micros: int | None = None
) -> Details:
    """Give the details of a code of the catalogue; `charged_micros` is what its task cost, where there is one."""
    return Details(
        field=_text(parameters, "field"),
        input=_input(code, parameters),
        reason=_told(parameters, "reason", language),
        suggestion=_told(parameters, "suggestion", language),
        retryable=code in RETRYABLE,
        charged_micros=charged_micros,
        docs=f"{_PAGE}#{code}",
        exit_code=WORDINGS[code].exit_code,
    )


def _input(code: str, parameters: Parameters) -> str | None:
    said = _text(parameters, "input")
    cause = _text(parameters, "cause") or code
    return said or _INPUTS.get(cause) or _BY_FIELD.get(_text(parameters, "field") or "")


def _told(parameters: Parameters, name: str, language: str) -> str | None:
    said = _text(parameters, f"{name}_zh") if language == "zh" else None
    return said or _text(parameters, name)


def _text(parameters: Parameters, name: str) -> str | None:
    said = parameters.get(name)
    return None if said is None or said == "" else str(said)
