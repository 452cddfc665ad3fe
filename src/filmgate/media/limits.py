"""The first lines that every child runs: `python -m filmgate.media.limits LIMITS MODULE [ARGUMENT...]`.

LIMITS is a JSON object. Limits set here, in the child, hold before any of MODULE is imported, and the gate
needs no code between fork and exec, which is not safe in a process with threads.
"""

import ctypes
import json
import os
import resource
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
NOBODY = 65534


def main(arguments: list[str]) -> None:
    limits: dict[str, int | None] = json.loads(arguments[0])
    confine(limits)
    sys.argv = arguments[1:]
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)


def confine(limits: dict[str, int | None]) -> None:
    die_with_parent()
    if os.getppid() != limits["parent"]:
        # The parent died before the signal was arranged: nobody waits for this child.
        sys.exit("the parent is gone")
    if sys.platform == "linux":
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
    os.nice(limits["niceness"] or 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, limits["memory_bytes"])
    _limit(resource.RLIMIT_FSIZE, limits["file_bytes"])
    _limit(resource.RLIMIT_NOFILE, limits["open_files"])
    _limit(resource.RLIMIT_NPROC, limits["processes"])
    if (cpu_s := limits["cpu_s"]) is not None:
        # The soft limit's SIGXCPU tells the parent why; the hard one cannot be ignored.
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))


def die_with_parent() -> None:
    if sys.platform == "linux":
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def drop_privileges() -> None:
    """Become nobody where we are root, whom RLIMIT_NPROC does not bind. Import and open everything before."""
    if os.geteuid() != 0:
        return
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError:
        # The root of a user namespace that maps no other user is bound by its limits already.
        return
    # The kernel forgets the signal when the user changes.
    die_with_parent()


def _limit(what: int, value: int | None) -> None:
    if value is None or (what == resource.RLIMIT_AS and sys.platform == "darwin"):
        return
    resource.setrlimit(what, (value, value))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


if __name__ == "__main__":
    main(sys.argv[1:])
