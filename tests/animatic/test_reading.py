import time
from dataclasses import replace

import pytest

from filmgate.animatic.reading import read_scene
from filmgate.animatic.scene import ACTIONS, CAMERAS, FX, MOODS, PLACES, TIMES, WEATHERS, Scene, Subject
from filmgate.animatic.sprites import names
from filmgate.animatic.vocabulary import hits


def told(prompt):
    scene = read_scene(prompt, seed=7)
    subjects = {subject.name: subject.count for subject in scene.subjects}
    return scene.place, scene.time, scene.weather, subjects


def complete(scene):
    return (
        scene.place in PLACES
        and scene.time in TIMES
        and scene.weather in WEATHERS
        and scene.mood in MOODS
        and scene.camera in CAMERAS
        and set(scene.fx) <= set(FX)
        and set(scene.actions) <= set(ACTIONS)
    )


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("一只猫咪在雨夜散步,准备抓一只老鼠", ("city", "night", "rain", {"cat": 1, "mouse": 1})),
        (
            "A cat walking in the rain at night before catching a mouse",
            ("city", "night", "rain", {"cat": 1, "mouse": 1}),
        ),
        ("A cat playing piano in the garden", ("meadow", "day", "clear", {"cat": 1, "piano": 1})),
        ("雪山日出,航拍", ("snow_mountain", "dawn", "clear", {})),
        ("a paper boat on a calm lake at dusk, fireflies", ("lake", "dusk", "clear", {"paper-boat": 1})),
        ("cyberpunk city at night, neon, slow dolly in", ("city", "night", "clear", {})),
        ("three birds fly over the sea at sunset", ("sea", "sunset", "clear", {"bird": 3})),
        ("大雪中的小木屋,夜晚", ("meadow", "night", "snow", {"cabin": 1})),
        ("极光下的雪山,星空", ("snow_mountain", "night", "clear", {})),
        (
            "水下珊瑚礁,海龟和热带鱼游动",
            ("underwater", "day", "clear", {"sea-turtle": 1, "tropical-fish": 1}),
        ),
        ("a cabin in the snow at night", ("meadow", "night", "snow", {"cabin": 1})),
    ],
)
def test_well_known_prompts_are_understood(prompt, expected):
    assert told(prompt) == expected


def test_a_whole_scene_is_read():
    assert read_scene(" 一只猫咪在雨夜散步,准备抓一只老鼠,特写 ", seed=5) == Scene(
        prompt="一只猫咪在雨夜散步,准备抓一只老鼠,特写",
        seed=5,
        place="city",
        time="night",
        weather="rain",
        mood="",
        camera="dolly_in",
        fx=(),
        subjects=(Subject("cat", 1), Subject("mouse", 1)),
        actions=("walk", "hunt"),
    )


def test_a_snow_mountain_is_no_snowfall():
    assert told("雪山")[0::2] == ("snow_mountain", "clear")
    assert told("a snow-capped mountain")[0::2] == ("snow_mountain", "clear")


def test_a_rainy_night_is_rain_and_night():
    assert told("雨夜")[:3] == ("city", "night", "rain")


@pytest.mark.parametrize(
    "prompt", ["carpet", "category", "concatenate", "a scatter plot", "catwalk", "dogma and bearing"]
)
def test_a_latin_term_inside_another_word_is_not_seen(prompt):
    assert told(prompt)[3] == {}


@pytest.mark.parametrize(
    ("prompt", "subjects"),
    [
        ("没有人的雪山", {}),
        ("无人的街道", {}),
        ("no cats or dogs, just a fox", {"fox": 1}),
        ("a street without any cars", {}),
        ("没有猫和狗,只有鸟", {"bird": 1}),
        ("不要车,一匹马", {"horse": 1}),
        ("nobody knows, a cat", {"cat": 1}),
    ],
)
def test_what_is_denied_is_not_shown(prompt, subjects):
    assert told(prompt)[3] == subjects


def test_denied_weather_does_not_fall():
    assert told("不要下雨,阳光明媚的沙滩")[:3] == ("sea", "day", "clear")


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("上海的街道", "city"),
        ("海报", None),
        ("海豚", "sea"),
        ("江湖", None),
        ("山羊", "mountain"),
        ("银河", "space"),
    ],
)
def test_a_longer_word_hides_the_shorter_one_in_it(prompt, place):
    named = {meaning.value for hit in hits(prompt) for meaning in hit.meanings if meaning.slot == "place"}
    assert (told(prompt)[0] if place else named) == (place or set())


