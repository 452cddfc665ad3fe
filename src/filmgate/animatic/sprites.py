"""The pictures of subjects, from one pack of lossless layers that `tools/build_assets.py` makes."""

import json
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from filmgate.animatic.gaits import STANDING, angles
from filmgate.animatic.rigs import Layers, Rig, flapped, jointed, stacked, stepped
from filmgate.animatic.traits import TRAITS, Traits

PHASES = 16
_PACK = Path(__file__).parent / "assets" / "sprites.zip"
_GLOW = "-glow"


def traits(name: str) -> Traits:
    return TRAITS[name]


@lru_cache(maxsize=64)
def sprite(name: str, height_px: int) -> NDArray[np.uint8]:
    """RGBA with straight alpha, read-only, cut to what is visible; the feet stand on the last row.

    `<name>-glow` holds only what shines at night, on the canvas of `<name>`. KeyError where there is no such drawing.
    """
    return _scaled(_whole(name), height_px)


@lru_cache(maxsize=96)
def pose(name: str, height_px: int, action: str, step: int) -> NDArray[np.uint8]:
    """Moment `step` of the PHASES that make one cycle of walk, run, hunt, dance, sit, play, jump or fly.

    As `sprite`, at the same scale and with the feet on the last row below the middle column, but with room
    at the sides and above for what moves. What cannot move its limbs that way looks as `sprite` does.
    """
    rig = _rigs().get(name)
    moved = _moved(name, rig, action, step % PHASES / PHASES) if rig else None
    if moved is None:
        return sprite(name, height_px)
    return _scaled(moved, round(height_px * moved.shape[0] / _whole(name).shape[0]))


def moves(name: str, action: str) -> bool:
    """Whether `pose` has limbs to move for this action."""
    rig = _rigs().get(name)
    return rig is not None and _moved(name, rig, action, 0.0) is not None


def names() -> frozenset[str]:
    """All sprites, without their glows."""
    return frozenset(name.split(".", maxsplit=1)[0] for name in _archive().namelist() if name != "rigs.json")


def _moved(name: str, rig: Rig, action: str, phase: float) -> NDArray[np.uint8] | None:
    kind = rig["kind"]
    if kind == "limbs":
        turns = angles(action, phase)
        return None if turns is None else jointed(_layers(name), rig, turns)
    if kind == "legs" and action in {"walk", "run", "hunt"}:
        return stepped(_layers(name), rig, phase, strides=1.5 if action == "run" else 1.0)
    if kind == "wing" and action == "fly":
        return flapped(_layers(name), phase)
    return None


@lru_cache(maxsize=32)
def _whole(name: str) -> NDArray[np.uint8]:
    """Read the resting sprite at its full size, premultiplied."""
    original = name.removesuffix(_GLOW)
    layers = _layers(original)
    if name.endswith(_GLOW):
        return layers["glow"]
    rig = _rigs().get(name)
    if rig is None:
        return layers[""]
    if rig["kind"] == "limbs":
        standing = jointed(layers, rig, STANDING)
        visible = np.flatnonzero(standing[..., 3].any(axis=0))
        side = min(visible[0], standing.shape[1] - 1 - visible[-1])
        top = np.flatnonzero(standing[..., 3].any(axis=1))[0]
        return np.ascontiguousarray(standing[top:, side : standing.shape[1] - side])
    return stacked(layers, ("far", "near", "wing"))


@lru_cache(maxsize=32)
def _layers(name: str) -> Layers:
    """Premultiplied layers by suffix."""
    archive = _archive()
    found = {
        entry.removesuffix(".webp").partition(".")[2]: entry
        for entry in archive.namelist()
        if entry.split(".", maxsplit=1)[0] == name
    }
    if not found:
        raise KeyError(f"no sprite is called {name!r}")
    return {suffix: _premultiplied(archive, entry) for suffix, entry in found.items()}


def _premultiplied(archive: zipfile.ZipFile, entry: str) -> NDArray[np.uint8]:
    with archive.open(entry) as packed, Image.open(packed) as image:
        straight = np.asarray(image.convert("RGBA"), dtype=np.uint16)
    alpha = straight[..., 3:]
    return np.concatenate([(straight[..., :3] * alpha + 127) // 255, alpha], axis=2).astype(np.uint8)


def _scaled(premultiplied: NDArray[np.uint8], height_px: int) -> NDArray[np.uint8]:
    height, width = premultiplied.shape[:2]
    size = (max(1, round(width * height_px / height)), height_px)
    way = cv2.INTER_AREA if height_px <= height else cv2.INTER_CUBIC
    straight = cv2.resize(premultiplied, size, interpolation=way).astype(np.uint8, copy=False)
    alpha = straight[..., 3]
    edge = (alpha > 0) & (alpha < 255)  # noqa: PLR2004  # Elsewhere premultiplied and straight are the same.
    seen = straight[edge].astype(np.float32)
    seen[:, :3] = np.minimum(seen[:, :3] * (255 / seen[:, 3:]), 255)
    straight[edge] = seen.round().astype(np.uint8)
    straight.setflags(write=False)
    return straight


@lru_cache(maxsize=1)
def _archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(_PACK)


@lru_cache(maxsize=1)
def _rigs() -> dict[str, Rig]:
    return cast("dict[str, Rig]", json.loads(_archive().read("rigs.json")))
