"""The cure of a folder whose last server died without tidying up.

PostgreSQL refuses to start while the process id in its lock files lives, also where that process is a
stranger who got the number later: in containers, where numbers are few, that is no rare accident.
"""

import os
from pathlib import Path

from filmgate.store.embedded.address import PostgresAddress
from filmgate.store.embedded.process import process_state, works_in

# No kernel hands out a number this high.
_NOBODYS_PID = 2146483646


def living_server(cluster: Path, address: PostgresAddress) -> int | None:
    """Return the id of a PostgreSQL process that the lock files name and that works in this folder."""
    for lock_file in _lock_files(cluster, address):
        pid = _named_pid(lock_file)
        if pid is not None and _is_server_of(pid, cluster):
            return pid
    return None


def cure(cluster: Path, address: PostgresAddress) -> list[Path]:
    """Replace the ids of strangers and zombies in both lock files; return the files that were changed.

    Only for the holder of the data folder's lock, after a connection failed and `living_server` found none.
    The files are never deleted: their other lines show PostgreSQL the shared memory of surviving backends.
    """
    cured = []
    for lock_file in _lock_files(cluster, address):
        pid = _named_pid(lock_file)
        # A crash while the file was being made leaves it empty, before any shared memory existed.
        broken_or_strange = pid == 0 or (pid is not None and process_state(pid) is not None)
        if pid is not None and broken_or_strange and not _is_server_of(pid, cluster):
            _replace_pid(lock_file)
            cured.append(lock_file)
    return cured


def _lock_files(cluster: Path, address: PostgresAddress) -> list[Path]:
    return [cluster / "postmaster.pid", address.socket.with_name(f"{address.socket.name}.lock")]


def _named_pid(lock_file: Path) -> int | None:
    """0 stands for an empty or broken file, None for no file."""
    try:
        first = lock_file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    except FileNotFoundError:
        return None
    try:
        return abs(int(first))
    except ValueError:
        return 0


def _is_server_of(pid: int, cluster: Path) -> bool:
    state = process_state(pid)
    if state is None or state.zombie or state.command != "postgres":
        return False
    there = works_in(pid, cluster)
    # Where the kernel does not tell, the benefit of the doubt goes to the server: two of them would be worse.
    return _may_signal(pid) if there is None else there


def _may_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _replace_pid(lock_file: Path) -> None:
    before = lock_file.stat()
    _, _, rest = lock_file.read_text(encoding="utf-8").partition("\n")
    cured = lock_file.with_name(f"{lock_file.name}.cured")
    cured.write_text(f"{_NOBODYS_PID}\n{rest}", encoding="utf-8")
    cured.chmod(0o600)
    os.chown(cured, before.st_uid, before.st_gid)
    cured.replace(lock_file)
