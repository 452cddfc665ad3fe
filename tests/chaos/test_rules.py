"""The comparison itself: what it takes for right, and what for wrong, in logs that are written here by hand."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from kit.invariants import check
from kit.logs import TABLES, Job, Moment, ReceiverLog, StoreLog, VendorLog

Row = Mapping[str, Any]

SERVED, JOINED, OTHER = "served by a vendor", "joined by the gate", "never seen before"
FREE: Final[Row] = {"cost_micros": 0, "hold_micros": 0, "unscaled": False, "error_code": None, "film": {}}
TASK: Final[Row] = {
    **FREE,
    "state": "succeeded",
    "account_id": 1,
    "goes_on_from": None,
    "deleted_at": None,
    "callback_url": None,
    "wish": "",
}


def file(id_: str, task_id: str, sha256: str, role: str = "video", account: int = 1) -> Row:
    return {
        "id": id_,
        "task_id": task_id,
        "account_id": account,
        "role": role,
        "object_key": id_,
        "sha256": sha256,
    }


def wrong_films(tasks: Sequence[Row], files: Sequence[Row]) -> list[str]:
    """Compare: each task was sent once, and all jobs but the second task's served their film."""
    attempts = [
        {"task_id": one["id"], "clip_no": 1, "key": f"{one['id']}.1", "provider": "vendor"} for one in tasks
    ]
    jobs = [
        Job(ref=one["key"], key=one["key"], at=0.0, served=frozenset({SERVED} if no != 1 else ()))
        for no, one in enumerate(attempts)
    ]
    tables = {**dict.fromkeys(TABLES, ()), "tasks": tasks, "files": files, "attempts": attempts}
    vendor = VendorLog(names=frozenset({"vendor"}), replays=False, submits=(), jobs=jobs)
    found = check([vendor], StoreLog(tables), ReceiverLog(), (), Moment(at_rest=False))
    return [one.text for one in found if one.rule == "I5"]


FIRST: Final[Row] = {**TASK, "id": "first"}
FIRST_FILES: Final = (file("a", "first", SERVED, "clip"), file("b", "first", JOINED))
NEXT: Final[Row] = {**TASK, "id": "next", "goes_on_from": "b"}


@pytest.mark.parametrize(
    ("extension", "files", "found"),
    [
        # What was joined before is no vendor's, and is what was to be gone on from.
        ({"state": "failed", "error_code": "extend_failed"}, [file("c", "next", JOINED, "clip")], []),
        (
            {"state": "failed", "error_code": "extend_failed"},
            [file("c", "next", OTHER, "clip")],
            ["next does not go on from b"],
        ),
        (
            {},
            [file("c", "next", JOINED, "clip"), file("d", "next", OTHER)],
            ["next: succeeded with a film that no vendor served"],
        ),
        (
            {"account_id": 2, "state": "failed", "error_code": "extend_failed"},
            [file("c", "next", JOINED, "clip", account=2)],
            ["next goes on from a film of account 1"],
        ),
    ],
)
def test_an_extension_begins_with_the_very_film_that_it_was_to_go_on_from(
    extension: Row, files: Sequence[Row], found: Sequence[str]
) -> None:
    assert wrong_films([FIRST, {**NEXT, **extension}], [*FIRST_FILES, *files]) == found


@pytest.mark.parametrize(
    ("sha256", "found"), [(SERVED, []), (OTHER, ["first: succeeded with a film that no vendor served"])]
)
def test_a_film_that_no_vendor_served_breaks_a_rule(sha256: str, found: Sequence[str]) -> None:
    assert wrong_films([FIRST], [file("a", "first", sha256)]) == found
