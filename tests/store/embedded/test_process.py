import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from filmgate.store.embedded.process import ProcessState, is_gone, process_state, works_in

NO_PROC = Path("/there/is/no/proc")

places = pytest.mark.parametrize(
    "proc",
    [
        pytest.param(
            Path("/proc"), marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux has it")
        ),
        pytest.param(
            NO_PROC, marks=pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps here")
        ),
    ],
)


@places
def test_a_process_is_seen_alive_then_as_a_zombie_then_not_at_all(proc, tmp_path):
    # On Linux the name holds what would mislead a hasty reader of /proc.
    program = shutil.copy(shutil.which("sleep") or "", tmp_path / "a) Z (b")
    child = subprocess.Popen([program, "60"])
    assert process_state(child.pid, proc=proc) == ProcessState("a) Z (b", zombie=False)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    state = process_state(child.pid, proc=proc)
    assert state is not None
    assert state.zombie
    assert is_gone(child.pid)
    child.wait()
    assert process_state(child.pid, proc=proc) is None
    assert is_gone(child.pid)


@places
def test_no_process_has_an_id_below_one(proc):
    assert [process_state(pid, proc=proc) for pid in (0, -1)] == [None, None]


@pytest.mark.skipif(sys.platform != "linux", reason="asks the kernel through /proc")
def test_where_a_process_works_is_told_where_it_can_be_seen(tmp_path):
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as child:
        assert works_in(child.pid, tmp_path) is True
        assert works_in(child.pid, tmp_path.parent) is False
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert works_in(child.pid, tmp_path) is None
