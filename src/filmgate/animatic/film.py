"""From a spec to a film: read its scenes, build what they show once, draw every frame from it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from filmgate.animatic.encode import Composer, Film, write_film
from filmgate.animatic.morph import morphed
from filmgate.animatic.motions import launched
from filmgate.animatic.overlay import caption, mark
from filmgate.animatic.planes import U8, Frame, blank_frame
from filmgate.animatic.push import pushed_into
from filmgate.animatic.reading import read_scene
from filmgate.animatic.references import with_references
from filmgate.animatic.scene import Scene
from filmgate.animatic.sets import build_set
from filmgate.animatic.shot import Footage, Passage, Shot
from filmgate.animatic.sound import compose, compose_entry, compose_passage
from filmgate.animatic.spec import FPS, Spec
from filmgate.animatic.stage import Element, camera_of, set_stage
from filmgate.animatic.staging import travels

ENGINE = "animatic-1"
# The encoder, its queue and the drawing hold at most five frames between them.
_RING = 6
_PASSAGE_S = 1.0

Progress = Callable[[int, int], None]


def make_film(spec: Spec, progress: Progress) -> int:
    """Write the film and return the seed that draws it again."""
    # OpenCV's own threads would fight the encoder for the cores, and cost more than they save.
    cv2.setNumThreads(1)
    old, new = scenes_of(spec)
    film = Film(
        path=spec.out,
        width=spec.width,
        height=spec.height,
        frames=spec.frames,
        start=spec.start,
        description=_description(spec, new),
        compose=composer(spec, old, new) if spec.sound else None,
    )
    write_film(film, _counted(_drawn(spec, footage(spec, old, new)), spec.frames, progress))
    return new.seed


def scenes_of(spec: Spec) -> tuple[Scene, Scene]:
    """Give the scene that the film goes on from and the one that it shows: the same but for an extension."""
    keep = None if spec.keep is None else read_scene(spec.keep, spec.seed)
    old = read_scene(spec.prompt, spec.seed, keep)
    new = old if spec.extend is None else read_scene(spec.extend, spec.seed, old)
    return launched(old), launched(new)


def composer(spec: Spec, old: Scene, new: Scene) -> Composer:
    if spec.paths("before"):
        return lambda seconds, start_s: compose_entry(new, spec.start, seconds, start_s)
    if spec.extend is None:
        return lambda seconds, start_s: compose(new, seconds, start_s)
    when = (spec.start, min(_PASSAGE_S, spec.seconds))
    return lambda seconds, start_s: compose_passage(old, new, when, seconds, start_s)


def footage(spec: Spec, old: Scene, new: Scene) -> Footage:
    words = spec.extend or spec.prompt
    since = 0.0 if spec.extend is None else spec.start
    if spec.pictures and not spec.paths("reference"):
        # Nobody's own picture is written on, but for what an extension says.
        return _of_pictures(spec, new, words if spec.extend else "", since)
    shown = _scene_shot(spec, new, words, since)
    if spec.extend is None:
        return shown
    seconds = min(_PASSAGE_S, spec.seconds)
    room = blank_frame(spec.width, spec.height, _scratch(spec))
    return Passage(_scene_shot(spec, old, spec.prompt, 0.0), shown, spec.start, seconds, room)


def _scene_shot(spec: Spec, scene: Scene, words: str, since: float) -> Shot:
    stage = set_stage(scene, spec.width, spec.height)
    elements, camera = build_set(stage), camera_of(scene, stage, travels(stage))
    guests = spec.paths("reference")
    if guests:
        # A camera that roams would leave those behind who stand on the set.
        camera = replace(camera, roam=False)
        elements = with_references(elements, stage, camera, guests)
    return Shot([*elements, *_written(spec, words, since)], camera)


def _of_pictures(spec: Spec, scene: Scene, words: str, since: float) -> Shot:
    stage = set_stage(scene, spec.width, spec.height)
    first, last, before = (spec.paths(role) for role in ("first", "last", "before"))
    begin = 0.0 if first and not last else spec.start
    if last and spec.start == 0:
        elements = morphed(stage, (first[0], last[0]), (spec.frames - 1) / FPS)
    else:
        # What follows a pair goes on from its last picture.
        elements = pushed_into(stage, (last or first or before)[0])
    camera = camera_of(scene, stage, 0.0)
    return Shot([*elements, *_written(spec, words, since - begin)], camera, begin)


def _written(spec: Spec, words: str, since: float) -> list[Element]:
    found: list[Element] = []
    text = caption(words, spec.width, spec.height, since) if spec.caption and words else None
    if text:
        found.append(text)
    return [*found, mark(spec.width, spec.height)] if spec.mark else found


def _description(spec: Spec, scene: Scene) -> dict[str, object]:
    """Say what draws the film again."""
    said = {"extend": spec.extend, "keep": spec.keep, "start": spec.start or None}
    return {
        "engine": ENGINE,
        "seed": scene.seed,
        "prompt": spec.prompt,
        **{name: value for name, value in said.items() if value is not None},
        "until": round(spec.start + spec.seconds, 6),
    }


def _drawn(spec: Spec, film: Footage) -> Iterator[Frame]:
    scratch = _scratch(spec)
    ring = [blank_frame(spec.width, spec.height, scratch) for _ in range(_RING)]
    for index in range(spec.frames):
        frame = ring[index % _RING]
        film.draw(frame, spec.start + index / FPS)
        yield frame


def _scratch(spec: Spec) -> tuple[U8, U8]:
    size = spec.width * spec.height
    return np.zeros(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8)


def _counted(frames: Iterator[Frame], total: int, progress: Progress) -> Iterator[Frame]:
    for done, frame in enumerate(frames, 1):
        yield frame
        if done % (FPS // 2) == 0 or done == total:
            progress(done, total)