@pytest.mark.parametrize(
    ("prompt", "subjects"),
    [
        ("火车", {"locomotive": 1}),
        ("火锅", {}),
        ("马上", {}),
        ("牛仔在马路上", {}),
        ("机器人", {"robot": 1}),
        ("雪人", {"snowman": 1}),
        ("hot dog", {}),
        ("a hot air balloon", {"hot-air-balloon": 1}),
        ("polar bears", {"polar-bear": 3}),
        ("bird's-eye view", {}),
        ("moving dramatic beauty 动人", {}),
    ],
)
def test_words_that_hold_other_words_are_read_whole(prompt, subjects):
    assert told(prompt)[3] == subjects


@pytest.mark.parametrize(
    ("prompt", "subjects"),
    [
        ("两只小狗", {"dog": 2}),
        ("三只小白兔", {"rabbit": 3}),
        ("一群羊", {"sheep": 5}),
        ("马群", {"horse": 5}),
        ("a flock of sheep", {"sheep": 5}),
        ("two foxes and a wolf", {"fox": 2, "wolf": 1}),
        ("butterflies", {"butterfly": 3}),
        ("wolves", {"wolf": 3}),
        ("孩子们", {"boy": 3}),
        ("3 cats", {"cat": 3}),
        ("12 dogs", {"dog": 5}),
        ("a kitten, the same kitten", {"cat": 1}),
        ("一对情侣", {"man": 1, "woman": 1}),
        ("她走在雨中", {"woman": 1}),
        ("a girl sings while she dances", {"girl": 1}),
    ],
)
def test_subjects_are_counted(prompt, subjects):
    assert told(prompt)[3] == subjects


def test_at_most_four_subjects_are_kept_in_the_order_of_the_prompt():
    subjects = read_scene("a cat, a dog, a fox, a bear, a wolf and a lion").subjects
    assert [subject.name for subject in subjects] == ["cat", "dog", "fox", "bear"]


def test_the_first_of_two_places_wins():
    assert told("a lake near the forest")[0] == "lake"


def test_effects_and_actions_collect():
    scene = read_scene("fireflies and falling leaves, a fox runs and jumps")
    assert (scene.fx, scene.actions) == (("fireflies", "leaves"), ("run", "jump"))


@pytest.mark.parametrize(
    ("prompt", "place"),
    [
        ("a paper boat", "lake"),
        ("a whale", "sea"),
        ("a clownfish", "underwater"),
        ("a taxi", "city"),
        ("neon", "city"),
        ("a rocket", "space"),
        ("骆驼", "desert"),
        ("a rabbit", "meadow"),
        ("烟花", "city"),
        ("aurora", "snow_mountain"),
        ("hot air balloons over a lighthouse", "sea"),
    ],
)
def test_a_place_that_is_not_named_follows_from_what_is(prompt, place):
    assert told(prompt)[0] == place


@pytest.mark.parametrize(
    ("prompt", "hour"),
    [("stars", "night"), ("孔明灯", "night"), ("neon", "night"), ("fireflies", "dusk"), ("a cat", "day")],
)
def test_a_time_that_is_not_named_follows_from_what_is(prompt, hour):
    assert told(prompt)[1] == hour


@pytest.mark.parametrize("prompt", ["make animate", "", "qwerty", "🎬🎬", "現象", "!?,."])
def test_a_prompt_without_a_known_word_still_gives_a_complete_scene(prompt):
    scene = read_scene(prompt)
    assert complete(scene)
    assert (scene.subjects, scene.actions, scene.fx) == ((), (), ())


def test_the_same_prompt_gives_the_same_scene_and_blanks_around_it_do_not_matter():
    assert read_scene("make animate") == read_scene("  make animate\n")


def test_prompts_without_a_known_word_differ_by_their_seed():
    scenes = {replace(read_scene("make animate", seed=seed), seed=0) for seed in range(40)}
    assert len(scenes) > 20


def test_a_seed_that_is_given_is_kept():
    assert read_scene("a cat", seed=42).seed == 42
    assert read_scene("a cat").seed == read_scene("a cat ").seed != read_scene("a dog").seed


def test_a_remix_takes_only_what_its_prompt_names():
    first = read_scene("a cat on a lake at sunset, watercolor, slow pan left", seed=9)
    remixed = read_scene("now a fox, in the snow", keep=first)
    assert remixed == replace(
        first, prompt="now a fox, in the snow", weather="snow", subjects=(Subject("fox", 1),)
    )


def test_every_word_for_a_subject_has_a_sprite_and_every_sprite_has_a_word():
    prompts = {name: next(iter(read_scene(f"{name.replace('-', ' ')}").subjects), None) for name in names()}
    found = {subject.name for subject in prompts.values() if subject}
    assert found <= names()
    assert len(found) > 150


def test_a_very_long_prompt_is_read_quickly():
    start = time.process_time()
    read_scene("一只猫 and a dog walking, no rain 没有人 " * 900)
    assert time.process_time() - start < 1.0
