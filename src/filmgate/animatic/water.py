"""Water and wet ground: what lies above the shore, mirrored row by row, tinted and set with glints."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.noise import clouds, smooth_step
from filmgate.animatic.palette import mix, scaled
from filmgate.animatic.planes import RGB, U8, Field, Frame, Patch, blend, premultiplied, to_bytes, yuv
from filmgate.animatic.stage import Stage


@dataclass(frozen=True, slots=True)
class Mirror:
    """Everything above the row `shore` appears again below it.

    `tall` stretches the mirrored picture, `ripple` is the height of its waves in pixels, `highlights` keeps what is
    bright from drowning in the tint, `smear` is how far, across and down in pixels, the picture is drawn out, and
    `path` the same for highlights. `subdued` is what is left of them in place, so that no disc lies in the water.
    """

    shore: float
    depth: float
    tint: Patch
    dashes: tuple[U8, U8]
    lane: U8
    highlights: U8
    subdued: U8
    tall: float
    ripple: float
    smear: tuple[int, int]
    path: tuple[int, int]

    def covers(self, camera: Camera, t: float) -> int:
        return self._row(camera, t)

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:
        first, last = self._row(camera, t), min(stop + 1, frame.height) & ~1
        if last <= first:
            return
        rows = last - first
        source = _ripples(first, rows, t, frame.height, (self.tall, self.ripple))
        luma = frame.y[first:last]
        np.take(frame.y, source, axis=0, out=luma, mode="clip")
        half = slice(first // 2, last // 2)
        cv2.blur(luma, self.smear, luma)
        across, down = max(self.smear, self.path)
        for plane in (frame.u, frame.v):
            np.take(plane, source[::2] // 2, axis=0, out=plane[half], mode="clip")
            cv2.blur(plane[half], (across | 1, down // 2 | 1), plane[half])
        kept = frame.scratch[0].reshape(-1)[: rows * frame.width].reshape(rows, frame.width)
        cv2.LUT(luma, self.highlights, kept)
        cv2.blur(kept, self.path, kept)
        cv2.LUT(luma, self.subdued, luma)
        _tinted(frame, self.tint, (first, last))
        cv2.max(luma, kept, luma)
        self._glints(frame, camera, t, (first, last))

    def _row(self, camera: Camera, t: float) -> int:
        at = camera.placed(0, self.shore, camera.view(self.depth, t))[1]
        return int(max(0, min(round(at / 2) * 2, camera.height)))

    def _glints(self, frame: Frame, camera: Camera, t: float, rows: tuple[int, int]) -> None:
        first, last = rows
        height, width = last - first, frame.width
        view = camera.view(self.depth, t)
        one, two = (room.reshape(-1)[: height * width].reshape(height, width) for room in frame.scratch)
        period = self.dashes[0].shape[1] - width - 4
        for dashes, out, speed in ((self.dashes[0], one, 0.016), (self.dashes[1], two, -0.021)):
            left = (view.x + speed * width * t) % period
            cv2.getRectSubPix(dashes, (width, height), (left + (width - 1) / 2, (height - 1) / 2), out)
        cv2.multiply(one, two, one, scale=1 / 255)
        cv2.multiply(one, self.lane[:height], one, scale=1 / 255)
        cv2.add(frame.y[first:last], one, frame.y[first:last])


def still_water(stage: Stage, shore: float, colour: RGB, *, wet_street: bool = False) -> Mirror:
    rng = stage.rng("water")
    rows = stage.height - int(shore) + 2 * stage.margin
    deep = scaled(colour, 0.8 if wet_street else 0.62)
    return Mirror(
        shore=shore,
        depth=0.3,
        tint=_ramp(stage, rows, (colour, deep), (0.04, 0.4) if wet_street else (0.1, 0.6)),
        dashes=(_dashes(stage, rng, rows), _dashes(stage, rng, rows)),
        lane=_lane(stage, rows, wet_street),
        highlights=_kept_highlights(64 if wet_street else 176, 1.0),
        subdued=_subdued(255 if wet_street else 150),
        path=_odd(1, 1) if wet_street else _odd(stage.unit * 0.016, stage.unit * 0.11),
        tall=1.5 if wet_street else 1.0,
        ripple=stage.unit * (0.006 if wet_street else 0.012),
        smear=_odd(stage.unit * 0.0024, stage.unit * 0.022)
        if wet_street
        else _odd(stage.unit * 0.008, stage.unit * 0.009),
    )


def _odd(across: float, down: float) -> tuple[int, int]:
    return round(across) | 1, round(down) | 1


def _ripples(
    first: int, rows: int, t: float, height: int, shape: tuple[float, float]
) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    tall, ripple = shape
    below = np.arange(rows, dtype=np.float32) + np.float32(0.5)
    near = below / np.float32(height * 0.3)
    # Waves stand closer together towards the horizon.
    along = np.log1p(below * np.float32(60 / height))
    lift = (
        np.sin(along * 21 - t * 2.1)
        + 0.7 * np.sin(along * 37 + t * 2.9 + 1.3)
        + 0.5 * np.sin(along * 63 - t * 3.7)
    )
    offset = lift * np.float32(ripple) * np.clip(near, 0.02, 1.2)
    source = np.float32(first) - 1 - below / np.float32(tall) + offset
    # Above the frame there is only more sky: turn back rather than repeat the last row as stripes.
    return cast(
        "np.ndarray[tuple[int], np.dtype[np.intp]]",
        np.clip(np.abs(source), 0, max(first - 1, 0)).astype(np.intp),
    )


def _tinted(frame: Frame, tint: Patch, rows: tuple[int, int]) -> None:
    first, last = rows
    blend(frame.y[first:last], tint.y[: last - first], tint.keep[: last - first])
    half, count = slice(first // 2, last // 2), (last - first) // 2
    for plane, over in ((frame.u, tint.u), (frame.v, tint.v)):
        blend(plane[half], over[:count], tint.keep_half[:count])


def _ramp(stage: Stage, rows: int, colours: tuple[RGB, RGB], alphas: tuple[float, float]) -> Patch:
    rows &= ~1
    share = smooth_step(0, rows * 0.75, np.arange(rows, dtype=np.float32)).reshape(-1, 1)
    near, deep = (np.array(colour, dtype=np.float32) for colour in colours)
    planes = yuv(stage.palette.graded(near + (deep - near) * share[..., None]))
    full = np.broadcast_to(planes, (rows, stage.width, 3))
    alpha = np.float32(alphas[0]) + np.float32(alphas[1] - alphas[0]) * np.broadcast_to(
        share, (rows, stage.width)
    )
    half = full[::2, ::2]
    return premultiplied((full[..., 0], half[..., 1], half[..., 2]), np.ascontiguousarray(alpha))


def _dashes(stage: Stage, rng: np.random.Generator, rows: int) -> U8:
    """Flat strokes that grow with nearness; the strength of two such sheets multiplied twinkles."""
    period = stage.period
    field = np.zeros((rows, period), dtype=np.float32)
    at = 0
    while at < rows:
        tall = max(1, round(1 + 5.5 * (at / rows) * stage.unit / 720))
        across = max(4, round(period / (stage.unit * (0.02 + 0.1 * at / rows))))
        line = clouds(rng, (period, 4), (across, 2), 2)[1]
        field[at : at + tall] = smooth_step(0.52, 0.74, line)
        at += tall
    bytes_ = to_bytes(cast("Field", cv2.blur(field, (1, max(1, round(stage.unit / 400)))) * 255))
    return np.concatenate([bytes_, bytes_[:, : stage.width + 4]], axis=1)


def _lane(stage: Stage, rows: int, wet_street: bool) -> U8:
    """How strongly glints shine: most under the light, a little everywhere."""
    down = np.linspace(0, 1, rows, dtype=np.float32).reshape(-1, 1)
    away = np.abs(np.arange(stage.width, dtype=np.float32) - np.float32(stage.light.x)).reshape(1, -1)
    width = np.float32(stage.unit) * (np.float32(0.07) + np.float32(0.26) * down)
    lane = (
        np.exp(-((away / width) ** 2))
        if stage.light.shown or stage.scene.time == "dusk"
        else np.zeros_like(away + down)
    )
    strong = 0.35 if wet_street else 0.95 if stage.light.shown else 0.45
    calm = 0.3 if wet_street else 0.2
    return to_bytes(cast("Field", (np.float32(calm) * (0.4 + 0.6 * down) + np.float32(strong) * lane) * 180))


def _kept_highlights(low: int, share: float) -> U8:
    levels = np.arange(256, dtype=np.float32)
    return to_bytes(cast("Field", levels * share * smooth_step(low, 232, levels)))


def _subdued(low: int) -> U8:
    levels = np.arange(256, dtype=np.float32)
    return to_bytes(cast("Field", np.minimum(levels, low + (levels - low) * np.float32(0.45))))


def water_colour(stage: Stage) -> RGB:
    palette = stage.palette
    body = palette.lit((0.16, 0.42, 0.55))
    if stage.scene.time in {"dawn", "sunset", "dusk"}:
        # A low sun colours the whole water, not only its lane.
        return mix(body, mix(palette.sky[2], palette.sky[3], 0.4), 0.78)
    return mix(body, palette.sky[1], 0.45 if not palette.dark else 0.3)
