"""Which painters build which place, and in what order the whole picture is laid."""

from collections.abc import Callable

from filmgate.animatic.city import paint_city
from filmgate.animatic.lens import vignette
from filmgate.animatic.meadow import paint_meadow
from filmgate.animatic.mountains import paint_mountains
from filmgate.animatic.shores import paint_lake, paint_sea
from filmgate.animatic.sky import paint_sky
from filmgate.animatic.space import paint_space, paint_space_sky
from filmgate.animatic.stage import Element, Setting, Stage
from filmgate.animatic.staging import cast_actors
from filmgate.animatic.swarms import fx_swarms
from filmgate.animatic.undersea import paint_depths, paint_reef
from filmgate.animatic.weather import fallen, mist, sparks
from filmgate.animatic.wilds import paint_desert, paint_forest

_PAINTERS: dict[str, Callable[[Stage], Setting]] = {
    "snow_mountain": paint_mountains,
    "mountain": paint_mountains,
    "lake": paint_lake,
    "sea": paint_sea,
    "meadow": paint_meadow,
    "forest": paint_forest,
    "city": paint_city,
    "desert": paint_desert,
    "space": paint_space,
    "underwater": paint_reef,
}


def build_set(stage: Stage) -> list[Element]:
    """Everything of the scene but the words, from the farthest to the nearest."""
    place = stage.scene.place
    setting = _PAINTERS[place](stage)
    sky: list[Element] = list(paint_sky(stage)) if place not in {"space", "underwater"} else []
    if place == "space":
        sky = paint_space_sky(stage)
    elif place == "underwater":
        sky = paint_depths(stage)
    company, faces = cast_actors(stage)
    fog = mist(stage)
    return [
        *sky,
        *sparks(stage),
        *setting.back,
        *fog[:1],
        *company,
        *faces,
        *setting.front,
        *fog[1:],
        vignette(stage.width, stage.height),
        *fx_swarms(stage),
        *fallen(stage),
    ]
