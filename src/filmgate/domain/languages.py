"""Which language a reader is told things in: `en` or `zh`, the two that every text here has."""

from typing import Final, Literal, TypeAlias, cast, get_args

Language: TypeAlias = Literal["zh", "en"]
LANGUAGES: Final = cast("tuple[Language, ...]", get_args(Language))

# More ranges than any client writes, and few enough to read for nothing.
_RANGES: Final = 32
_THOUSAND: Final = 1000
_DECIMALS: Final = 3


def accepted_language(said: str) -> Language | None:
    """Give the language that an `Accept-Language` likes best; None where it leaves that open, or likes neither.

    A range such as `zh-CN` or `zh_CN` means its language, `*` those that are not named, and `q=0` refuses one. What
    cannot be read is passed over.
    """
    likes: dict[str, int] = {}
    for part in said.split(",", _RANGES)[:_RANGES]:
        written, _, parameter = part.partition(";")
        named, like = written.strip().lower().replace("_", "-").partition("-")[0], _quality(parameter)
        if like is not None and (named in LANGUAGES or named == "*"):
            likes[named] = max(like, likes.get(named, 0))
    anything = likes.pop("*", 0)
    liked = {language: likes.get(language, anything) for language in (*likes, *LANGUAGES)}
    best = max(liked.values())
    first, *others = (language for language, like in liked.items() if like == best)
    if best == 0 or (first not in likes and others):
        return None
    return cast("Language", first)


def _quality(parameter: str) -> int | None:
    """Read `q=0.8` in thousandths, and nothing as all of them; None for what is neither."""
    name, _, value = parameter.partition("=")
    if not parameter.strip():
        return _THOUSAND
    whole, _, decimals = value.strip().partition(".")
    if name.strip().lower() != "q" or whole not in {"0", "1"} or len(decimals) > _DECIMALS:
        return None
    if decimals and not (decimals.isascii() and decimals.isdigit()):
        return None
    quality = int(whole) * _THOUSAND + int(decimals.ljust(_DECIMALS, "0") or 0)
    return quality if quality <= _THOUSAND else None
