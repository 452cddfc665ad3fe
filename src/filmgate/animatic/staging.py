"""Who stands where, and how they move: every pose is a function of the moment alone."""

import math
from dataclasses import dataclass

import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.cutouts import Cutout, Placing, cut_out, paste, shadow_patch
from filmgate.animatic.motions import RUN_PACE, WALK_PACE, Motion, Spot, motion_of
from filmgate.animatic.palette import hexed
from filmgate.animatic.planes import Frame, Patch
from filmgate.animatic.scene import Subject
from filmgate.animatic.sprites import traits
from filmgate.animatic.stage import Element, Stage
from filmgate.animatic.swarms import halo_patch, notes_from

DEPTH = 0.8
_SMALLEST_LEAD = 0.23
_CROWD = 4
_MIDDLE = 0.56
_GOING = {"walk", "run", "hunt", "drive", "fly", "swim", "float"}
_PREY = {"mouse", "rat", "rabbit", "bird", "fish", "butterfly"}


@dataclass(frozen=True, slots=True)
class Actor:
    """One subject. `follows` keeps it in step with the camera, else it stands on the set and may leave the frame."""

    cutout: Cutout
    motion: Motion
    follows: bool
    shadow: Patch | None
    reflection: tuple[Patch, ...] | None
    pace: float
    lag: float
    stretch: float
    halo: Patch | None = None

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        view, own = camera.view(DEPTH, t), self.motion(t)
        ground = own if not self.shadow else self.motion(0.0)
        x, y = camera.placed(own.x + (view.x if self.follows else 0.0), own.y, view)
        scale = view.zoom / self.stretch
        count = len(self.cutout.moments)
        phase = int((t * self.pace + self.lag) % 1.0 * count) % count
        patch, anchor = self.cutout.moments[phase], self.cutout.anchors[phase]
        place = Placing(x, y, own.turn, own.wide * scale, own.tall * scale)
        if self.halo is not None:
            self._shine(frame, (x, y), view.zoom)
        if self.shadow is not None:
            foot = camera.placed(0, ground.y, view)[1]
            tall, wide = self.shadow.y.shape
            paste(frame, self.shadow, (wide / 2, tall / 2), Placing(x, foot, 0.0, view.zoom, view.zoom))
        if self.reflection is not None:
            below = Placing(
                x, y, -own.turn * 0.6 + 0.012 * math.sin(t * 2.3), own.wide * scale, own.tall * scale * 0.82
            )
            paste(frame, self.reflection[phase], anchor, below, mirrored=True)
        paste(frame, patch, anchor, place)

    def _shine(self, frame: Frame, foot: tuple[float, float], zoom: float) -> None:
        """Light around what glows, and a flat pool of it on the ground."""
        if self.halo is None:
            return
        (x, y), tall = foot, self.halo.y.shape[0]
        centre = (tall / 2, tall / 2)
        paste(frame, self.halo, centre, Placing(x, y - self.cutout.height * 0.4 * zoom, 0.0, zoom, zoom))
        paste(
            frame,
            self.halo,
            centre,
            Placing(x, y + self.cutout.height * 0.03 * zoom, 0.0, 1.1 * zoom, 0.3 * zoom),
        )


def cast_actors(stage: Stage) -> tuple[list[Element], list[Element]]:
    """Give the subjects between the sheets, and those faces that look up from behind the front sheet."""
    names = _crowd(stage.scene.subjects)
    if not names:
        return [], []
    boost = lead_height(stage, names[0]) / stage.unit / traits(names[0]).height
    places = _places(stage, names)
    actors: list[Element] = []
    faces: list[Element] = []
    notes: list[Element] = []
    for index, (name, x) in enumerate(zip(names, places, strict=True)):
        height = traits(name).height * stage.unit * boost * (1.0 if index == 0 or name != names[0] else 0.86)
        actor = _actor(stage, name, index, (x, height))
        (faces if traits(name).face else actors).append(actor)
        if "play" in stage.scene.actions and traits(name).habitat == "instrument":
            notes.append(notes_from(stage, x * stage.width, stage.ground - height * 0.95))
    # The lead is drawn last: nothing of the company may stand before it.
    return [*actors[::-1], *notes], faces


def travels(stage: Stage) -> float:
    """How fast the company moves through the set, in widths a second at the nearest depth."""
    actions = set(stage.scene.actions)
    if not stage.scene.subjects or not actions & {"walk", "run", "hunt", "drive"}:
        return 0.0
    if "drive" in actions:
        return 0.3
    lead = stage.scene.subjects[0].name
    # Feet that are on the ground must not slide: the way of one cycle follows from the length of the legs.
    stride = 1.35 * RUN_PACE if "run" in actions else 0.62 * WALK_PACE
    return min(0.3, stride * lead_height(stage, lead) / stage.width / DEPTH)


def lead_height(stage: Stage, name: str) -> float:
    share = traits(name).height
    return (
        max(share, _SMALLEST_LEAD)
        * (1.25 if stage.portrait and len(_crowd(stage.scene.subjects)) == 1 else 1.0)
        * stage.unit
    )


def _limbs(stage: Stage, name: str, index: int) -> str:
    """Give the action that this subject's limbs should carry out."""
    wanted = [
        action
        for action in stage.scene.actions
        if action in {"run", "walk", "hunt", "dance", "jump", "play", "sit", "fly"}
    ]
    if "hunt" in wanted:
        return "hunt" if index == 0 else "run"
    if traits(name).habitat == "air":
        return "fly"
    return wanted[0] if wanted else ""


def _crowd(subjects: tuple[Subject, ...]) -> list[str]:
    names: list[str] = []
    for subject in subjects:
        names += [subject.name] * max(1, min(subject.count, _CROWD))
    return names[:6]


