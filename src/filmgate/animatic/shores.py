"""Lakes and seas: hills or islands behind the water, reeds or sand before it."""

import numpy as np

from filmgate.animatic.ground import ground_sheet, stands_on_ground
from filmgate.animatic.meadow import tree_sheet
from filmgate.animatic.mountains import conifer_sheet, hill_sheet, range_sheet
from filmgate.animatic.noise import chance, waves
from filmgate.animatic.palette import mix, scaled
from filmgate.animatic.planes import U8
from filmgate.animatic.sheets import Paper, Sheet
from filmgate.animatic.stage import Element, Setting, Stage
from filmgate.animatic.water import still_water, water_colour

_BANK, _SAND = (0.36, 0.6, 0.32), (0.93, 0.82, 0.62)


def paint_lake(stage: Stage) -> Setting:
    rng = stage.rng("lake")
    shore = stage.horizon
    back = _gentle_shore(stage, rng) if chance(rng, 0.36) else _alpine_shore(stage, rng)
    back.append(still_water(stage, shore, water_colour(stage)))
    if stands_on_ground(stage):
        grass = stage.palette.snow() if stage.scene.weather == "snow" else stage.palette.lit(_BANK, 0.0, 0.5)
        bank = ground_sheet(stage, rng, stage.ground - stage.unit * 0.07, colour=grass, depth=0.8)
        return Setting(back=[*back, bank], front=[])
    return Setting(back=back, front=[reeds_sheet(stage, rng)])


def _gentle_shore(stage: Stage, rng: np.random.Generator) -> list[Element]:
    """Low hills and round trees along the water."""
    shore, unit = stage.horizon, stage.unit
    hills = [
        hill_sheet(stage, rng, shore - unit * rise, swell=unit * swell, distance=distance, depth=depth)
        for rise, swell, distance, depth in ((0.09, 0.09, 0.62, 0.07), (0.04, 0.06, 0.42, 0.13))
    ]
    size = unit * rng.uniform(0.07, 0.12)
    trees = tree_sheet(
        stage,
        rng,
        shore - unit * 0.012,
        size=size,
        distance=0.22,
        depth=0.22,
        number=int(rng.integers(9, 17)),
    )
    return [*hills, trees]


def _alpine_shore(stage: Stage, rng: np.random.Generator) -> list[Element]:
    shore, count = stage.horizon, int(rng.integers(2, 7))
    back: list[Element] = [
        range_sheet(
            stage,
            rng,
            foot=shore,
            tall=stage.unit * rng.uniform(0.14, 0.36),
            count=count,
            distance=0.4,
            depth=0.08,
            snowy=chance(rng, 0.35) or stage.scene.weather == "snow",
        )
    ]
    if chance(rng, 0.4):
        back.append(
            hill_sheet(
                stage, rng, shore - stage.unit * 0.04, swell=stage.unit * 0.06, distance=0.35, depth=0.16
            )
        )
    back.append(
        conifer_sheet(
            stage,
            rng,
            shore - stage.unit * 0.008,
            tree=stage.unit * rng.uniform(0.04, 0.1),
            distance=0.1,
            depth=0.22,
            swell=0.012,
            dense=rng.uniform(0.6, 1.4),
        )
    )
    return back


def paint_sea(stage: Stage) -> Setting:
    rng = stage.rng("sea")
    shore, back = stage.horizon, list[Element]()
    if chance(rng, 0.65):
        back.append(
            range_sheet(
                stage,
                rng,
                foot=shore,
                tall=stage.unit * rng.uniform(0.06, 0.13),
                count=2,
                distance=0.5,
                depth=0.07,
                snowy=False,
                gaps=True,
            )
        )
    back.append(still_water(stage, shore, water_colour(stage)))
    front: list[Element] = []
    if stands_on_ground(stage):
        sand = mix(stage.palette.lit(_SAND, 0.0, 0.3), stage.palette.light, 0.08)
        back.append(ground_sheet(stage, rng, stage.ground - stage.unit * 0.07, colour=sand, depth=0.8))
    elif chance(rng, 0.55):
        front = [_surf(stage, rng), _sand(stage, rng)]
    elif chance(rng, 0.55):
        front = [_rocks(stage, rng)]
    return Setting(back=back, front=front)


def reeds_sheet(stage: Stage, rng: np.random.Generator) -> Sheet:
    """Reeds in clumps at both sides, so that the middle of the water stays open."""
    period = stage.period
    paper = stage.paper(stage.height - stage.unit * 0.36, period=period)
    mask = paper.mask()
    colour = scaled(stage.palette.lit((0.2, 0.3, 0.2)), 0.55)
    for centre, wide in ((rng.uniform(0.0, 0.1), 0.13), (rng.uniform(0.76, 0.86), 0.13)):
        for _ in range(int(rng.integers(6, 38))):
            x = (centre + rng.normal(0, 1) * wide * 0.5) * period
            _reed(paper, mask, rng, x, stage.unit * rng.uniform(0.1, 0.3))
    paper.fill(np.array(colour, dtype=np.float32).reshape(1, 1, 3))
    paper.tint(_upper(paper), mix(colour, stage.palette.haze, 0.3))
    paper.alpha = mask.astype(np.float32) / np.float32(255)
    paper.grain(rng)
    return paper.sheet(1.0, stage.width)


