import numpy as np
import pytest

from filmgate.animatic.lettering import legible, line, wrap


def test_a_line_is_as_high_as_asked_and_stays_inside_its_mask():
    mask = line("Ågjpqy 雨夜散步。", 40)
    rows = np.flatnonzero(mask.any(axis=1))
    assert mask.shape[0] == 40
    assert mask.dtype == np.uint8
    assert rows[0] >= 1
    assert rows[-1] <= 39
    assert mask.max() == 255


def test_longer_text_is_wider():
    assert line("cat", 30).shape[1] < line("cat cat", 30).shape[1]


def test_no_text_is_an_empty_mask():
    assert line("", 30).shape == (30, 0)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat 🎬 film", "cat film"),
        ("極光", "光"),
        ("naïve café", "naïve café"),
        ("cafe\u0301", "café"),
        ("two\nlines\there", "two lines here"),
        ("한국어", ""),
        ("雨夜，散步。", "雨夜，散步。"),
    ],
)
def test_characters_that_the_font_lacks_are_dropped(text, shown):
    assert legible(text) == shown


def test_what_is_called_legible_never_shows_the_empty_box():
    box = line("\ue000", 24)
    assert box.shape == (24, 0)
    every = [
        text
        for row in range(0xB0, 0xF8, 7)
        for cell in range(0xA1, 0xFF, 9)
        if (text := bytes((row, cell)).decode("gb2312", "ignore"))
    ]
    drawn = {line(text, 24).tobytes() for text in every}
    assert len(drawn) == len(every)


def test_short_text_is_one_line():
    assert wrap("a cat", 30, 600) == ("a cat",)


def test_long_text_is_two_lines_of_like_length():
    rows = wrap("a paper boat on a calm lake at dusk, fireflies over the reeds", 30, 600)
    widths = [line(row, 30).shape[1] for row in rows]
    assert " ".join(rows) == "a paper boat on a calm lake at dusk, fireflies over the reeds"
    assert len(rows) == 2
    assert max(widths) <= 600
    assert min(widths) > 0.6 * max(widths)


def test_chinese_text_breaks_anywhere_but_before_closing_punctuation():
    for width in range(150, 600, 17):
        rows = wrap("一只猫咪在雨夜散步，准备抓一只老鼠。路灯下的影子很长，“真长”！", 30, width, lines=20)
        assert "".join(rows) == "一只猫咪在雨夜散步，准备抓一只老鼠。路灯下的影子很长，“真长”！"
        assert not [row for row in rows if row[0] in "，。！”"]


def test_too_much_text_ends_in_an_ellipsis_and_still_fits():
    rows = wrap("很长的故事" * 7000, 30, 500)
    assert len(rows) == 2
    assert rows[1].endswith("…")
    assert max(line(row, 30).shape[1] for row in rows) <= 501


def test_a_word_wider_than_the_line_is_cut():
    rows = wrap("x" * 60, 30, 300, lines=9)
    assert "".join(rows) == "x" * 60
    assert max(line(row, 30).shape[1] for row in rows) <= 301


def test_text_that_the_font_lacks_altogether_gives_no_line():
    assert wrap("🎬🎬", 30, 300) == ()
