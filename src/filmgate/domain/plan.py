"""The plan of a film: which clips are made one after the other, and how far along each of them is."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from filmgate.domain.contracts_provider import Power, Provider
from filmgate.domain.request import FilmRequest, SourceKind
from filmgate.domain.states import State


class ClipRole(StrEnum):
    FIRST = "first"
    EXTENSION = "extension"
    UPSAMPLE = "upsample"


STATES: Final = {
    ClipRole.FIRST: State.GENERATING,
    ClipRole.EXTENSION: State.EXTENDING,
    ClipRole.UPSAMPLE: State.UPSAMPLING,
}


@dataclass(frozen=True, slots=True)
class PlannedClip:
    no: int
    role: ClipRole
    seconds: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Clips in their order. What is left when all are stored, joining and scaling, the gate does by itself."""

    clips: tuple[PlannedClip, ...]
    extends: bool
    """Whether the first clip is another film's, which is taken over and not made."""

    def at(self, no: int) -> PlannedClip | None:
        return self.clips[no - 1] if no <= len(self.clips) else None

    @property
    def joins(self) -> bool:
        return any(clip.role is ClipRole.EXTENSION for clip in self.clips)

    @property
    def first_made(self) -> int:
        """The number of the first clip that this task makes itself."""
        return 2 if self.extends else 1

    def progress(self, no: int, share: int) -> int:
        """Give the film's progress, 0 to 99, from that of one clip: two clips are 0 to 49 and 50 to 99."""
        if self.extends:
            return min(share, 99)
        return min((100 * (no - 1) + min(share, 99)) // len(self.clips), 99)


def planned_by(request: FilmRequest, provider: Provider | None) -> Plan:
    """Plan a film as its provider makes it; nobody upsamples where nobody is known to make it."""
    return plan(request, provider_upsamples=provider is not None and Power.UPSAMPLES in provider.powers)


def plan(request: FilmRequest, *, provider_upsamples: bool) -> Plan:
    """Plan a film; where its provider can upsample, that is a clip of its own."""
    clips = [
        PlannedClip(no, ClipRole.FIRST if no == 1 else ClipRole.EXTENSION, seconds)
        for no, seconds in enumerate(request.clips, 1)
    ]
    if request.upsample_to is not None and len(clips) == 1 and provider_upsamples:
        clips.append(PlannedClip(2, ClipRole.UPSAMPLE, clips[0].seconds))
    source = request.source
    return Plan(tuple(clips), extends=source is not None and source.kind is SourceKind.EXTEND)