def _upper(paper: Paper) -> np.ndarray:
    share = np.linspace(0.9, 0.0, paper.height // 2, dtype=np.float32).reshape(-1, 1)
    return np.ascontiguousarray(np.broadcast_to(share, (paper.height // 2, paper.width // 2)))


def _reed(paper: Paper, mask: U8, rng: np.random.Generator, x: float, tall: float) -> None:
    foot = paper.top + paper.height
    low = foot - paper.height * 0.05
    top_y = paper.top + paper.height * 0.62 - tall
    lean = tall * rng.uniform(-0.16, 0.16)
    thick = max(0.8, tall * 0.011)
    steps = np.linspace(0, 1, 7)
    spine = [(x + lean * s * s, foot + (top_y - foot) * s) for s in steps]
    outline = [(px - thick, py) for px, py in spine] + [(px + thick, py) for px, py in reversed(spine)]
    paper.shape(mask, outline)
    if chance(rng, 0.5):
        cx, cy = spine[-2]
        long = tall * 0.16
        paper.shape(
            mask,
            [
                (cx - thick * 2.6, cy - long),
                (cx + thick * 2.6, cy - long),
                (cx + thick * 2.8, cy + long * 0.2),
                (cx - thick * 2.8, cy + long * 0.2),
            ],
        )
        paper.disc(mask, cx, cy - long, thick * 2.6)
        paper.disc(mask, cx, cy + long * 0.2, thick * 2.8)
    else:
        bend = rng.choice((-1, 1)) * tall * 0.3
        paper.shape(
            mask,
            [
                (x - thick, low),
                (x + bend * 0.4, low - tall * 0.5),
                (x + bend, low - tall * 0.62),
                (x + bend * 0.5, low - tall * 0.42),
                (x + thick * 2, low),
            ],
        )


def _surf(stage: Stage, rng: np.random.Generator) -> Sheet:
    """Make the last thin wave, a bright lip on the sand."""
    line = np.float32(stage.height * 0.9) + waves(rng, stage.period, 3, 2) * np.float32(stage.unit * 0.015)
    paper = stage.paper(float(line.min()) - stage.unit * 0.02)
    foam = mix(stage.palette.lit((0.95, 0.97, 0.97)), stage.palette.light, 0.25)
    paper.fill(np.array(foam, dtype=np.float32).reshape(1, 1, 3))
    paper.cut(line)
    paper.alpha = paper.alpha * np.float32(0.75)
    paper.grain(rng)
    return paper.sheet(0.92, stage.width)


def _sand(stage: Stage, rng: np.random.Generator) -> Sheet:
    return hill_sheet(
        stage,
        rng,
        stage.height * 0.925,
        swell=stage.unit * 0.02,
        distance=0.0,
        depth=1.0,
        colour=_SAND,
        lift=0.02,
    )


def _rocks(stage: Stage, rng: np.random.Generator) -> Sheet:
    period = stage.period
    paper = stage.paper(stage.height * 0.78)
    mask, lit = paper.mask(), paper.mask()
    for centre in (0.04, 0.74):
        for _ in range(6):
            x, wide = (centre + rng.normal(0, 0.05)) * period, stage.unit * rng.uniform(0.06, 0.14)
            tall = wide * rng.uniform(0.5, 0.9)
            low = stage.height + stage.margin
            top = stage.height * 1.0 - tall
            paper.shape(
                mask,
                [
                    (x - wide, low),
                    (x - wide * 0.7, top + tall * 0.5),
                    (x - wide * 0.2, top),
                    (x + wide * 0.4, top + tall * 0.2),
                    (x + wide, low),
                ],
            )
            paper.shape(
                lit,
                [
                    (x - wide * 0.7, top + tall * 0.5),
                    (x - wide * 0.2, top),
                    (x + wide * 0.4, top + tall * 0.2),
                    (x, top + tall * 0.42),
                ],
            )
    rock = stage.palette.lit((0.36, 0.34, 0.36))
    paper.fill(np.array(scaled(rock, 0.6), dtype=np.float32).reshape(1, 1, 3))
    paper.paint(np.minimum(lit, mask), mix(rock, stage.palette.light, 0.3), 0.8)
    paper.alpha = mask.astype(np.float32) / np.float32(255)
    paper.grain(rng)
    return paper.sheet(1.0, stage.width, 0.1, stage.unit * 0.01)
