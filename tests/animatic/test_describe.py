import subprocess
import sys
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filmgate.animatic.describe import describe, soften
from filmgate.animatic.vocabulary import hits

CRAFT = "Cinematic shot, sharp detail, smooth natural motion."
CALM = "The mood is calm and friendly, suitable for all ages."
WORDS = st.sampled_from(
    [
        "一只",
        "两只",
        "猫",
        "狗",
        "老鼠",
        "雨夜",
        "追",
        "抓",
        "的",
        "在",
        "花园",
        "雪山",
        "日出",
        "弹钢琴",
        "撑着",
        "红伞",
        "她",
        ",",
        "。",
        "没有",
        "航拍",
        "a",
        "cat",
        "dogs",
        "chase",
        "over",
        "no",
        "people",
        "kitten's",
        "neon",
        "8k",
        "恐怖",
        "篝火",
        "孔明灯",
        "\n",
        "🎬",
        ".",
        "é",
        "の",
    ]
)


@pytest.mark.parametrize(
    ("prompt", "described"),
    [
        (
            "一只猫咪在雨夜散步,准备抓一只老鼠",
            (
                "A cat strolls in the rain at night, getting ready to catch a mouse."
                " Fine streaks of rain, wet surfaces that shine, deep night tones with soft highlights."
            ),
        ),
        (
            "雪山日出,航拍",
            "A snow-capped mountain at sunrise. Soft first light with long shadows. Aerial shot from above.",
        ),
        ("没有人的雪山", f"A snow-capped mountain. {CRAFT}"),
        (
            "三只小鸟飞过海面,夕阳",
            "Three little birds fly over the sea at sunset. Warm low light with long shadows.",
        ),
        (
            "大雪中的小木屋,夜晚",
            (
                "A wooden cabin in falling snow at night."
                " Drifting snowflakes, deep night tones with soft highlights."
            ),
        ),
        (
            "赛博朋克城市,霓虹灯,镜头推进",
            "A city. A cyberpunk look in neon colours. The camera pushes in slowly.",
        ),
        ("弹钢琴的猫", f"A cat plays the piano. {CRAFT}"),
        ("弹吉他的男孩坐在海边", f"A boy playing the guitar sits by the sea. {CRAFT}"),
        (
            "一个撑着红伞的女孩走在雨中",
            "A girl holding a red umbrella walks in the rain. Fine streaks of rain, wet surfaces that shine.",
        ),
        (
            "两只小狗在草地上追逐一只蝴蝶,一只猫在睡觉",
            f"Two puppies chase a butterfly on the grass, and a cat sleeps. {CRAFT}",
        ),
        ("十二只鸭子在河里游", f"Twelve ducks swim in a river. {CRAFT}"),
        ("三只老鼠", f"Three mice. {CRAFT}"),
        ("一群人在广场上跳舞,烟花", "A group of people dance in a square. Fireworks in the sky."),
        ("一家人在公园里放风筝", f"A family flies a kite in a park. {CRAFT}"),
        ("宇航员在月球上骑马", f"An astronaut rides a horse on the Moon. {CRAFT}"),
        ("一只红色的小船漂浮在湖面上", f"A small red boat floats on a lake. {CRAFT}"),
        ("她走在雨后的街上", "A woman walks on a street after the rain. Wet surfaces that shine."),
        ("夜晚", "A night scene. Deep night tones with soft highlights."),
        ("下雨", "Rain falls. Fine streaks of rain, wet surfaces that shine."),
        ("散步", f"Strolling. {CRAFT}"),
    ],
)
def test_a_chinese_prompt_is_said_as_an_english_shot(prompt, described):
    assert describe(prompt) == described


@pytest.mark.parametrize(
    ("prompt", "described"),
    [
        ("A cat playing piano in the garden", f"A cat playing piano in the garden. {CRAFT}"),
        ("make animate", f"Make animate. {CRAFT}"),
        (
            "a paper boat on a calm lake at dusk, fireflies",
            "A paper boat on a calm lake at dusk, fireflies. Fading soft blue light.",
        ),
        ("Two quokkas juggle at noon!", "Two quokkas juggle at noon! Bright natural daylight."),
        (
            "iPhone advert, cyberpunk, rain",
            (
                "iPhone advert, cyberpunk, rain."
                " Fine streaks of rain, wet surfaces that shine, a cyberpunk look in neon colours."
            ),
        ),
    ],
)
def test_an_english_prompt_is_kept_and_told_how_it_is_filmed(prompt, described):
    assert describe(prompt) == described


def test_english_inside_a_chinese_prompt_is_kept():
    assert describe("一只猫咪 in the style of Wes Anderson, 8k") == (
        f"A cat, in the style of Wes Anderson, 8k. {CRAFT}"
    )
    assert describe("一只cat在睡觉") == f"A cat sleeps. {CRAFT}"


@pytest.mark.parametrize("prompt", ["现象", "猫が歩く", "кот на крыше", "", "  ", "🎬🎬", "!?,."])
def test_a_prompt_that_cannot_be_read_comes_back_as_it_is(prompt):
    assert describe(prompt) == prompt


@pytest.mark.parametrize("prompt", ["一只猫", "一匹马在奔跑", "一艘纸船", "萤火虫", "弹钢琴的猫"])
def test_what_a_film_would_choose_by_itself_is_not_said(prompt):
    text = describe(prompt).lower()
    chosen = {"place", "time", "weather", "camera", "mood"}
    assert chosen.isdisjoint(meaning.slot for hit in hits(text) for meaning in hit.meanings)


@pytest.mark.parametrize(
    ("prompt", "softened"),
    [
        ("猎人在森林里打猎,追一只鹿", f"A hiker plays in a forest, playfully following a deer. {CALM}"),
        ("a naked woman with a gun chases two men", f"A woman playfully follows two men. {CALM}"),
        ("A cat playing piano in the garden", f"A cat plays the piano in a garden. {CALM}"),
        ("恐怖的鬼屋,鲜血", f"A peaceful, sunlit landscape. {CALM}"),
        (
            "暴风雨中的海盗船,血腥的战斗",
            f"A sailing ship in a gentle rain. {CALM}",
        ),
        ("asdf 现象", f"A peaceful, sunlit landscape. {CALM}"),
        ("", f"A peaceful, sunlit landscape. {CALM}"),
    ],
)
def test_a_refused_prompt_is_made_gentle(prompt, softened):
    assert soften(prompt) == softened


@given(st.text() | st.lists(WORDS).map("".join) | st.lists(WORDS).map(" ".join))
@example(f"A peaceful, sunlit landscape. {CALM}")
@example("\x00\ud800İ")
@settings(max_examples=400, deadline=None)
def test_any_text_is_described_and_its_softened_form_is_new(prompt):
    described, softened = describe(prompt), soften(prompt)
    assert softened.isascii() or "café" in softened
    assert softened.strip() not in {prompt.strip(), described.strip()}
    assert soften(softened) not in {softened, describe(softened)}


def test_describing_brings_in_no_drawing_library():
    program = (
        "import sys, filmgate.animatic.describe; print({'numpy', 'cv2', 'PIL', 'av'} & sys.modules.keys())"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "set()"


def test_describing_takes_less_than_a_millisecond():
    describe("一只猫")
    start = time.process_time()
    for _ in range(50):
        describe("一只猫咪在雨夜散步,准备抓一只老鼠")
        describe("A cat walking in the rain at night before catching a mouse, slow dolly in")
    assert (time.process_time() - start) / 100 < 0.001
