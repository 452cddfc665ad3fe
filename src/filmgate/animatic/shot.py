"""Elements under a camera, drawn moment by moment, and the passage from one such shot to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2

from filmgate.animatic.camera import Camera
from filmgate.animatic.planes import Frame
from filmgate.animatic.stage import Element


class Footage(Protocol):
    def draw(self, frame: Frame, t: float) -> None:
        """Draw the moment `t` of the film, every pixel of it."""
        ...


@dataclass(frozen=True, slots=True)
class Shot:
    """Elements from the farthest to the nearest; `since` is the moment of the film that they take for 0."""

    elements: Sequence[Element]
    camera: Camera
    since: float = 0.0

    def draw(self, frame: Frame, t: float) -> None:
        own = t - self.since
        stops: list[int] = []
        stop = frame.height
        for element in reversed(self.elements):
            stops.append(stop)
            stop = min(stop, max(0, element.covers(self.camera, own)))
        for element, limit in zip(self.elements, reversed(stops), strict=True):
            element.draw(frame, self.camera, own, limit)


@dataclass(frozen=True, slots=True)
class Passage:
    """The old shot runs on while the new one comes up over it; at the moment `at` all is still the old one."""

    old: Footage
    new: Footage
    at: float
    seconds: float
    room: Frame

    def draw(self, frame: Frame, t: float) -> None:
        share = passed(t, self.at, self.seconds)
        if share <= 0:
            self.old.draw(frame, t)
            return
        self.new.draw(frame, t)
        if share < 1:
            self.old.draw(self.room, t)
            cv2.addWeighted(frame.buffer, share, self.room.buffer, 1 - share, 0.0, frame.buffer)


def passed(t: float, at: float, seconds: float) -> float:
    """From 0 at `at` to 1 when the seconds are over, beginning and ending at rest."""
    share = min(1.0, max(0.0, (t - at) / seconds))
    return share * share * (3 - 2 * share)
