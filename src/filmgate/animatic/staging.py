"""Who stands where, and how they move: every pose is a function of the moment alone."""

import math
from dataclasses import dataclass, replace

import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.cutouts import Cutout, Placing, cut_out, paste, paste_soft, shadow_patch
from filmgate.animatic.motions import RUN_PACE, WALK_PACE, Motion, Spot, medium, motion_of
from filmgate.animatic.palette import hexed, mix
from filmgate.animatic.planes import Frame, Patch
from filmgate.animatic.scene import Subject
from filmgate.animatic.sprites import moves, sprite, traits
from filmgate.animatic.stage import Element, Stage
from filmgate.animatic.swarms import halo_patch, notes_from

DEPTH = 0.8
_SMALLEST_LEAD = 0.23
_CROWD = 4
_MIDDLE = 0.56
_TWO = 2
# Some birds are drawn perching; over water and in flight another takes their part.
_ON_THE_WING = {"bird": "gull"}
# What flies or hovers is not carried out of the frame when the camera comes near.
_DEPTHS = {"air": 0.3, "void": 0.3, "deep": 0.4}
_HALO_PX = 48
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
    reach: float = 0.0
    depth: float = DEPTH

    def covers(self, camera: Camera, t: float) -> int:  # noqa: ARG002  the protocol's arguments
        return camera.height

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:  # noqa: ARG002  the protocol's arguments
        view, own = camera.view(self.depth, t), self.motion(t)
        ground = own if not self.shadow else self.motion(0.0)
        x, y = camera.placed(own.x + (view.x if self.follows else 0.0), own.y, view)
        scale = view.zoom / self.stretch
        count = len(self.cutout.moments)
        phase = int((t * self.pace + self.lag) % 1.0 * count) % count
        patch, anchor = self.cutout.moments[phase], self.cutout.anchors[phase]
        place = Placing(x, y, own.turn, own.wide * scale, own.tall * scale)
        if self.shadow is not None:
            foot = camera.placed(0, ground.y, view)[1]
            tall, wide = self.shadow.y.shape
            paste(frame, self.shadow, (wide / 2, tall / 2), Placing(x, foot, 0.0, view.zoom, view.zoom))
        if self.halo is not None:
            self._shine(frame, (x, y), view.zoom)
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
        (x, y), tall = foot, self.cutout.height * zoom
        wide = self.reach * 2 * zoom
        paste_soft(frame, self.halo, (x, y - tall * 0.4), (wide, wide))
        paste_soft(frame, self.halo, (x, y + tall * 0.03), (wide * 1.1, wide * 0.3))


def cast_actors(stage: Stage) -> tuple[list[Element], list[Element]]:
    """Give the subjects between the sheets, and those faces that look up from behind the front sheet."""
    names = _crowd(stage.scene.subjects)
    if not names:
        return [], []
    stage = _brought_out(stage)
    if "fly" in stage.scene.actions or stage.scene.place in {"sea", "lake"}:
        names = [_ON_THE_WING.get(name, name) for name in names]
    boost = lead_height(stage, names[0]) / stage.unit / traits(names[0]).height
    places = _places(stage, names)
    sizes = stage.rng("sizes")
    actors: list[Element] = []
    faces: list[Element] = []
    notes: list[Element] = []
    for index, (name, x) in enumerate(zip(names, places, strict=True)):
        share = 1.0 if index == 0 or name != names[0] else sizes.uniform(0.74, 0.96)
        height = traits(name).height * stage.unit * boost * share
        actor = _actor(stage, name, index, (x, height))
        (faces if traits(name).face else actors).append(actor)
        if _sits(stage, name):
            actors.append(_actor(stage, "stool", index, (x, height * 0.34)))
        if "play" in stage.scene.actions and traits(name).habitat == "instrument":
            notes.append(notes_from(stage, x * stage.width, stage.ground - height * 0.95))
    # The lead is drawn last: nothing of the company may stand before it.
    return [*actors[::-1], *notes], faces


def _brought_out(stage: Stage) -> Stage:
    """Let some light of its own fall on the company at night: what the film is about must be seen."""
    if not stage.palette.dark:
        return stage
    own = mix(stage.palette.sprite, (1.0, 0.98, 0.94), 0.5)
    return replace(stage, palette=replace(stage.palette, sprite=own))


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


def _sits(stage: Stage, name: str) -> bool:
    """Tell whether this subject is drawn sitting, with nothing to sit on."""
    action = next((action for action in stage.scene.actions if action in {"play", "sit"}), "")
    return bool(action) and traits(name).legs == _TWO and moves(name, action)


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
        # A third of the width is where a single subject stands best, the middle where it is upright.
        lean = stage.rng("place").uniform(-0.16, 0.16) if not stage.portrait else 0.0
        return [0.5 + lean]
    if "play" in actions and any(traits(name).habitat == "instrument" for name in names):
        instrument = next(i for i, name in enumerate(names) if traits(name).habitat == "instrument")
        reach = 0.11 * stage.unit / stage.width
        players = [i for i in range(len(names)) if i != instrument]
        places = [0.5 + 1.3 * reach] * len(names)
        for rank, index in enumerate(players):
            places[index] = 0.5 - 1.2 * reach - rank * 1.6 * reach
        shift = 0.0 if stage.portrait else stage.rng("place").uniform(-0.13, 0.13)
        return [place + shift for place in places]
    spread = min(0.62, 0.2 * len(names)) if not stage.portrait else min(0.66, 0.27 * len(names))
    rng, loose = stage.rng("place"), 0.3 * spread / (len(names) - 1)
    start = 0.5 - spread / 2 + (0.0 if stage.portrait else rng.uniform(-0.07, 0.07))
    order = [start + spread * i / (len(names) - 1) + rng.uniform(-loose, loose) for i in range(len(names))]
    if stage.scene.camera == "pan_left" and travels(stage):
        order.reverse()
    return order


