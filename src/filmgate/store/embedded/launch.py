"""Take on an identity, tie our life to the parent's, and become the given program.

usage: launch.py PARENT_PID IDENTITY PROGRAM [ARGUMENT...]

IDENTITY is `own`, `namespace:UID:GID` (a user namespace in which we are called UID, without any new right)
or `drop:UID:GID` (root gives itself up). A program of its own, run by path with the standard library alone,
because none of this is safe between fork and exec of a process with threads.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

NAMESPACE_REFUSED = 96
PROGRAM_REFUSED = 97
PARENT_GONE = 98

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    parent_pid, identity, program = int(arguments[0]), arguments[1], arguments[2]
    try:
        _take_on(identity)
    except OSError as error:
        return _refuse(f"cannot become {identity}: {error}", NAMESPACE_REFUSED)
    # Only now: a change of user clears the signal that the parent's death sends.
    if sys.platform == "linux":
        _call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGINT), 0, 0, 0)
    if os.getppid() != parent_pid:
        return PARENT_GONE
    try:
        os.execve(program, arguments[2:], os.environ)  # noqa: S606  # No shell is wanted.
    except OSError as error:
        return _refuse(f"cannot run {program}: {error}", PROGRAM_REFUSED)


def _take_on(identity: str) -> None:
    kind, *numbers = identity.split(":")
    if kind == "own":
        return
    uid, gid = (int(number) for number in numbers)
    if kind == "namespace":
        _enter_namespace(uid, gid)
    else:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def _enter_namespace(uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _call("unshare", _CLONE_NEWUSER)
    # The kernel lets us map our group only after we have given up choosing groups.
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", encoding="ascii")


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc[name](*(ctypes.c_ulong(argument) for argument in arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _refuse(text: str, code: int) -> int:
    sys.stderr.write(f"launch: {text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
