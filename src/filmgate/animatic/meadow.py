"""Meadows and gardens: far hills, a row of trees, open grass, flowers before it all."""

import numpy as np

from filmgate.animatic.ground import ground_sheet
from filmgate.animatic.mountains import conifer_sheet, hill_sheet, range_sheet
from filmgate.animatic.noise import chance, waves
from filmgate.animatic.palette import hexed, mix, scaled
from filmgate.animatic.planes import RGB, U8
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.sprites import traits
from filmgate.animatic.stage import Element, Setting, Stage

_FAR, _TRUNK = hexed("6f9f86"), hexed("6b4a34")
_STYLES = ("trees", "trees", "alpine", "grove", "grove", "fields", "firs")
_SNOWY_STYLES = ("firs", "firs", "alpine", "alpine", "trees", "grove")
_GRASSES = (hexed("5fae4a"), hexed("7cb84a"), hexed("4fa662"), hexed("9ab84e"))
_AUTUMN_GRASSES = (hexed("b8a24a"), hexed("9aa04a"))
_CROPS = (hexed("e0c45a"), hexed("a884d0"), hexed("8cc05a"), hexed("d98f5a"))
_LEAVES = (hexed("3f8f4a"), hexed("5aa04a"), hexed("2f7d55"), hexed("7fae4a"))
_BLOSSOM = (hexed("f3a9c4"), hexed("f7c4d4"))
_AUTUMN = (hexed("d98a3a"), hexed("c8603a"), hexed("e0b04a"))
_PETALS = (hexed("fff4f0"), hexed("f8b4cc"), hexed("ffd45a"), hexed("b79cf0"), hexed("ff8a6a"))


def paint_meadow(stage: Stage) -> Setting:
    rng = stage.rng("meadow")
    snowy, below = stage.scene.weather == "snow", stage.height - stage.horizon
    back = _landscape(stage, rng)
    if chance(rng, 0.4):
        back.append(_fence(stage, rng, stage.horizon + below * 0.25))
    back.append(ground_sheet(stage, rng, stage.horizon + below * 0.2, colour=_grass(stage), depth=0.8))
    return Setting(back=back, front=[_drift(stage, rng) if snowy else flower_sheet(stage, rng)])


def _landscape(stage: Stage, rng: np.random.Generator) -> list[Element]:
    """Compose scattered trees, mountains behind firs, great trees near by, striped fields, or rows of firs."""
    far, unit, below = stage.horizon, stage.unit, stage.height - stage.horizon
    styles = _SNOWY_STYLES if stage.scene.weather == "snow" else _STYLES
    style, clear = styles[int(rng.integers(len(styles)))], _kept_clear(stage)

    def trees(at: float, size: float, distance: float, depth: float, number: int) -> Sheet:
        return tree_sheet(
            stage,
            rng,
            far + below * at,
            size=size,
            distance=distance,
            depth=depth,
            number=number,
            clear=clear,
        )

    hill = hill_sheet(
        stage, rng, far - below * 0.03, swell=unit * 0.06, distance=0.36, depth=0.16, colour=_FAR
    )
    if style == "alpine":
        tall = unit * rng.uniform(0.2, 0.3)
        return [
            range_sheet(stage, rng, foot=far + 4, tall=tall, count=4, distance=0.4, depth=0.07, snowy=True),
            hill,
            conifer_sheet(
                stage, rng, far + below * 0.08, tree=unit * 0.1, distance=0.12, depth=0.35, swell=0.02
            ),
        ]
    swell = unit * 0.09
    back: list[Element] = [
        hill_sheet(stage, rng, far - below * 0.14, swell=swell, distance=0.62, depth=0.08, colour=_FAR),
        hill,
    ]
    if style == "firs":
        return back + _firs(stage, rng)
    small = trees(0.05, unit * 0.1, 0.28, 0.28, 11)
    if style == "fields":
        return [*back, *_fields(stage, rng), small]
    if style == "grove":
        return [*back, small, trees(0.16, unit * rng.uniform(0.3, 0.36), 0.0, 0.55, 3)]
    return [*back, small, trees(0.14, unit * rng.uniform(0.15, 0.2), 0.06, 0.45, 5)]


def _firs(stage: Stage, rng: np.random.Generator) -> list[Element]:
    """Stand two rows of firs behind the open grass, the nearer one loose."""
    below, unit = stage.height - stage.horizon, stage.unit
    return [
        conifer_sheet(
            stage, rng, stage.horizon + below * 0.04, tree=unit * 0.08, distance=0.4, depth=0.28, swell=0.03
        ),
        conifer_sheet(
            stage,
            rng,
            stage.horizon + below * 0.14,
            tree=unit * rng.uniform(0.12, 0.22),
            distance=0.12,
            depth=0.48,
            swell=0.03,
            dense=rng.uniform(0.4, 0.9),
        ),
    ]


