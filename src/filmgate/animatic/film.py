"""From a spec to a film: read the scene, build the set once, draw every frame from it."""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.encode import Film, write_film
from filmgate.animatic.motions import launched
from filmgate.animatic.overlay import caption, mark
from filmgate.animatic.picture import picture_elements
from filmgate.animatic.planes import Frame, blank_frame
from filmgate.animatic.reading import read_scene
from filmgate.animatic.scene import Scene
from filmgate.animatic.sets import build_set
from filmgate.animatic.sound import compose
from filmgate.animatic.spec import FPS, Spec
from filmgate.animatic.stage import Element, camera_of, set_stage
from filmgate.animatic.staging import travels

ENGINE = "animatic-1"
# The encoder, its queue and the drawing hold at most five frames between them.
_RING = 6

Progress = Callable[[int, int], None]


def make_film(spec: Spec, progress: Progress) -> int:
    """Write the film and return the seed that draws it again."""
    # OpenCV's own threads would fight the encoder for the cores, and cost more than they save.
    cv2.setNumThreads(1)
    scene = read_scene(spec.prompt, spec.seed)
    elements, camera = cast_of(spec, scene)
    film = Film(
        path=spec.out,
        width=spec.width,
        height=spec.height,
        frames=spec.frames,
        start=spec.start,
        description={
            "engine": ENGINE,
            "seed": scene.seed,
            "prompt": spec.prompt,
            "until": round(spec.start + spec.seconds, 6),
        },
        compose=(lambda seconds, start_s: compose(scene, seconds, start_s)) if spec.sound else None,
    )
    write_film(film, _counted(_drawn(spec, elements, camera), spec.frames, progress))
    return scene.seed


def cast_of(spec: Spec, scene: Scene) -> tuple[list[Element], Camera]:
    """Everything to draw, from the farthest to the nearest, and the camera that sees it."""
    scene = launched(scene)
    stage = set_stage(scene, spec.width, spec.height)
    elements = picture_elements(spec, stage) if spec.pictures else build_set(stage)
    if spec.caption and not spec.pictures:
        words = caption(spec.prompt, spec.width, spec.height)
        elements += [words] if words else []
    if spec.mark:
        elements.append(mark(spec.width, spec.height))
    return elements, camera_of(scene, stage, 0.0 if spec.pictures else travels(stage))


def draw_moment(frame: Frame, elements: Sequence[Element], camera: Camera, t: float) -> None:
    stops: list[int] = []
    stop = frame.height
    for element in reversed(elements):
        stops.append(stop)
        stop = min(stop, max(0, element.covers(camera, t)))
    for element, limit in zip(elements, reversed(stops), strict=True):
        element.draw(frame, camera, t, limit)


def _drawn(spec: Spec, elements: Sequence[Element], camera: Camera) -> Iterator[Frame]:
    size = spec.width * spec.height
    scratch = (np.zeros(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8))
    ring = [blank_frame(spec.width, spec.height, scratch) for _ in range(_RING)]
    for index in range(spec.frames):
        frame = ring[index % _RING]
        draw_moment(frame, elements, camera, spec.start + index / FPS)
        yield frame


def _counted(frames: Iterator[Frame], total: int, progress: Progress) -> Iterator[Frame]:
    for done, frame in enumerate(frames, 1):
        yield frame
        if done % (FPS // 2) == 0 or done == total:
            progress(done, total)
