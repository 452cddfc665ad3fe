"""What clients of this dialect send: multipart or JSON for one clip, and two prompts for two."""

from typing import Final

from filmgate.dialects.newapi.words import GENERATIONS
from filmgate.dialects.reading import callback, first, metadata, number, pictures, spelled, text, truth
from filmgate.domain.contracts import Action, Call, Content, Create, Fields, Show
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, NamedSource, SourceKind
from filmgate.domain.size import Size

_FAMILY: Final = "veo_3_1"
_REMIX, _EXTEND = "-remix", "-extend"
_TRUTHS: Final = frozenset({"true", "false"})
_RATIO: Final = ("aspect_ratio", "aspectRatio")
_RATIO_PART: Final = 100
"""Sides up to this are those of a ratio, such as 16x9, not pixels."""
_FULL_HD, _UHD = 1920, 3840


def claims(call: Call) -> bool:
    """Claim the family of models that only this relay names so, and a second prompt."""
    model, second = call.fields.get("model"), call.fields.get("prompt_extend")
    if isinstance(model, str) and (model.startswith(_FAMILY) or model.endswith((_REMIX, _EXTEND))):
        return True
    return isinstance(second, str) and bool(second.strip()) and not _is_truth(second)


def parse(call: Call) -> Action:
    task_id = call.params.get("id", "")
    match call.verb:
        case "create":
            _refuse_json(call)
            return Create(_draft(call.fields))
        case "generate":
            _refuse_several(call.fields)
            return Create(_draft(call.fields, any_model=True), GENERATIONS)
        case "generation":
            return Show(task_id, GENERATIONS)
        case "content":
            return Content(task_id, "thumbnail" if call.query.get("variant") == "thumbnail" else "video")
        case "result":
            raise Problem("not_found")
        case _:
            return Show(task_id)


def _refuse_json(call: Call) -> None:
    """Refuse JSON for a film of two clips where the relay's document holds to the letter: it takes forms alone."""
    if call.strict and not call.form and (text(call.fields, "model") or "").endswith(_REMIX):
        raise Problem(
            "invalid_parameter",
            field="Content-Type",
            reason="multipart/form-data is right for -remix models, not application/json.",
            reason_zh="-remix 模型应使用 multipart/form-data，而不是 application/json。",
        )


def _refuse_several(fields: Fields) -> None:
    if number(fields, "n") not in {None, "1"}:
        raise Problem(
            "invalid_parameter",
            field="n",
            reason="1 is right: a task makes one film.",
            reason_zh="应为 1：一个任务只生成一个视频。",
        )


def _draft(fields: Fields, *, any_model: bool = False) -> Draft:
    model, more = text(fields, "model"), metadata(fields)
    name = model or ""
    return Draft(
        model=model,
        prompt=text(fields, "prompt"),
        prompt_extend=_prompt_extend(fields),
        size=_size(fields, name),
        aspect_ratio=first(fields, more, _RATIO),
        resolution=first(fields, more, ("resolution",)),
        # The lengths of two clips are their model's, whatever a client writes.
        seconds=None if name.endswith((_REMIX, _EXTEND)) else _seconds(fields),
        pictures=pictures(fields, more),
        upsample=_is_4k(fields, name),
        seed=number(fields, "seed"),
        sound=truth(fields, "generate_audio", default=True),
        source=_source(fields) if name.endswith(_EXTEND) else None,
        any_model=any_model,
        callback_url=callback(fields, more),
        metadata=more,
        spelled={
            **spelled(fields, more, aspect_ratio=_RATIO, resolution=("resolution",)),
            **spelled(fields, {}, size=("size", "width"), seconds=("seconds", "duration")),
        },
    )


def _prompt_extend(fields: Fields) -> str | None:
    """Read the second prompt; a boolean of that name is other relays' word for rewriting the first."""
    return None if _is_truth(fields.get("prompt_extend")) else text(fields, "prompt_extend")


def _is_truth(value: object) -> bool:
    return str(value).strip().lower() in _TRUTHS


def _seconds(fields: Fields) -> str | None:
    return number(fields, "seconds") or number(fields, "duration")


def _source(fields: Fields) -> NamedSource | None:
    remix_id = text(fields, "remix_id")
    if remix_id is None:
        return None
    return NamedSource(SourceKind.EXTEND, remix_id.strip(), "remix_id", use="remix")


def _size(fields: Fields, model: str) -> str | None:
    width, height = number(fields, "width"), number(fields, "height")
    given = text(fields, "size") or (f"{width}x{height}" if width and height else None)
    if given is None or not model.startswith(_FAMILY):
        return given
    try:
        return _of_the_family(Size.parse(given)) or given
    except ValueError:
        # What cannot be read is the catalogue's to refuse.
        return given


def _is_4k(fields: Fields, model: str) -> bool:
    width, height = number(fields, "width"), number(fields, "height")
    given = text(fields, "size") or f"{width}x{height}"
    try:
        size = Size.parse(given)
    except ValueError:
        return False
    return model.startswith(_FAMILY) and max(size.width, size.height) >= _UHD


def _of_the_family(size: Size) -> str | None:
    """Give the size that the family makes of pixels: the longer side says which, its place the orientation.

    None for a square and for a ratio, which it says nothing about.
    """
    longer = max(size.width, size.height)
    if size.width == size.height or longer <= _RATIO_PART:
        return None
    # 4K is a film of 1080p or less, scaled up.
    side = 720 if longer < _FULL_HD else 1080
    wide = side * 16 // 9
    return f"{wide}x{side}" if size.width > size.height else f"{side}x{wide}"
