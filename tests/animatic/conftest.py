import json

import numpy as np
import pytest
from PIL import Image

from filmgate.animatic.film import footage, scenes_of
from filmgate.animatic.planes import blank_frame
from filmgate.animatic.spec import parse_spec


@pytest.fixture
def moments(tmp_path):
    """Draw moments of a film without encoding it: their light, as floats."""

    def draw(fields, times):
        small = {"prompt": "", "width": 320, "height": 180, "seconds": 2, "mark": False, "caption": False}
        spec = parse_spec(json.dumps(small | fields | {"out": str(tmp_path / "film.mp4")}))
        size = spec.width * spec.height
        scratch = (np.zeros(size, np.uint8), np.zeros(size, np.uint8))
        frame = blank_frame(spec.width, spec.height, scratch)
        film = footage(spec, *scenes_of(spec))
        drawn = []
        for t in times:
            film.draw(frame, t)
            drawn.append(frame.y.astype(float))
        return drawn

    return draw


@pytest.fixture
def painted(tmp_path):
    """Write a picture of height x width x 3 or 4 bytes, and give its path."""

    def write(name, pixels):
        path = tmp_path / f"{name}.png"
        Image.fromarray(pixels).save(path)
        return str(path)

    return write


@pytest.fixture
def hills(painted):
    """Paint a view with detail everywhere, seen from `shift` pixels further to the right."""

    def paint(name, seed, shift=0, size=(320, 180)):
        width, height = size
        rng = np.random.default_rng(seed)
        cells = rng.integers(60, 190, (12, 42, 1)) + rng.integers(-15, 15, (12, 42, 3))
        wide = np.asarray(
            Image.fromarray(cells.astype(np.uint8)).resize((width * 2, height), Image.Resampling.BICUBIC)
        )
        return painted(name, np.ascontiguousarray(wide[:, shift : shift + width]))

    return paint
