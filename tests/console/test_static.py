"""What the page's files may hold, and how much of it."""

import gzip
import inspect
import json
import re
from importlib.resources import files

import pytest

from filmgate.domain.limits import PICTURE_BYTES
from filmgate.domain.states import State
from filmgate.web import watch

STATIC = files("filmgate.console") / "static"
TEXTS = {entry.name: entry.read_text() for entry in STATIC.iterdir()}
SCRIPTS = {name: text for name, text in TEXTS.items() if name.endswith(".js")}
STYLES = {name: text for name, text in TEXTS.items() if name.endswith(".css")}
PAGE = TEXTS["page.html"]
SVG_NAMESPACE = "http://www.w3.org/2000/svg"


def catalogue(language):
    text = TEXTS[f"words.{language}.js"]
    return json.loads(text.removeprefix("export default ").strip().removesuffix(";"))


EN, ZH = catalogue("en"), catalogue("zh")


def test_both_languages_have_the_same_words():
    assert list(EN) == list(ZH)
    assert all(EN.values())
    assert all(ZH.values())


def test_a_word_takes_the_same_parameters_in_both_languages():
    holes = [
        {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in words.items()} for words in (EN, ZH)
    ]
    assert holes[0] == holes[1]


def test_no_word_is_left_untranslated():
    same = {key for key in EN if EN[key] == ZH[key]}
    assert same == {"generate.keys", "fps", "megabytes"}


def test_every_state_of_a_task_has_its_word_its_icon_and_its_colour():
    for state in State:
        assert state in EN
        assert f'<symbol id="{state}"' in TEXTS["icons.svg"]
        assert f'[data-state="{state}"]' in TEXTS["look.css"]


def test_every_word_that_is_said_is_in_the_catalogues_and_every_word_there_is_said():
    scripts = "".join(text for name, text in SCRIPTS.items() if not name.startswith("words."))
    said = set(re.findall(r'data-(?:word|label|tip|hint)="([^"]+)"', PAGE))
    said |= set(re.findall(r'(?:word|button)\("([^"]+)"', scripts))
    # Words that are chosen as the page runs: of a state, a theme, an example.
    chosen = {key for key in EN if key.startswith(("example.", "theme."))} | set(State)
    chosen |= set(re.findall(r'word\([^()]*\? "([^"]+)" : "[^"]+"', scripts))
    chosen |= set(re.findall(r'word\([^()]*\? "[^"]+" : "([^"]+)"', scripts))
    assert said <= set(EN)
    assert set(EN) - said - chosen == set()


def test_nothing_is_inline():
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", PAGE) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", PAGE) == []


@pytest.mark.parametrize("name", sorted(SCRIPTS))
def test_no_script_turns_text_into_code_or_markup(name):
    forbidden = r"\beval\b|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\bimport\("
    assert re.findall(forbidden, SCRIPTS[name]) == []


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_file_names_another_host(name):
    addresses = re.findall(r"(?:https?:|wss?:|url\(|[\"'(]//)[^\s\"')]*", TEXTS[name])
    assert set(addresses) <= {SVG_NAMESPACE}


def test_every_file_that_is_named_is_there():
    # The page of a single film is written by the server, and borrows the console's looks.
    written = inspect.getsource(watch)
    named = set(re.findall(r"console/([\w.]+)", "".join(TEXTS.values()) + written))
    imported = set(re.findall(r'from "\./([\w.]+)"', "".join(SCRIPTS.values())))
    assert named | imported | {"page.html"} == set(TEXTS)


def test_every_module_is_fetched_at_once_and_not_one_after_another():
    preloaded = set(re.findall(r'"modulepreload" href="console/([\w.]+)"', PAGE))
    assert preloaded == set(SCRIPTS) - {"app.js", "early.js"}


def test_every_icon_that_is_used_is_drawn():
    drawn = set(re.findall(r'<symbol id="(\w+)"', TEXTS["icons.svg"]))
    used = set(re.findall(r'(?:icon|button)\("(\w+)"', "".join(SCRIPTS.values())))
    assert used <= drawn


def test_every_element_that_is_looked_up_is_in_the_page():
    there = set(re.findall(r'\bid="([\w-]+)"', PAGE))
    sought = set(re.findall(r'byId\("([\w-]+)"\)', "".join(SCRIPTS.values())))
    assert sought <= there


def test_scripts_and_styles_are_small():
    packed = {name: len(gzip.compress(text.encode(), 9)) for name, text in (SCRIPTS | STYLES).items()}
    assert sum(packed.values()) < 40_000, packed


def test_the_page_names_the_gates_own_limit_of_a_picture():
    assert PICTURE_BYTES == 20 * 1024 * 1024
    assert "PICTURE_BYTES = 20 * 1024 * 1024;" in TEXTS["picture.js"]


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_file_is_longer_than_four_hundred_lines(name):
    assert TEXTS[name].count("\n") <= 400
