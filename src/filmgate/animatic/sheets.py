"""Paper sheets: made once with a painter's steps, then drawn in every frame where the camera sees them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from filmgate.animatic.camera import Camera
from filmgate.animatic.planes import RGB, U8, Field, Frame, Patch, halved, premultiplied, yuv

_SHIFT = 4
# Alpha this faint is not worth a blend.
_CLEAR = 253
_GAP = 40
# A row this full is blended as a whole.
_MOST = 0.55
Grade = Callable[[Field], Field]


@dataclass(frozen=True, slots=True)
class Island:
    """A part of a sheet with nothing around it."""

    columns: tuple[int, int]
    rows: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A patch that repeats every `period` columns; its first row lies on row `top` of the set.

    From row `solid` of the patch on nothing behind shows through. `drift` is its own motion in pixels a second.
    Above the row `broad` only the `islands` hold something; below it the whole width is blended.
    """

    patch: Patch
    top: int
    period: int
    depth: float
    solid: int
    drift: float = 0.0
    islands: tuple[Island, ...] = ()
    broad: int = 0

    def covers(self, camera: Camera, t: float) -> int:
        """Give the row of the frame from which this sheet hides all behind it."""
        if self.solid >= self.patch.y.shape[0]:
            return camera.height
        view = camera.view(self.depth, t)
        return int(np.ceil(camera.placed(0, self.top + self.solid, view)[1])) + 2

    def draw(self, frame: Frame, camera: Camera, t: float, stop: int) -> None:
        view = camera.view(self.depth, t)
        px, py = camera.centre
        left = (px - px / view.zoom + view.x - self.drift * t) % self.period
        above = py - py / view.zoom + view.y - self.top
        last = min(stop + 1, frame.height) & ~1
        seen = _Window(frame, left, above, view.zoom)
        broad = seen.row(self.broad, last)
        for island in self.islands:
            for turn in (0, self.period, 2 * self.period):
                seen.show(
                    self.patch, island.rows, (island.columns[0] + turn, island.columns[1] + turn), (0, broad)
                )
        if self.solid > self.broad:
            seen.show(self.patch, (self.broad, self.solid), None, (broad, last))
        if self.solid < self.patch.y.shape[0]:
            seen.fill(self.patch, self.solid, last)


