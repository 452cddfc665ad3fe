"""From what was asked to what will be made: every value is checked against the model's offer, once, here."""

from filmgate.domain.catalogue import Catalogue, Model, Offer
from filmgate.domain.limits import PICTURE_URL_CHARACTERS
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, FilmRequest, Picture, PictureRole
from filmgate.domain.size import Size

_SEED_LIMIT = 2**32
_DIGITS = 10


def specify(draft: Draft, dialect: str, catalogue: Catalogue) -> tuple[FilmRequest, Model]:
    """Settle a draft against the catalogue, or raise the Problem that names the field and what would be right."""
    if not draft.prompt or not draft.prompt.strip():
        raise Problem("missing_parameter", field="prompt")
    if not draft.model:
        raise Problem("missing_parameter", field="model")
    model, offer = catalogue.find(draft.model, dialect)
    for field, text in (("prompt", draft.prompt), ("prompt_extend", draft.prompt_extend)):
        if text is not None and len(text) > offer.prompt_characters:
            raise Problem("prompt_too_long", field=field, length=len(text), limit=offer.prompt_characters)
    return FilmRequest(
        model=model.name,
        prompt=draft.prompt.strip(),
        prompt_extend=draft.prompt_extend,
        size=_size(draft, offer),
        seconds=_seconds(draft, model, offer),
        pictures=_pictures(draft, model),
        seed=_seed(draft),
        sound=draft.sound and model.sound,
        enhance=draft.enhance,
        upsample=draft.upsample,
        metadata=draft.metadata,
    ), model


def _size(draft: Draft, offer: Offer) -> Size:
    field, given = ("size", draft.size) if draft.size else ("aspect_ratio", draft.aspect_ratio)
    if not given:
        return offer.sizes[0]
    try:
        return Size.parse(given).nearest(offer.sizes)
    except ValueError:
        raise Problem("size_unsupported", field=field, given=given[:40]) from None


def _seconds(draft: Draft, model: Model, offer: Offer) -> int:
    if draft.seconds is None:
        return offer.seconds.default
    seconds = _whole(draft.seconds)
    if seconds not in offer.seconds.allowed:
        allowed, given = str(offer.seconds), draft.seconds[:40]
        raise Problem("duration_unsupported", field="seconds", allowed=allowed, given=given, model=model.name)
    return seconds


def _seed(draft: Draft) -> int | None:
    if draft.seed is None:
        return None
    if not 0 <= _whole(draft.seed) < _SEED_LIMIT:
        reason = f"a whole number from 0 to {_SEED_LIMIT - 1} is right"
        reason_zh = f"应为 0 到 {_SEED_LIMIT - 1} 的整数"
        raise Problem("invalid_parameter", field="seed", reason=reason, reason_zh=reason_zh)
    return _whole(draft.seed)


def _whole(text: str) -> int:
    """Read a whole number of at most ten digits; -1 for anything else."""
    return int(text) if len(text) <= _DIGITS and text.isascii() and text.isdigit() else -1


def _pictures(draft: Draft, model: Model) -> tuple[Picture, ...]:
    counts = model.pictures
    for role, most in (
        (PictureRole.FIRST, counts.first),
        (PictureRole.LAST, counts.last),
        (PictureRole.REFERENCE, counts.reference),
    ):
        if sum(picture.role is role for picture in draft.pictures) > most:
            raise Problem(
                "pictures_unsupported",
                field="input_reference",
                model=model.name,
                allowed="no picture" if counts.total == 0 else f"at most {counts.total} picture(s)",
                allowed_zh="不带图片" if counts.total == 0 else f"最多 {counts.total} 张图片",
                given=len(draft.pictures),
            )
    if any(len(picture.url or "") > PICTURE_URL_CHARACTERS for picture in draft.pictures):
        raise Problem("picture_denied", field="input_reference")
    return draft.pictures