def _kept_clear(stage: Stage) -> tuple[float, float]:
    """Give the columns behind a house or an instrument: a crown above a roof would pass for smoke."""
    habitats = {traits(subject.name).habitat for subject in stage.scene.subjects}
    share = 0.36 if "scenery" in habitats else 0.22 if "instrument" in habitats else 0.0
    half = min(stage.unit * share, stage.width * 0.34)
    return stage.width / 2 - half, stage.width / 2 + half


def _grass(stage: Stage) -> RGB:
    if stage.scene.weather == "snow":
        return stage.palette.snow()
    shades = _AUTUMN_GRASSES if "leaves" in stage.scene.fx else _GRASSES
    return stage.palette.lit(shades[int(stage.rng("grass").integers(len(shades)))], 0.0, 0.62)


def _fields(stage: Stage, rng: np.random.Generator) -> list[Element]:
    """Bands of different crops, one behind the other."""
    below = stage.height - stage.horizon
    order = rng.permutation(len(_CROPS))
    return [
        hill_sheet(
            stage,
            rng,
            stage.horizon + below * at,
            swell=stage.unit * 0.035,
            distance=distance,
            depth=depth,
            colour=_CROPS[int(crop)] if stage.scene.weather != "snow" else (0.92, 0.95, 1.0),
        )
        for crop, (at, distance, depth) in zip(
            order, ((0.0, 0.24, 0.2), (0.06, 0.16, 0.28), (0.13, 0.08, 0.4)), strict=False
        )
    ]


def _fence(stage: Stage, rng: np.random.Generator, foot: float) -> Sheet:
    """Make posts with two rails before the open grass."""
    unit, tall = stage.unit, stage.unit * 0.075
    paper = stage.paper(foot - tall * 1.3, foot + unit * 0.02)
    mask, step = paper.mask(), stage.period / round(stage.period / (unit * 0.085))
    white = chance(rng, 0.5)
    for index in range(round(stage.period / step)):
        x, wide, top = index * step, unit * 0.0065, foot - tall
        paper.shape(
            mask,
            [(x - wide, foot), (x - wide, top), (x, top - wide * 1.4), (x + wide, top), (x + wide, foot)],
        )
        for rail in (0.35, 0.72):
            y, thick = foot - tall * rail, unit * 0.0042
            ends = (x, x + step + 1)
            paper.shape(
                mask, [(ends[0], y - thick), (ends[1], y - thick), (ends[1], y + thick), (ends[0], y + thick)]
            )
    wood = stage.palette.lit((0.96, 0.95, 0.92) if white else hexed("9a7450"), 0.05, 0.4)
    paper.fill(np.array(wood, dtype=np.float32).reshape(1, 1, 3))
    paper.alpha = mask.astype(np.float32) / np.float32(255)
    paper.grain(rng)
    return paper.sheet(0.62, stage.width)


def tree_sheet(
    stage: Stage,
    rng: np.random.Generator,
    foot: float,
    *,
    size: float,
    distance: float,
    depth: float,
    number: int,
    clear: tuple[float, float] = (0.0, 0.0),
) -> Sheet:
    """Round, tall or blossoming trees on their own strip of ground, none between the columns `clear`."""
    ridge = np.float32(foot) + waves(rng, stage.period, 3, 2) * np.float32(stage.unit * 0.02)
    paper = stage.paper(float(ridge.min()) - size * 2.3)
    leaf = _leaf(stage, rng)
    ground = mix(_grass(stage), stage.palette.haze, distance)
    paper.fill(np.array(ground, dtype=np.float32).reshape(1, 1, 3))
    wood, crown, lit = paper.mask(), paper.mask(), paper.mask()
    slender, way = chance(rng, 0.3), 1 if stage.light.x > stage.width / 2 else -1
    for index in range(number):
        x = (index + 0.5 + rng.uniform(-0.38, 0.38)) * stage.period / number
        tall = size * rng.uniform(0.7, 1.2)
        if clear[0] - tall * 0.62 < x < clear[1] + tall * 0.62:
            continue
        root = float(ridge[int(x) % stage.period]) + size * 0.06
        thick, top = tall * 0.05, root - tall
        paper.shape(
            wood, [(x - thick, root), (x - thick * 0.6, top), (x + thick * 0.6, top), (x + thick, root)]
        )
        reach = tall * (0.34 if slender else 0.46)
        _crown(paper, (crown, lit), rng, (x, root - tall * 1.15), reach, way, slender=slender)
    paper.paint(wood, stage.palette.lit(_TRUNK, distance))
    if stage.scene.weather == "snow":
        bright = stage.palette.snow(distance)
        dim = mix(bright, stage.palette.wash, 0.5 if stage.palette.dark else 0.25)
    else:
        bright, dim = (stage.palette.lit(scaled(leaf, share), distance, 0.6) for share in (1.0, 0.8))
    paper.paint(crown, dim)
    paper.paint(np.minimum(lit, crown), mix(bright, stage.palette.light, 0.16))
    paper.cut(ridge)
    together = np.maximum(np.maximum(wood, crown).astype(np.float32) / np.float32(255), paper.alpha)
    paper.alpha = together
    paper.grain(rng)
    return paper.sheet(depth, stage.width, 0.13, stage.unit * 0.012)


