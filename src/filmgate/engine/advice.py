"""What could be made instead: only what the catalogue has, somebody here serves, and is left to pay for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from filmgate.domain.catalogue import GATE, Catalogue
from filmgate.domain.contracts_provider import ANIMATIC
from filmgate.domain.money import dollars
from filmgate.domain.problems import Problem
from filmgate.domain.request import Draft, FilmRequest
from filmgate.domain.specify import Specified, specify
from filmgate.engine.route import Router

Advice = Mapping[str, str]
NONE: Final[Advice] = {}
LESS: Final[Advice] = {"instead": "less", "instead_zh": "更短的视频"}
"""What to choose where nothing that could be named is to be had."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for in a dialect, as it was settled, and what its owner can pay at most."""

    draft: Draft
    dialect: str
    request: FilmRequest
    within_micros: int
    at: datetime


def affordable(wish: Wish, catalogue: Catalogue, router: Router) -> Advice:
    """Give the longest film of the same model, and the same film of another model, that can be paid; or nothing.

    What is made of another film has its length and its model from that, and has no alternative.
    """
    if wish.draft.source is not None:
        return NONE
    shorter = next(_priced(_shorter(wish, catalogue), wish, catalogue, router), None)
    others = _priced(_others(wish, catalogue), wish, catalogue, router)
    other = max(others, key=lambda one: one[1], default=None)
    en, zh = [], []
    if shorter is not None:
        seconds, price = shorter[0].clips[0], dollars(shorter[1])
        en.append(f"{seconds} s ({price})")
        zh.append(f"{seconds} 秒（{price}）")
    if other is not None:
        en.append(f"{other[0].model} ({dollars(other[1])})")
        zh.append(f"{other[0].model}（{dollars(other[1])}）")
    if not en:
        return NONE
    instead, instead_zh = " or ".join(en), "或 ".join(zh)
    return {
        "instead": instead,
        "instead_zh": f" {instead_zh}",
        "suggestion": f"Choose {instead}.",
        "suggestion_zh": f"可改为 {instead_zh}。",
    }


def without_pictures(catalogue: Catalogue, request: FilmRequest, code: str) -> Advice:
    """Give the way on where a provider refused a film and did not say which part, if there is one."""
    models = [model for model in catalogue.models if model.name == request.model]
    optional = any(offer.pictures.least == 0 for model in models for offer in model.offers.values())
    if code != "content_refused" or not request.pictures or not optional:
        return NONE
    return {"suggestion": "Try without the pictures first.", "suggestion_zh": "建议先去掉图片再试。"}


def _shorter(wish: Wish, catalogue: Catalogue) -> Iterator[Draft]:
    # A dialect whose clients said no length may have no field for one.
    if wish.draft.seconds is None and wish.dialect != GATE:
        return
    _, offer = catalogue.find(wish.request.model, wish.dialect, any_model=wish.draft.any_model)
    for seconds in sorted(offer.seconds.allowed, reverse=True):
        if seconds < wish.request.clips[0]:
            yield replace(wish.draft, seconds=str(seconds))


def _others(wish: Wish, catalogue: Catalogue) -> Iterator[Draft]:
    for model in catalogue.models:
        # What draws sketches is no other maker of a film.
        if model.name not in {wish.request.model, ANIMATIC}:
            said = wish.draft.seconds is not None or wish.dialect == GATE
            yield replace(wish.draft, model=model.name, seconds=str(wish.request.clips[0]) if said else None)


def _priced(
    drafts: Iterator[Draft], wish: Wish, catalogue: Catalogue, router: Router
) -> Iterator[tuple[FilmRequest, int]]:
    """Give those that can be made and paid, with their prices."""
    for draft in drafts:
        try:
            found = specify(draft, wish.dialect, catalogue, soften=wish.request.soften)
            price = catalogue.prices.price(found.request, wish.at).amount_micros
        except Problem:
            continue
        if price <= wish.within_micros and _alike(found, wish.request) and router.serves(found.request):
            yield found.request, price


def _alike(found: Specified, asked: FilmRequest) -> bool:
    """Tell whether it is the film that was asked for, but for its model and its length."""
    request = found.request
    if request.model != asked.model and request.clips != asked.clips:
        return False
    same = (request.size, request.upsample_to, request.sound, request.clips[1:], len(request.pictures))
    return same == (asked.size, asked.upsample_to, asked.sound, asked.clips[1:], len(asked.pictures))
