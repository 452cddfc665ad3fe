"""The open ground of every place."""

import numpy as np

from filmgate.animatic.motions import medium
from filmgate.animatic.noise import clouds, smooth_step, waves
from filmgate.animatic.palette import mix, scaled
from filmgate.animatic.planes import RGB
from filmgate.animatic.sheets import Sheet
from filmgate.animatic.stage import Stage


def stands_on_ground(stage: Stage) -> bool:
    """Tell whether any subject needs ground to stand on."""
    return any(medium(stage, subject.name) in {"ground", "fixed"} for subject in stage.scene.subjects)


def ground_sheet(stage: Stage, rng: np.random.Generator, foot: float, *, colour: RGB, depth: float) -> Sheet:
    """Make the ground that subjects stand on: brightest along its back, patched softly, darker towards us."""
    ridge = np.float32(foot) + waves(rng, stage.period, 2, 2, 0.3) * np.float32(stage.unit * 0.022)
    paper = stage.paper(float(ridge.min()) - stage.unit * 0.03)
    paper.fill(np.array(colour, dtype=np.float32).reshape(1, 1, 3))
    below = (paper.half_rows() - ridge[::2].reshape(1, -1)) / np.float32(stage.height - foot)
    paper.tint(
        np.exp(-np.maximum(below, 0) / np.float32(0.12)) * np.float32(0.34),
        mix(colour, stage.palette.light, 0.6),
    )
    patches = smooth_step(0.5, 0.62, clouds(rng, paper.half_size, (5, 9), 3))
    paper.tint(patches * np.float32(0.16), mix(colour, stage.palette.light, 0.5))
    paper.tint(np.clip(below, 0, 1) * np.float32(0.55), scaled(mix(colour, stage.palette.wash, 0.25), 0.72))
    paper.cut(ridge)
    paper.grain(rng, 1.2)
    return paper.sheet(depth, stage.width, 0.14, stage.unit * 0.012)
