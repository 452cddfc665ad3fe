"""An `Accept-Language` is read as HTTP says."""

import pytest

from filmgate.domain.languages import accepted_language

SAID = {
    "": None,
    "zh": "zh",
    "zh-CN": "zh",
    "zh_CN": "zh",
    "ZH-Hans-CN": "zh",
    "en-GB,en;q=0.9": "en",
    "zh-CN,zh;q=0.9,en;q=0.8": "zh",
    "en;q=0.2, zh;q=0.7": "zh",
    "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5": "en",
    "de, zh;q=0.1": "zh",
    "en, zh": "en",
    "zh,en": "zh",
    "*": None,
    "*;q=0.5, zh;q=0.1": "en",
    "*, en": "en",
    "en;q=0, *": "zh",
    "en;q=0": None,
    "zh;q=0, en;q=0": None,
    "*;q=0": None,
    "fr": None,
    "english": None,
    "zh;q=0.001": "zh",
    "zh; q=0.5 , en ; q=0.6": "en",
    "zh;q=2, en;q=0.1": "en",
    "zh;q=x": None,
    "zh;q=0.5;v=1": None,
    "zh;q=٠": None,
    ",,;=,": None,
    "a," * 100_000 + "zh": None,
}


@pytest.mark.parametrize("said", SAID, ids=lambda said: said[:40])
def test_the_best_liked_language_is_taken(said: str) -> None:
    assert accepted_language(said) == SAID[said]