def _leaf(stage: Stage, rng: np.random.Generator) -> RGB:
    if "petals" in stage.scene.fx:
        return _BLOSSOM[int(rng.integers(len(_BLOSSOM)))]
    if "leaves" in stage.scene.fx:
        return _AUTUMN[int(rng.integers(len(_AUTUMN)))]
    return _LEAVES[int(rng.integers(len(_LEAVES)))]


def _crown(
    paper: Paper,
    masks: tuple[U8, U8],
    rng: np.random.Generator,
    at: tuple[float, float],
    size: float,
    way: int,
    *,
    slender: bool,
) -> None:
    (x, y), (crown, lit) = at, masks
    lobes = [
        (0.0, -0.45, 0.72),
        (-0.62, 0.12, 0.62),
        (0.62, 0.1, 0.64),
        (0.0, 0.3, 0.7),
        (-0.36, -0.2, 0.6),
        (0.38, -0.24, 0.58),
    ]
    for across, down, radius in lobes:
        wide, long = (0.55, 1.55) if slender else (1.0, 1.0)
        r = size * radius * rng.uniform(0.88, 1.1) * (0.8 if slender else 1.0)
        cx, cy = x + across * size * wide + rng.uniform(-0.06, 0.06) * size, y + down * size * long
        paper.disc(crown, cx, cy, r)
        paper.disc(lit, cx + way * r * 0.2, cy - r * 0.26, r * 0.74)


def flower_sheet(stage: Stage, rng: np.random.Generator) -> Sheet:
    """Make the nearest strip: grass blades and flowers, thickest towards the sides."""
    top = stage.height * 0.915
    ridge = np.float32(top) + waves(rng, stage.period, 3, 2) * np.float32(stage.unit * 0.014)
    paper = stage.paper(float(ridge.min()) - stage.unit * 0.13)
    grass = scaled(_grass(stage), 0.74)
    paper.fill(np.array(grass, dtype=np.float32).reshape(1, 1, 3))
    blades = paper.mask()
    for _ in range(int(stage.period / stage.unit * 190)):
        x = rng.uniform(0, stage.period)
        foot = float(ridge[int(x) % stage.period]) + stage.unit * 0.02
        tall, lean = stage.unit * rng.uniform(0.03, 0.075), stage.unit * rng.uniform(-0.02, 0.02)
        thick = stage.unit * 0.0032
        paper.shape(blades, [(x - thick, foot), (x + lean, foot - tall), (x + thick, foot)])
    paper.cut(ridge)
    cover = np.maximum(paper.alpha, blades.astype(np.float32) / np.float32(255))
    kinds = rng.permutation(len(_PETALS))[: int(rng.integers(2, 4))]
    stems, hearts, petals = paper.mask(), paper.mask(), [paper.mask() for _ in kinds]
    for _ in range(int(stage.period / stage.unit * 30)):
        x = rng.uniform(0, stage.period)
        _flower(
            paper,
            (stems, hearts, petals[int(rng.integers(len(petals)))]),
            rng,
            (x, float(ridge[int(x) % stage.period])),
            stage.unit,
        )
    paper.paint(stems, scaled(grass, 0.85))
    for kind, mask in zip(kinds, petals, strict=True):
        paper.paint(mask, mix(stage.palette.lit(_PETALS[int(kind)], 0.0, 0.7), stage.palette.light, 0.1))
    paper.paint(hearts, stage.palette.lit(hexed("ffc93a")))
    for mask in (stems, hearts, *petals):
        cover = np.maximum(cover, mask.astype(np.float32) / np.float32(255))
    paper.alpha = cover
    paper.grain(rng)
    return paper.sheet(1.0, stage.width, 0.1, stage.unit * 0.008)


def _flower(
    paper: Paper, masks: tuple[U8, U8, U8], rng: np.random.Generator, at: tuple[float, float], unit: float
) -> None:
    (x, foot), (stems, hearts, petals) = at, masks
    size, tall = unit * rng.uniform(0.009, 0.017), unit * rng.uniform(-0.02, 0.06)
    y, thick = foot - tall, unit * 0.0022
    paper.shape(
        stems,
        [(x - thick, foot + unit * 0.03), (x - thick, y), (x + thick, y), (x + thick, foot + unit * 0.03)],
    )
    spin = rng.uniform(0, 1.2)
    for petal in range(5):
        turn = spin + petal * 2 * np.pi / 5
        paper.disc(
            petals, x + size * 0.72 * float(np.cos(turn)), y + size * 0.72 * float(np.sin(turn)), size * 0.58
        )
    paper.disc(hearts, x, y, size * 0.42)


def _drift(stage: Stage, rng: np.random.Generator) -> Sheet:
    return ground_sheet(
        stage, rng, stage.height * 0.925, colour=scaled(stage.palette.snow(), 0.97), depth=1.0
    )
