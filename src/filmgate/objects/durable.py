"""Writing a file so that it is either there whole, for good, or not there at all."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Sync = Callable[[int], None]
# A deletion removes a folder that it empties, also one that was just made for a file to come.
TRIES: Final = 50


@dataclass(frozen=True, slots=True)
class Written:
    size_bytes: int
    sha256: bytes


def write_durably(
    chunks: Iterable[bytes], target: Path, root: Path, temporary: Path, sync: Sync = os.fsync
) -> Written:
    """Write to a new file in `temporary`, sync it, and rename it to `target`, somewhere under `root`.

    On return the disk holds the file and every folder entry on the way to it. Where OSError is raised, there
    is nothing new at `target`, or, when the sync of a folder failed, the whole file.
    """
    number, name = tempfile.mkstemp(dir=temporary)
    try:
        with os.fdopen(number, "wb") as file:
            digest, size_bytes = hashlib.sha256(), 0
            for chunk in chunks:
                digest.update(chunk)
                size_bytes += file.write(chunk)
            file.flush()
            # A failed sync is never asked again: the kernel has forgotten what it could not write.
            sync(number)
        _publish(Path(name), target)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
    # All of them, not only the new: another writer may have made one of them and not have synced it yet.
    for folder in (target.parent, *target.parent.parents):
        sync_folder(folder, sync)
        if folder == root:
            break
    return Written(size_bytes, digest.digest())


def sync_folder(folder: Path, sync: Sync = os.fsync) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sync(number)
    finally:
        os.close(number)


def _publish(written: Path, target: Path) -> None:
    for left in reversed(range(TRIES)):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            written.replace(target)
        except (FileNotFoundError, FileExistsError):
            # A sweep may remove the empty folder between any two of these calls.
            if not left:
                raise
        else:
            return
