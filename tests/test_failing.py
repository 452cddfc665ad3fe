"""Failpoints are armed by the environment, once and for good or in a folder that running processes look into."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from filmgate.domain.failpoint import disarm, failpoint
from filmgate.failing import SPRUNG, arm_failpoints

PASS_ONE = """
import asyncio
from filmgate.domain.failpoint import failpoint
from filmgate.failing import arm_failpoints
arm_failpoints()
asyncio.run(failpoint("end.before"))
print("passed")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / SPRUNG).mkdir()
    monkeypatch.setenv("FILMGATE_FAILPOINTS", str(tmp_path))
    arm_failpoints()
    yield tmp_path
    disarm()


def sprung(folder: Path) -> list[str]:
    return sorted(path.name.rpartition(".")[0].rpartition(".")[0] for path in (folder / SPRUNG).iterdir())


async def test_nothing_strikes_where_nothing_is_armed(folder: Path) -> None:
    (folder / "end.after=error").touch()
    await failpoint("end.before")
    assert sprung(folder) == []


async def test_what_is_laid_into_the_folder_later_strikes_the_next_passage_once(folder: Path) -> None:
    await failpoint("end.before")
    (folder / "end.before=error").touch()
    with pytest.raises(RuntimeError, match=r"end\.before"):
        await failpoint("end.before")
    await failpoint("end.before")
    assert sprung(folder) == ["end.before=error"]


async def test_the_nth_passage_is_struck_and_those_before_it_pass(folder: Path) -> None:
    (folder / "end.before=cancel:3").touch()
    await failpoint("end.before")
    await failpoint("end.before")
    with pytest.raises(asyncio.CancelledError):
        await failpoint("end.before")
    assert sprung(folder) == ["end.before=cancel"]


def passing(armed: str) -> subprocess.Popen[str]:
    environment = {"PYTHONPATH": ":".join(sys.path), "FILMGATE_FAILPOINTS": armed}
    return subprocess.Popen(
        [sys.executable, "-c", PASS_ONE], stdout=subprocess.PIPE, text=True, env=environment
    )


def test_a_process_is_killed_at_its_point_once(tmp_path: Path) -> None:
    armed = f"end.before=kill:{tmp_path}/marker"
    killed = passing(armed)
    assert (killed.communicate(timeout=30)[0], killed.returncode) == ("", -signal.SIGKILL)
    assert passing(armed).communicate(timeout=30)[0] == "passed\n"


def test_a_frozen_process_goes_on_when_it_is_continued(tmp_path: Path) -> None:
    (tmp_path / SPRUNG).mkdir()
    (tmp_path / "end.before=freeze").touch()
    process = passing(str(tmp_path))
    # It is written down a moment before it happens.
    while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
        assert process.poll() is None
        time.sleep(0.01)
    assert sprung(tmp_path) == ["end.before=freeze"]
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=30)[0] == "passed\n"