def _places(stage: Stage, names: list[str]) -> list[float]:
    """Where each stands across the frame, 0 to 1: the lead near the middle, company beside it."""
    actions = set(stage.scene.actions)
    if len(names) == 1:
        lean = stage.rng("place").uniform(-0.05, 0.05)
        return [0.5 + lean]
    if "play" in actions and any(traits(name).habitat == "instrument" for name in names):
        instrument = next(i for i, name in enumerate(names) if traits(name).habitat == "instrument")
        reach = 0.11 * stage.unit / stage.width
        players = [i for i in range(len(names)) if i != instrument]
        places = [0.5 + 1.3 * reach] * len(names)
        for rank, index in enumerate(players):
            places[index] = 0.5 - 1.2 * reach - rank * 1.6 * reach
        return places
    spread = min(0.62, 0.2 * len(names)) if not stage.portrait else min(0.66, 0.27 * len(names))
    start = 0.5 - spread / 2
    order = [start + spread * i / (len(names) - 1) for i in range(len(names))]
    if stage.scene.camera == "pan_left" and travels(stage):
        order.reverse()
    return order


def _actor(stage: Stage, name: str, index: int, at: tuple[float, float]) -> Element:
    x_share, height = at
    own, actions = traits(name), set(stage.scene.actions)
    hunter = "hunt" in actions and index == 0
    right = _faces_right(stage, name, x_share)
    cutout = cut_out(stage, name, height, faces_right=right, action=_limbs(stage, name, index))
    low = _row(stage, name, height, index)
    half = min(cutout.width / 2 + stage.width * 0.03, stage.width / 2)
    x = min(max(x_share * stage.width, half), stage.width - half)
    spot = Spot(x, low, height, stage.unit, 1 if right else -1, index)
    motion = motion_of(stage, name, spot, hunter=hunter)
    floats = own.habitat == "water" and stage.scene.place in {"lake", "sea"}
    wet = stage.scene.place == "city" and (stage.palette.dark or stage.scene.weather in {"rain", "storm"})
    on_ground = _stands(stage, name)
    reflection = None
    if floats or (wet and on_ground):
        reflection = tuple(
            _sunk(patch, anchor[1], 0.5 if floats else 0.32)
            for patch, anchor in zip(cutout.moments, cutout.anchors, strict=True)
        )
    quick = "run" in actions or name in _PREY
    return Actor(
        cutout=cutout,
        motion=motion,
        follows=_follows(stage, own.habitat),
        shadow=shadow_patch(stage, cutout.width) if on_ground and not own.face else None,
        reflection=reflection,
        pace=RUN_PACE if quick or own.habitat == "air" else WALK_PACE,
        lag=index * 0.37,
        stretch=1.15,
        halo=halo_patch(stage, hexed("ffb050"), cutout.height * 1.0, 0.62) if cutout.glows else None,
    )


def _follows(stage: Stage, habitat: str) -> bool:
    if stage.scene.place in {"space", "underwater"} or habitat in {"air", "undersea", "water"}:
        return True
    return habitat == "ground" and bool(set(stage.scene.actions) & _GOING)


def _sunk(patch: Patch, foot: float, strength: float) -> Patch:
    """Make a copy for the water: weaker, and weaker still away from the foot."""
    tall = patch.y.shape[0]
    away = np.clip((foot - np.arange(tall, dtype=np.float32)) / max(foot, 1.0), 0, 1)
    share = (np.float32(strength) * (1 - np.float32(0.75) * away)).reshape(-1, 1)
    half = share[::2]
    return Patch(
        y=(patch.y * share).astype(np.uint8),
        u=(patch.u * half).astype(np.uint8),
        v=(patch.v * half).astype(np.uint8),
        keep=(255 - (255 - patch.keep.astype(np.float32)) * share).astype(np.uint8),
        keep_half=(255 - (255 - patch.keep_half.astype(np.float32)) * half).astype(np.uint8),
    )


def _stands(stage: Stage, name: str) -> bool:
    own = traits(name)
    if stage.scene.place in {"underwater", "space"}:
        return False
    return (
        (own.habitat in {"ground", "scenery", "instrument"}
        and "fly" not in stage.scene.actions)
        or (own.habitat == "water" and stage.scene.place not in {"lake", "sea"})
    )


def _faces_right(stage: Stage, name: str, x_share: float) -> bool:
    actions = set(stage.scene.actions)
    if actions & _GOING:
        return stage.scene.camera != "pan_left"
    if traits(name).habitat == "instrument":
        return False
    return x_share < _MIDDLE


def _row(stage: Stage, name: str, height: float, index: int) -> float:
    """Give the row of the feet; in air and under water that of the lower edge."""
    own, rng = traits(name), stage.rng(f"row {index}")
    low, far = stage.height, stage.horizon
    if own.face:
        return low * 0.9 + height * 0.42
    if stage.scene.place == "space":
        return far * (0.62 + 0.1 * (index % 2)) + height * 0.2
    if stage.scene.place == "underwater":
        return low * (0.36 + 0.2 * ((index * 2) % 3) + rng.uniform(-0.03, 0.03)) + height * 0.3
    if own.habitat == "air" or "fly" in stage.scene.actions:
        return far * (0.34 + 0.17 * ((index * 2) % 3) + rng.uniform(-0.04, 0.04)) + height * 0.5
    if own.habitat in {"water", "undersea"} and stage.scene.place in {"lake", "sea"}:
        return far + (low - far) * (0.44 + 0.08 * (index % 2))
    return (
        stage.ground
        + stage.height * 0.012 * (index % 3)
        - (stage.height * 0.02 if own.habitat == "scenery" else 0)
    )
