"""From what was asked to what will be made: every value is checked against the model's offer, once, here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import orjson

from filmgate.domain.catalogue import Catalogue, Extension, Model, Offer
from filmgate.domain.limits import (
    KIB,
    LONGEST_FILM_SECONDS,
    METADATA_BYTES,
    MIB,
    PICTURE_URL_CHARACTERS,
)
from filmgate.domain.problems import Problem
from filmgate.domain.request import (
    Draft,
    FilmRequest,
    GivenPicture,
    Json,
    NamedSource,
    Picture,
    PictureRole,
    Source,
    SourceKind,
    Upload,
)
from filmgate.domain.size import Size

_SEED_LIMIT: Final = 2**32
_DIGITS: Final = 10
_SHOWN_SIZES: Final = 3
_RESOLUTION: Final = re.compile(r"(\d{3,4})[pP]")
_SIDES: Final = {"4k": 2160, "2k": 1440, "small": 720, "medium": 720, "large": 1080}


@dataclass(frozen=True, slots=True)
class EarlierFilm:
    """The film that a request goes on from or varies, with what of it bears on the new one."""

    source: Source
    size: Size
    seconds: int
    seed: int | None
    model: str


@dataclass(frozen=True, slots=True)
class Specified:
    request: FilmRequest
    deadline: timedelta
    warnings: tuple[str, ...]


def specify(
    draft: Draft,
    dialect: str,
    catalogue: Catalogue,
    *,
    earlier: EarlierFilm | None = None,
    soften: bool = False,
) -> Specified:
    """Settle a draft against the catalogue, or raise the Problem that names the field and what would be right."""
    try:
        return _specify(draft, dialect, catalogue, earlier, soften=soften)
    except Problem as problem:
        raise problem.spelled(draft.spelled) from None


def _specify(
    draft: Draft, dialect: str, catalogue: Catalogue, earlier: EarlierFilm | None, *, soften: bool
) -> Specified:
    if not draft.prompt or not draft.prompt.strip():
        raise Problem("missing_parameter", field="prompt")
    if not draft.model:
        raise Problem("missing_parameter", field="model")
    model, offer = catalogue.find(draft.model, dialect, any_model=draft.any_model)
    for field, text in (("prompt", draft.prompt), ("prompt_extend", draft.prompt_extend)):
        if text is not None and len(text) > offer.prompt_characters:
            raise Problem("prompt_too_long", field=field, length=len(text), limit=offer.prompt_characters)
    _demand_alike(draft, model, offer, earlier)
    size = earlier.size if earlier else _size(draft, offer)
    pictures, left_out = _pictures(draft, model, offer)
    warnings = [f"{left_out} more pictures came than the model uses"] if left_out else []
    if draft.upsample and offer.upsample_side is None:
        warnings.append("the model has no upsampling")
    request = FilmRequest(
        model=model.name,
        prompt=draft.prompt.strip(),
        prompt_extend=_prompt_extend(draft, offer),
        size=size,
        clips=_clips(draft, model, offer, earlier),
        pictures=pictures,
        picture_bytes=offer.pictures.mib * MIB,
        seed=_seed(draft),
        sound=draft.sound and model.sound,
        enhance=draft.enhance,
        upsample_to=_upsample_to(draft, offer, size),
        soften=soften,
        source=earlier.source if earlier else None,
        metadata=_metadata(draft),
        callback_url=draft.callback_url,
        deliver_to=draft.deliver_to,
        start_within_s=draft.start_within_s,
    )
    return Specified(request, offer.deadline, tuple(warnings))


def _demand_alike(draft: Draft, model: Model, offer: Offer, earlier: EarlierFilm | None) -> None:
    """Refuse to vary a film as another kind of film: a provider that varies its own makes it as it was."""
    if earlier is None or earlier.source.kind is not SourceKind.REMIX:
        return
    if model.name != earlier.model:
        raise _unlike("model", earlier.model)
    if draft.seconds is not None and _whole(draft.seconds) != earlier.seconds:
        raise _unlike("seconds", str(earlier.seconds))
    for field in ("size", "aspect_ratio", "resolution"):
        given = getattr(draft, field)
        if given and given != str(earlier.size) and _size(draft, offer) != earlier.size:
            raise _unlike(field, str(earlier.size))


def _unlike(field: str, right: str) -> Problem:
    reason = f"a remix has that of the film that it varies: {right}, or nothing, is right."
    return Problem(
        "invalid_parameter", field=field, reason=reason, reason_zh=f"应与原视频一致：{right}，或不填。"
    )


def _metadata(draft: Draft) -> Mapping[str, Json]:
    """Keep what a client notes; pictures among it are kept as pictures."""
    kept = {
        name: value
        for name, value in draft.metadata.items()
        if not (isinstance(value, str) and value[:5].lower() == "data:")
    }
    if len(orjson.dumps(kept)) > METADATA_BYTES:
        reason, reason_zh = (
            f"at most {METADATA_BYTES // KIB} KiB are right.",
            f"最多 {METADATA_BYTES // KIB} KiB。",
        )
        raise Problem("invalid_parameter", field="metadata", reason=reason, reason_zh=reason_zh)
    return kept


def _prompt_extend(draft: Draft, offer: Offer) -> str | None:
    extension, text = offer.extension, (draft.prompt_extend or "").strip()
    if extension is None or extension.of_another:
        return None
    if extension.required and not text:
        raise Problem("missing_parameter", field="prompt_extend")
    return text or None


def _clips(draft: Draft, model: Model, offer: Offer, earlier: EarlierFilm | None) -> tuple[int, ...]:
    extension = offer.extension
    if earlier is not None and draft.source is not None and draft.source.kind is SourceKind.EXTEND:
        return _extended(draft.source, model, extension, earlier)
    if extension is not None and extension.of_another:
        raise Problem("missing_parameter", field="remix_id")
    first = _seconds(draft, model, offer) if earlier is None or draft.seconds else earlier.seconds
    if extension is None or not (extension.required or (draft.prompt_extend or "").strip()):
        return (first,)
    return (first, extension.seconds)


def _extended(
    source: NamedSource, model: Model, extension: Extension | None, earlier: EarlierFilm
) -> tuple[int, ...]:
    if extension is None:
        reason, reason_zh = f"{model.name} extends no films.", f"{model.name} 不支持延长。"
        raise Problem("source_unusable", field=source.field, reason=reason, reason_zh=reason_zh)
    if earlier.seconds + extension.seconds > LONGEST_FILM_SECONDS:
        reason = f"with its extension it would last more than {LONGEST_FILM_SECONDS} s."
        reason_zh = f"延长后将超过 {LONGEST_FILM_SECONDS} 秒。"
        raise Problem("source_unusable", field=source.field, reason=reason, reason_zh=reason_zh)
    return (earlier.seconds, extension.seconds)


def _size(draft: Draft, offer: Offer) -> Size:
    """Choose among the offered sizes by ratio, and by the shorter side where one is asked for."""
    sizes, ratio, side = offer.sizes, None, None
    for field, given in (
        ("size", draft.size),
        ("aspect_ratio", draft.aspect_ratio),
        ("resolution", draft.resolution),
    ):
        if not given:
            continue
        read = _side(given)
        side = side or read
        if read is None:
            ratio = ratio or _ratio(field, given, offer)
    if ratio in sizes:
        return ratio
    if ratio is not None:
        nearest = ratio.nearest(sizes)
        if side is None:
            return nearest
        sizes = tuple(size for size in sizes if abs(size.ratio - nearest.ratio) < 0.01)  # noqa: PLR2004  # equal ratios
    fitting = [size for size in sizes if min(size.width, size.height) == side]
    return (fitting or list(sizes))[0]


def _ratio(field: str, given: str, offer: Offer) -> Size:
    try:
        return Size.parse(given)
    except ValueError:
        shown = [str(size) for size in offer.sizes[:_SHOWN_SIZES]]
        suggestion, suggestion_zh = f"Ask for {' or '.join(shown)}.", f"可改为 {'、'.join(shown)}。"
        raise Problem(
            "size_unsupported",
            field=field,
            given=given[:40],
            suggestion=suggestion,
            suggestion_zh=suggestion_zh,
        ) from None


def _side(text: str) -> int | None:
    """Read a resolution, such as 720p, 4K or large, as the shorter side in pixels."""
    found = _RESOLUTION.fullmatch(text.strip())
    return int(found[1]) if found else _SIDES.get(text.strip().lower())


def _seconds(draft: Draft, model: Model, offer: Offer) -> int:
    if draft.seconds is None:
        return offer.seconds.default
    seconds = _whole(draft.seconds)
    if seconds not in offer.seconds.allowed:
        allowed, given = str(offer.seconds), draft.seconds[:40]
        problem = Problem(
            "duration_unsupported", field="seconds", allowed=allowed, given=given, model=model.name
        )
        if seconds >= 0:
            nearest = min(offer.seconds.allowed, key=lambda one: (abs(one - seconds), one))
            problem.parameters |= {
                "suggestion": f"Ask for {nearest} s.",
                "suggestion_zh": f"可改为 {nearest} 秒。",
            }
        raise problem
    return seconds


def _seed(draft: Draft) -> int | None:
    if draft.seed is None:
        return None
    if not 0 <= _whole(draft.seed) < _SEED_LIMIT:
        reason = f"a whole number from 0 to {_SEED_LIMIT - 1} is right."
        reason_zh = f"应为 0 到 {_SEED_LIMIT - 1} 的整数。"
        raise Problem("invalid_parameter", field="seed", reason=reason, reason_zh=reason_zh)
    return _whole(draft.seed)


def _whole(text: str) -> int:
    """Read a whole number of at most ten digits; -1 for anything else."""
    return int(text) if len(text) <= _DIGITS and text.isascii() and text.isdigit() else -1


def _upsample_to(draft: Draft, offer: Offer, size: Size) -> Size | None:
    side, shorter = offer.upsample_side, min(size.width, size.height)
    if side is None or not (draft.upsample or offer.upsample_always) or shorter >= side:
        return None
    return Size(round(size.width * side / shorter / 2) * 2, round(size.height * side / shorter / 2) * 2)


def _pictures(draft: Draft, model: Model, offer: Offer) -> tuple[tuple[Picture, ...], int]:
    """Give each picture its role, and say how many beyond those are left out."""
    allowed, given = offer.pictures, draft.pictures
    roles = _roles(given, allowed.rule)
    counts = {role: roles.count(role) for role in PictureRole}
    unfit = any(count and allowed.counts.get(role, 0) < min(count, 1) for role, count in counts.items())
    mixed = counts[PictureRole.REFERENCE] and counts[PictureRole.FIRST] + counts[PictureRole.LAST]
    headless = counts[PictureRole.LAST] and not counts[PictureRole.FIRST]
    if unfit or mixed or headless or not allowed.least <= len(given) <= allowed.most:
        raise _unsupported(model, offer, draft)
    used: list[Picture] = []
    for picture, role in zip(given, roles, strict=True):
        if sum(one.role is role for one in used) < allowed.counts[role] and len(used) < allowed.used:
            used.append(_picture(picture, role))
    if len(used) < len(given) and allowed.used == allowed.most:
        raise _unsupported(model, offer, draft)
    return tuple(sorted(used, key=lambda one: list(PictureRole).index(one.role))), len(given) - len(used)


def _roles(given: tuple[GivenPicture, ...], rule: str) -> list[PictureRole]:
    unsaid = sum(picture.role is None for picture in given)
    order = [PictureRole.FIRST, PictureRole.LAST]
    many = {"mixed": 1, "any": 2}.get(rule, len(given))
    if rule == "references" or unsaid > many:
        order = [PictureRole.REFERENCE] * len(given)
    taken = {picture.role for picture in given}
    free = iter([role for role in order if role is PictureRole.REFERENCE or role not in taken])
    # A picture too many is one more of the last kind, and is counted as that.
    return [picture.role or next(free, order[-1]) for picture in given]


def _picture(given: GivenPicture, role: PictureRole) -> Picture:
    if isinstance(given.source, Upload):
        return Picture(role, upload=given.source, field=given.field)
    if len(given.source) > PICTURE_URL_CHARACTERS:
        raise Problem("picture_denied", field=given.field)
    return Picture(role, url=given.source, field=given.field)


def _unsupported(model: Model, offer: Offer, draft: Draft) -> Problem:
    given = draft.pictures
    field = given[0].field.partition("[")[0] if given else draft.picture_field
    least, most = offer.pictures.least, offer.pictures.most
    if most == 0:
        allowed, allowed_zh = "no picture", "不带图片"
    elif least:
        allowed, allowed_zh = f"{least} to {most} picture(s)", f"{least} 到 {most} 张图片"
    else:
        allowed, allowed_zh = f"at most {most} picture(s)", f"最多 {most} 张图片"
    kinds = ", ".join(role.value for role in offer.pictures.counts)
    return Problem(
        "pictures_unsupported",
        field=field,
        model=model.name,
        allowed=f"{allowed} ({kinds})" if kinds else allowed,
        allowed_zh=f"{allowed_zh}（{kinds}）" if kinds else allowed_zh,
        given=len(given),
    )