def _actor(stage: Stage, name: str, index: int, at: tuple[float, float]) -> Element:
    x_share, height = at
    actions = set(stage.scene.actions)
    hunter = "hunt" in actions and index == 0
    right = _faces_right(stage, name, x_share)
    height = min(height, _widest(stage, name))
    cutout = cut_out(stage, name, height, faces_right=right, action=_limbs(stage, name, index))
    low = _row(stage, name, height, index)
    half = min(cutout.width / 2 + stage.width * 0.03, stage.width / 2)
    x = min(max(x_share * stage.width, half), stage.width - half)
    spot = Spot(x, low, height, stage.unit, 1 if right else -1, index)
    motion = motion_of(stage, name, spot, hunter=hunter)
    where = medium(stage, name)
    if (
        where == "ground"
        and traits(name).legs == _TWO
        and actions & {"walk", "run"}
        and not moves(name, "walk")
    ):
        motion = _waddling(motion, height, RUN_PACE if "run" in actions else WALK_PACE)
    quick = "run" in actions or name in _PREY
    return Actor(
        cutout=cutout,
        motion=motion,
        follows=where in {"void", "deep", "air", "water"} or (where == "ground" and bool(actions & _GOING)),
        shadow=shadow_patch(stage, cutout.width) if where in {"ground", "fixed"} else None,
        reflection=_reflection(stage, cutout, where),
        pace=RUN_PACE if quick or where == "air" else WALK_PACE,
        lag=index * 0.37,
        stretch=1.15,
        halo=_halo(stage, index, where, glows=cutout.glows),
        reach=max(cutout.height, stage.unit * 0.32),
        depth=_DEPTHS.get(where, DEPTH),
    )


def _waddling(motion: Motion, height: float, pace: float) -> Motion:
    """Rock from foot to foot, for two legs that cannot swing."""

    def waddle(t: float) -> Placing:
        own, swing = motion(t), math.sin(t * pace * math.tau)
        step = abs(swing) * height
        return replace(
            own, x=own.x + swing * height * 0.02, y=own.y - step * 0.035, turn=own.turn + swing * 0.085
        )

    return waddle


def _halo(stage: Stage, index: int, where: str, *, glows: bool) -> Patch | None:
    """Give the light around what shines, and a faint one around who leads through a dark street."""
    if glows:
        return halo_patch(stage, hexed("ffb050"), _HALO_PX, 0.78)
    if index == 0 and stage.palette.dark and stage.scene.place == "city" and where in {"ground", "fixed"}:
        return halo_patch(stage, mix(stage.palette.light, stage.palette.sky[3], 0.35), _HALO_PX, 0.3)
    return None


def _widest(stage: Stage, name: str) -> float:
    """Give the height at which a long subject still fits into the frame."""
    tall, wide = sprite(name, 96).shape[:2]
    return float(stage.width * 0.78 * tall / wide)


def _reflection(stage: Stage, cutout: Cutout, where: str) -> tuple[Patch, ...] | None:
    wet = stage.palette.dark or stage.scene.weather in {"rain", "storm"}
    if where == "water":
        strength = 0.5
    elif where in {"ground", "fixed"} and stage.scene.place == "city" and wet:
        strength = 0.32
    else:
        return None
    pairs = zip(cutout.moments, cutout.anchors, strict=True)
    return tuple(_sunk(patch, anchor[1], strength) for patch, anchor in pairs)


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


def _faces_right(stage: Stage, name: str, x_share: float) -> bool:
    actions = set(stage.scene.actions)
    if actions & _GOING:
        return stage.scene.camera != "pan_left"
    if traits(name).habitat == "instrument":
        return False
    return x_share < _MIDDLE


def _row(stage: Stage, name: str, height: float, index: int) -> float:
    """Give the row of the feet; in air and under water that of the lower edge."""
    rng, where = stage.rng(f"row {index}"), medium(stage, name)
    # Which of a flock flies highest is another one from seed to seed.
    turn = int(stage.rng("rows").integers(3))
    low, far, rank, lift = stage.height, stage.horizon, (index * 2 + turn) % 3, -0.5 if turn else 0.0
    ground = stage.ground if stage.scene.place not in {"space", "underwater"} else low * 0.9
    rows = {
        "face": low * 0.9 + height * 0.42,
        "void": far * (0.62 + 0.1 * (index % 2)) + height * 0.2,
        "deep": low * (0.32 + 0.13 * (rank + lift) + rng.uniform(-0.06, 0.06)) + height * 0.3,
        "air": far * (0.34 + 0.17 * rank + lift * 0.06 + rng.uniform(-0.08, 0.08)) + height * 0.5,
        "water": far + (low - far) * (0.44 + 0.08 * (index % 2)),
        "fixed": ground - low * 0.02,
    }
    return rows.get(where, ground + low * 0.012 * (index % 3))
