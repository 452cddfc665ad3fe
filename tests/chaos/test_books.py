"""What the runner itself reads and leads to, without a run."""

from pathlib import Path

import pytest

from chaos.books import misshipped
from chaos.leads import CALAMITIES, LEADS
from filmgate.domain.failpoint import POINTS
from kit.logs import digest

FILM = b"a film"
ROW = {
    "id": "1",
    "name": "a.mp4",
    "state": "delivered",
    "trouble": None,
    "error": None,
    "sha256": digest(FILM),
}


@pytest.mark.parametrize(
    ("content", "changed", "found"),
    [
        (FILM, {}, []),
        (FILM, {"sha256": None}, []),
        (b"another", {}, ["1 (a.mp4) is there with other bytes"]),
        (None, {}, ["1 (a.mp4) counts as delivered, and is not there"]),
        (None, {"state": "due"}, ["1 (a.mp4) is still on its way: None"]),
        (None, {"state": "given_up", "trouble": "absent"}, []),
        (
            None,
            {"state": "given_up", "trouble": "broken", "error": "gone"},
            ["1 (a.mp4) was given up: gone"],
        ),
        (None, {"state": None, "name": None}, ["1 (None) was asked for there, and nobody brings it"]),
    ],
)
def test_a_film_that_did_not_arrive_whole_in_its_bucket_breaks_a_rule(
    tmp_path: Path, content: bytes | None, changed: dict[str, object], found: list[str]
) -> None:
    if content is not None:
        (tmp_path / "a.mp4").write_bytes(content)
    assert list(misshipped(tmp_path, {**ROW, **changed})) == found


def test_what_leads_to_a_failpoint_is_a_failpoint_itself() -> None:
    named = {*LEADS, *(point for lead in LEADS.values() for point in (lead.at, lead.then_at, *lead.by))}
    assert named <= {*POINTS, ""}
    assert {lead.then for lead in LEADS.values()} == {*CALAMITIES}
