"""A corpus of hostile and honest URLs, kept outside the repository, against the guard's default rules.

Its lines are `verdict<TAB>url<TAB>[class] [dns=A,B] why`, where the URL is the inside of a JSON string and
`dns` gives the answers to its host; a name without `dns` has a public address, and `[dns=]` has none.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from filmgate.net.denied import Denied
from filmgate.net.guard import Guard, GuardRules

CORPUS = os.environ.get("FILMGATE_SSRF_CORPUS")
pytestmark = pytest.mark.skipif(CORPUS is None, reason="FILMGATE_SSRF_CORPUS names no corpus file")

SOME_PUBLIC_ADDRESS = "93.184.215.14"


@dataclass(frozen=True)
class Row:
    verdict: str
    url: str
    why: str
    answers: tuple[str, ...] | None


@dataclass
class CountingResolver:
    answers: tuple[str, ...]
    asked: int = 0

    async def __call__(self, host):
        self.asked += 1
        return self.answers


def rows():
    for line in Path(CORPUS or os.devnull).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            verdict, url, why = line.split("\t")
            dns = re.search(r"\[dns=([^\]]*)\]", why)
            answers = None if dns is None else tuple(filter(None, dns[1].split(",")))
            yield Row(verdict, json.loads(f'"{url}"'), why, answers)


async def judge(row):
    resolver = CountingResolver((SOME_PUBLIC_ADDRESS,) if row.answers is None else row.answers)
    guard = Guard(GuardRules(), resolver)
    try:
        await guard.resolve(guard.check(row.url))
    except Denied:
        return "deny", resolver.asked
    return "allow", resolver.asked


async def test_every_row_of_the_corpus_gets_its_verdict():
    wrong = [(row.verdict, row.url, row.why) for row in rows() if (await judge(row))[0] != row.verdict]

    assert wrong == []


async def test_no_name_is_looked_up_for_a_url_that_is_denied_as_it_stands():
    asked = [
        row.url for row in rows() if row.verdict == "deny" and row.answers is None and (await judge(row))[1]
    ]

    assert asked == []


def test_the_corpus_holds_both_verdicts():
    assert {row.verdict for row in rows()} == {"allow", "deny"}
