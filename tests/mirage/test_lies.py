import re

import pytest

from filmgate.mirage.catalogue import ALWAYS, LIES, listing
from filmgate.mirage.faults import FILM, POLL, REPLY, UNMADE
from filmgate.mirage.lies import Told, read_die, read_lies, told_in, written


def test_a_word_has_seconds_and_times_where_its_lie_takes_them():
    words = ["slow:40", "busy:3", "drip:2:always", "stall:0.5", "never", "html", "hidden", "missing:always"]
    assert read_lies(words) == {
        "slow": Told(40, ALWAYS),
        "busy": Told(0, 3),
        "drip": Told(2, ALWAYS),
        "stall": Told(0.5, 1),
        "never": Told(0, ALWAYS),
        "html": Told(0, 1),
        "hidden": Told(ALWAYS, ALWAYS),
        "missing": Told(ALWAYS, ALWAYS),
    }


def test_every_lie_is_read_as_it_is_written():
    lies = read_lies(LIES)
    assert read_lies(written(lies)) == lies
    assert written(read_lies(["drip:2:3", "busy"])) == ["busy:1", "drip:2:3"]


def test_a_prompt_tells_several_lies_wherever_it_stands():
    prompt = "a boat --mirage=busy:2,slow:3, in the rain --mirage=html."
    assert told_in(prompt) == read_lies(["busy:2", "slow:3", "html"])
    assert told_in("a mirage") == {}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("lunch", "'lunch' is no lie; there are: backwards, "),
        ("LUNCH", "'LUNCH' is no lie"),
        ("slow:soon", "'slow:soon' must have numbers such as 5 or 0.5, or `always`, behind its colons"),
        ("busy:-1", "'busy:-1' must have numbers"),
        ("busy:1:2", "'busy:1:2' says more than 'busy' takes"),
    ],
)
def test_a_word_that_is_no_lie_is_refused_with_what_would_be_one(word, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        told_in(f"a boat --mirage={word}")


def test_dice_fall_by_their_seed_and_as_often_as_they_say():
    die = read_die("slow-poll:3=0.1")
    falls = [die.falls(7, no) for no in range(2000)]
    assert (die.told, falls) == (Told(3, ALWAYS), [die.falls(7, no) for no in range(2000)])
    assert 150 < sum(falls) < 250
    assert falls != [die.falls(8, no) for no in range(2000)]
    assert [sum(read_die(f"busy={share}").falls(1, no) for no in range(9)) for share in (0, 1)] == [0, 9]


def test_help_explains_every_lie_and_every_answer_has_one():
    text = listing()
    assert [name for name in LIES if not re.search(rf"^  {name}(:| )", text, re.MULTILINE)] == []
    assert {*UNMADE, *REPLY, *POLL, *FILM} <= set(LIES)
