"""Up to three reference pictures as guests of a scene: cut-outs stand in it, whole pictures hang in it as cards."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from filmgate.animatic import cards
from filmgate.animatic.camera import Camera
from filmgate.animatic.cards import Card, card, card_size
from filmgate.animatic.layout import Box, boxed, free_field, place, taken
from filmgate.animatic.lens import Vignette
from filmgate.animatic.picture import opaque, open_picture
from filmgate.animatic.stage import Element, Stage
from filmgate.animatic.staging import DEPTH, Actor
from filmgate.animatic.standees import feet_row, goes_along, is_cut_out, standee, trimmed

# Where guests are wished across the frame, by how many there are.
_ACROSS = {1: (0.5,), 2: (0.29, 0.71), 3: (0.2, 0.5, 0.8)}
_ACROSS_UPRIGHT = {1: (0.5,), 2: (0.32, 0.68), 3: (0.28, 0.72, 0.4)}
_ACROSS_ASIDE = {1: (0.7,), 2: (0.55, 0.84), 3: (0.2, 0.5, 0.8)}
_CARD_ROWS = {1: (0.4,), 2: (0.4, 0.36), 3: (0.4, 0.33, 0.4)}
_CARD_ROWS_UPRIGHT = {1: (0.3,), 2: (0.2, 0.4), 3: (0.15, 0.27, 0.45)}
_CARD_ROOM = {1: (0.46, 0.5), 2: (0.36, 0.46), 3: (0.28, 0.4)}
_CARD_ROOM_UPRIGHT = {1: (0.74, 0.36), 2: (0.56, 0.26), 3: (0.5, 0.22)}
_COMPANY = 0.82
_ALONE, _IN_COMPANY = 0.52, 0.42
_SIZES, _SHRINKING = (1.0, 0.82, 0.66), 1.0
_GAP = 0.035
_SIGN = 1.8
# How much wider and taller a card is for being tilted.
_TILTED = 1.06


def with_references(
    elements: Sequence[Element], stage: Stage, camera: Camera, paths: Sequence[Path]
) -> list[Element]:
    """Put the guests among the elements: cut-outs where the company stands, cards before all of the set."""
    images = [(open_picture(path), path.name) for path in paths]
    shapes = [trimmed(image, name) if is_cut_out(image) else opaque(image) for image, name in images]
    # What is far wider than tall is no figure but a sign, and signs hang.
    cut = [image for image in shapes if image.mode == "RGBA" and image.width < _SIGN * image.height]
    whole = [image for image in shapes if all(image is not one for one in cut)]
    actors = [element for element in elements if isinstance(element, Actor)]
    standing = _stood(stage, camera, cut, taken(actors, camera), aside=bool(whole) and not actors)
    hanging = _hung(stage, camera, whole, taken([*actors, *standing], camera))
    nearer, lens = _nearer(elements), _lens(elements)
    return [*elements[:nearer], *standing, *elements[nearer:lens], *hanging, *elements[lens:]]


def _stood(
    stage: Stage, camera: Camera, images: Sequence[Image.Image], others: Sequence[Box], *, aside: bool
) -> list[Actor]:
    row, count = feet_row(stage), len(images)
    field = free_field(camera, DEPTH, follows=goes_along(stage))
    wishes = _ACROSS_ASIDE if aside and not stage.portrait else _ACROSS_UPRIGHT if stage.portrait else _ACROSS
    tall = stage.unit * (_ALONE if count == 1 and not others else _IN_COMPANY)
    boxes, found = list(others), []
    for index, image in enumerate(images):
        shape = image.height / image.width
        wide = min(tall / shape, stage.width * (0.6 if count == 1 else 0.3))
        choices = []
        for smaller in _SIZES:
            size = (wide * smaller, wide * smaller * shape)
            wished = (stage.width * wishes[count][index], row - size[1] / 2)
            band = Box(field.left, row - size[1], field.right, row)
            choices.append(_settled(wished, size, band, boxes, smaller))
        _, middle, size = min(choices)
        boxes.append(boxed(middle, size))
        found.append(standee(stage, image, size, (middle[0], row), index))
    return found


def _hung(stage: Stage, camera: Camera, images: Sequence[Image.Image], others: Sequence[Box]) -> list[Card]:
    count, upright = len(images), stage.portrait
    if not count:
        return []
    rooms, rows = (_CARD_ROOM_UPRIGHT, _CARD_ROWS_UPRIGHT) if upright else (_CARD_ROOM, _CARD_ROWS)
    across = (_ACROSS_UPRIGHT if upright else _ACROSS)[count]
    if count == 1 and others and not upright:
        lead = (others[0].left + others[0].right) / 2
        across = (0.27,) if lead > stage.width / 2 else (0.73,)
    share = _COMPANY if others else 1.0
    room = (stage.width * rooms[count][0] * share, stage.height * rooms[count][1] * share)
    gap, field = stage.unit * _GAP, free_field(camera, cards.DEPTH, follows=True)
    boxes, found = [box.grown(gap) for box in others], []
    for index, image in enumerate(images):
        wished = (stage.width * across[index], stage.height * rows[count][index])
        choices = []
        for smaller in _SIZES:
            size = card_size(image, (room[0] * smaller, room[1] * smaller))
            choices.append(_settled(wished, (size[0] * _TILTED, size[1] * _TILTED), field, boxes, smaller))
        _, middle, (wide, tall) = min(choices)
        size = (wide / _TILTED, tall / _TILTED)
        boxes.append(boxed(middle, size).grown(gap))
        found.append(card(stage, image, size, middle, index))
    # The thread of a lower card hangs behind a higher one.
    return sorted(found, key=lambda one: -one.at[1])


def _settled(
    wished: tuple[float, float], size: tuple[float, float], field: Box, boxes: Sequence[Box], smaller: float
) -> tuple[float, tuple[float, float], tuple[float, float]]:
    middle, cost = place(wished, size, field, boxes)
    return cost + _SHRINKING * (1 - smaller), middle, size


def _nearer(elements: Sequence[Element]) -> int:
    """Find where the company ends, or where it would stand."""
    actors = [index for index, element in enumerate(elements) if isinstance(element, Actor)]
    if actors:
        return actors[-1] + 1
    near = (index for index, element in enumerate(elements) if float(getattr(element, "depth", 0.0)) > DEPTH)
    return next(near, _lens(elements))


def _lens(elements: Sequence[Element]) -> int:
    lenses = (index for index, element in enumerate(elements) if isinstance(element, Vignette))
    return next(lenses, len(elements))
