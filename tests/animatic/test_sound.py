import time
from itertools import product

import numpy as np
import pytest

from filmgate.animatic.reading import read_scene
from filmgate.animatic.sound import RATE, compose

PROMPTS = (
    "一只猫咪在雨夜散步",
    "a cat playing piano in the garden",
    "storm over the sea",
    "cyberpunk city, neon",
    "snow mountain at dawn",
    "a paper boat on a lake at dusk",
    "underwater reef",
    "an astronaut in space",
    "水墨, 竹林, 雾",
    "a campfire in the forest at night, snow",
)


def loudness(wave):
    return 20 * np.log10(np.sqrt(np.mean(np.square(wave, dtype=np.float64))) + 1e-12)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_scene_sounds_everywhere_and_never_clips(prompt):
    wave = compose(read_scene(prompt), 8)
    assert wave.shape == (2, 8 * RATE)
    assert wave.dtype == np.float32
    assert np.abs(wave).max() < 0.93
    pieces = [
        loudness(wave[:, at : at + RATE // 4]) for at in range(RATE // 2, 8 * RATE - RATE // 4, RATE // 4)
    ]
    assert min(pieces) > -32
    assert -25 < loudness(wave) < -17


@pytest.mark.parametrize("prompt", PROMPTS)
def test_an_extension_goes_on_exactly_where_the_film_stopped(prompt):
    scene = read_scene(prompt)
    whole = compose(scene, 23)
    np.testing.assert_allclose(compose(scene, 15, 8), whole[:, 8 * RATE :], atol=1e-5)
    np.testing.assert_allclose(
        compose(scene, 3, 4 + 1 / RATE), whole[:, 4 * RATE + 1 : 7 * RATE + 1], atol=1e-5
    )


def test_the_beginning_rises_from_silence_and_an_extension_does_not():
    scene = read_scene("a cat in the garden")
    assert np.abs(compose(scene, 0.5)[:, :200]).max() < 0.001
    assert loudness(compose(scene, 0.5, 8)[:, :4000]) > -32


def test_nothing_clicks():
    wave = compose(read_scene("snow mountain at dawn"), 12)
    assert np.abs(np.diff(wave)).max() < 0.08


def test_the_ears_hear_different_things_but_nothing_cancels():
    wave = compose(read_scene("a cat in the garden"), 8)
    assert loudness(wave[0] - wave[1]) > -45
    assert loudness(wave[0] + wave[1]) > loudness(wave[0]) + 2


def test_scenes_and_seeds_sound_different():
    heard = {
        compose(read_scene(prompt, seed=seed), 4).tobytes()
        for prompt, seed in product(PROMPTS[:4], (1, 2, 3))
    }
    assert len(heard) == 12


def test_the_same_scene_sounds_the_same():
    scene = read_scene("a cat in the garden")
    assert compose(scene, 2).tobytes() == compose(scene, 2).tobytes()


def test_eight_seconds_are_made_quickly():
    scene = read_scene("雨夜")
    compose(scene, 1)
    spent = []
    for _ in range(3):
        start = time.process_time()
        compose(scene, 8)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.4