@dataclass(frozen=True, slots=True)
class _Window:
    """The view of one sheet: its column `left` and row `above` lie in the frame's corner."""

    frame: Frame
    left: float
    above: float
    zoom: float

    def row(self, row: float, last: int) -> int:
        """Give the even row of the frame that holds a row of the patch."""
        return min(max(0, int(np.floor((row - self.above) * self.zoom)) & ~1), last)

    def show(
        self, patch: Patch, rows: tuple[int, int], columns: tuple[int, int] | None, between: tuple[int, int]
    ) -> None:
        """Blend a part of the patch over the frame, inside a band of the frame's rows."""
        y0 = max(between[0], self.row(rows[0], between[1]))
        # What lies below the paper is its last row, drawn on.
        y1 = min(between[1], (int(np.ceil((rows[1] - self.above) * self.zoom)) + 3) & ~1)
        x0, x1 = 0, self.frame.width
        if columns is not None:
            x0 = max(0, int(np.floor((columns[0] - self.left) * self.zoom)) & ~1)
            x1 = min(x1, (int(np.ceil((columns[1] - self.left) * self.zoom)) + 3) & ~1)
        if y1 > y0 and x1 > x0:
            self._planes(patch, (y0, y1), (x0, x1), soft=True)

    def fill(self, patch: Patch, solid: int, last: int) -> None:
        """Copy what nothing shows through, from the patch's row `solid` on."""
        y0 = max(0, (int(np.ceil((solid - self.above) * self.zoom)) + 3) & ~1)
        if last > y0:
            self._planes(patch, (y0, last), (0, self.frame.width), soft=False)

    def _planes(self, patch: Patch, rows: tuple[int, int], columns: tuple[int, int], *, soft: bool) -> None:
        (y0, y1), (x0, x1), frame = rows, columns, self.frame
        corner = (self.left + x0 / self.zoom, self.above + y0 / self.zoom)
        _seen(patch.y, patch.keep if soft else None, frame.y[y0:y1, x0:x1], corner, self.zoom, frame.scratch)
        part = (slice(y0 // 2, y1 // 2), slice(x0 // 2, x1 // 2))
        half = (corner[0] / 2, corner[1] / 2)
        for plane, source in ((frame.u, patch.u), (frame.v, patch.v)):
            _seen(source, patch.keep_half if soft else None, plane[part], half, self.zoom, frame.scratch)


def _seen(
    source: U8, keep: U8 | None, out: U8, corner: tuple[float, float], zoom: float, scratch: tuple[U8, U8]
) -> None:
    height, width = out.shape
    if keep is None:
        _crop(source, out, corner, zoom, scratch[1])
        return
    over = scratch[0].reshape(-1)[: height * width].reshape(height, width)
    _crop(keep, over, corner, zoom, scratch[1])
    cv2.multiply(out, over, out, scale=1 / 255)
    _crop(source, over, corner, zoom, scratch[1])
    cv2.add(out, over, out)


def _crop(source: U8, out: U8, corner: tuple[float, float], zoom: float, scratch: U8) -> None:
    height, width = out.shape
    x, y = corner
    if zoom == 1.0:
        cv2.getRectSubPix(source, (width, height), (x + (width - 1) / 2, y + (height - 1) / 2), out)
        return
    across, down = max(1, round(width / zoom)), max(1, round(height / zoom))
    cut = scratch.reshape(-1)[: across * down].reshape(down, across)
    middle = (x + width / zoom / 2 - 0.5, y + height / zoom / 2 - 0.5)
    cv2.getRectSubPix(source, (across, down), middle, cut)
    cv2.resize(cut, (width, height), out, interpolation=cv2.INTER_LINEAR)


class Paper:
    """A sheet in the making: colour as floats on the byte scale, alpha from 0 to 1; all sides even."""

    def __init__(self, width: int, top: int, bottom: int, grade: Grade) -> None:
        self.width, self.top, self.height = width, top & ~1, (bottom - (top & ~1) + 1) & ~1
        self.alpha: Field = np.ones((self.height, width), dtype=np.float32)
        self.y: Field = np.zeros((self.height, width), dtype=np.float32)
        self.u: Field = np.full((self.height // 2, width // 2), 128, dtype=np.float32)
        self.v: Field = self.u.copy()
        self.grade = grade

    @property
    def half_size(self) -> tuple[int, int]:
        return self.width // 2, self.height // 2

    def rows(self) -> Field:
        """Give the set's row of each row of the paper, as a column."""
        return (np.arange(self.height, dtype=np.float32) + np.float32(self.top)).reshape(-1, 1)

    def half_rows(self) -> Field:
        return self.rows()[::2] + np.float32(0.5)

    def half_columns(self) -> Field:
        return (np.arange(self.width // 2, dtype=np.float32) * 2 + np.float32(0.5)).reshape(1, -1)

    def fill(self, rgb: Field) -> None:
        """Colour the whole sheet from a picture at half size (or one column of it)."""
        colours = yuv(self.grade(rgb))
        wide = np.broadcast_to(colours, (self.height // 2, self.width // 2, 3))
        self.y = cast(
            "Field",
            cv2.resize(
                np.ascontiguousarray(wide[..., 0]), (self.width, self.height), interpolation=cv2.INTER_LINEAR
            ),
        )
        self.u, self.v = wide[..., 1].copy(), wide[..., 2].copy()

    def paint(self, mask: Field | U8, colour: RGB, strength: float = 1.0) -> None:
        """Lay one colour on, where the full-size mask (bytes, or 0 to 1) says."""
        cover = mask.astype(np.float32) * np.float32(strength / 255 if mask.dtype == np.uint8 else strength)
        self._lay(cover, halved(cover), colour, slice(None), slice(None))

    def tint(self, half_mask: Field, colour: RGB) -> None:
        """Lay one colour on softly; the mask of 0 to 1 has half the size."""
        cover = cv2.resize(half_mask, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        self._lay(cast("Field", cover), half_mask, colour, slice(None), slice(None))

    def _lay(self, cover: Field, half: Field, colour: RGB, rows: slice, columns: slice) -> None:
        y, u, v = (np.float32(part) for part in yuv(self.grade(np.asarray(colour, dtype=np.float32))))
        self.y[rows, columns] += (y - self.y[rows, columns]) * cover
        self.u[rows, columns] += (u - self.u[rows, columns]) * half
        self.v[rows, columns] += (v - self.v[rows, columns]) * half

    def cut(self, ridge: Field) -> None:
        """Cut the sheet along a line: below the set's row `ridge` of each column it stays."""
        self.alpha = np.clip(self.rows() - ridge.reshape(1, -1) + np.float32(0.5), 0, 1)

    def mask(self) -> U8:
        return np.zeros((self.height, self.width), dtype=np.uint8)

    def shape(self, mask: U8, points: Sequence[tuple[float, float]] | Field) -> None:
        """Draw a filled polygon in the set's coordinates, round the seam where it must."""
        outline = np.asarray(points, dtype=np.float32) - np.array([0, self.top], dtype=np.float32)
        for turn in _turns(float(outline[:, 0].min()), float(outline[:, 0].max()), self.width):
            shifted = outline + np.array([turn, 0], dtype=np.float32)
            fixed = np.round(shifted * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)

    def disc(self, mask: U8, x: float, y: float, radius: float, value: int = 255) -> None:
        for turn in _turns(x - radius, x + radius, self.width):
            at = (round((x + turn) * 16), round((y - self.top) * 16))
            cv2.circle(mask, at, max(1, round(radius * 16)), value, -1, cv2.LINE_AA, _SHIFT)

    def grain(self, rng: np.random.Generator, strength: float = 1.0) -> None:
        """Paper fibre: it also keeps soft gradients from banding, so it must never be left out."""
        tile = rng.normal(0, 1, (256, 256)).astype(np.float32)
        fibre = tile * np.float32(0.75) + cv2.blur(tile, (7, 2)) * 2
        across, down = -(-self.width // 256), -(-self.height // 256)
        self.y += np.tile(fibre, (down, across))[: self.height, : self.width] * np.float32(strength)

    def sheet(
        self, depth: float, room: int, shadow: float = 0.0, reach: float = 8.0, drift: float = 0.0
    ) -> Sheet:
        """Finish: `room` is the widest view, `shadow` the strength of what the cut edge throws on the sheets behind."""
        alpha, y, u, v = self.alpha, self.y, self.u, self.v
        if shadow > 0:
            alpha, light = _with_shadow(alpha, shadow, reach)
            y, half = np.float32(16) + (y - np.float32(16)) * light, halved(light)
            u, v = (
                np.float32(128) + (u - np.float32(128)) * half,
                np.float32(128) + (v - np.float32(128)) * half,
            )
        patch = _widened(premultiplied((y, u, v), alpha), room)
        open_rows = np.flatnonzero(patch.keep.max(axis=1))
        solid = int(open_rows[-1]) + 1 if open_rows.size else 0
        broad, islands = _islands(patch.keep[:solid, : self.width])
        return Sheet(patch, self.top, self.width, depth, solid, drift, islands, broad)


def _islands(keep: U8) -> tuple[int, tuple[Island, ...]]:
    """Find the row from which most columns hold something, and the runs of columns that do above it."""
    held = keep < _CLEAR
    crowded = np.flatnonzero(held.mean(axis=1) > _MOST)
    broad = int(crowded[0]) if crowded.size else keep.shape[0]
    filled = np.flatnonzero(held[:broad].any(axis=0))
    if broad < _GAP or filled.size > keep.shape[1] * 0.85:
        return 0, ()
    if not filled.size:
        return broad, ()
    breaks = np.flatnonzero(np.diff(filled) > _GAP)
    firsts, lasts = np.concatenate([[0], breaks + 1]), np.concatenate([breaks, [filled.size - 1]])
    islands = []
    for first, last in zip(filled[firsts].tolist(), filled[lasts].tolist(), strict=True):
        rows = np.flatnonzero(held[:broad, first : last + 1].any(axis=1))
        islands.append(Island((max(0, first - 2), last + 3), (max(0, int(rows[0]) - 2), int(rows[-1]) + 3)))
    return broad, tuple(islands)


def _turns(low: float, high: float, period: int) -> list[int]:
    return [0] + ([period] if low < 0 else []) + ([-period] if high > period else [])


def _with_shadow(alpha: Field, strength: float, reach: float) -> tuple[Field, Field]:
    """Alpha including the shadow, and how much light the colour keeps under that alpha."""
    size = max(3, round(reach) | 1)
    half = halved(alpha)
    soft = cv2.blur(cv2.blur(half, (size, size)), (size, size))
    fallen = cv2.resize(soft, (alpha.shape[1], alpha.shape[0]), interpolation=cv2.INTER_LINEAR) * np.float32(
        strength
    )
    together = alpha + (1 - alpha) * fallen
    return np.asarray(together), (alpha / np.maximum(together, np.float32(1e-3)))


def _widened(patch: Patch, room: int) -> Patch:
    """Repeat the first columns behind the last, so that every view is one cut without a seam."""
    extra = (room + 4) & ~1

    def wide(plane: U8, more: int) -> U8:
        times = -(-more // plane.shape[1])
        return np.concatenate([plane, *([plane] * times)], axis=1)[:, : plane.shape[1] + more]

    return Patch(
        y=np.ascontiguousarray(wide(patch.y, extra)),
        u=np.ascontiguousarray(wide(patch.u, extra // 2)),
        v=np.ascontiguousarray(wide(patch.v, extra // 2)),
        keep=np.ascontiguousarray(wide(patch.keep, extra)),
        keep_half=np.ascontiguousarray(wide(patch.keep_half, extra // 2)),
    )
