"""What a process id stands for at this moment."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class ProcessState:
    command: str
    zombie: bool


def process_state(pid: int, *, proc: Path = _PROC) -> ProcessState | None:
    """Return what runs under `pid`, None where nothing does. Without a /proc, `ps` is asked."""
    if pid <= 0:
        return None
    if not (proc / "self" / "stat").exists():
        return _ask_ps(pid)
    try:
        text = (proc / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command stands in brackets and may itself hold brackets and spaces.
    opening, closing = text.index("("), text.rindex(")")
    return ProcessState(command=text[opening + 1 : closing], zombie=text[closing + 2] in "ZX")


def works_in(pid: int, folder: Path) -> bool | None:
    """Tell whether the process has `folder` as its working directory, None where that cannot be seen."""
    try:
        return Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return None


def is_gone(pid: int) -> bool:
    """Tell whether nothing lives there; a zombie does not: it holds no file and no memory any more."""
    state = process_state(pid)
    return state is None or state.zombie


def _ask_ps(pid: int) -> ProcessState | None:
    done = subprocess.run(
        ["ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    status, _, command = done.stdout.strip().partition(" ")
    if not status:
        return None
    return ProcessState(command=os.path.basename(command.strip()), zombie=status.startswith("Z"))  # noqa: PTH119  # ps prints text.
