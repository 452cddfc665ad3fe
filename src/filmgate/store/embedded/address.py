"""Where the embedded PostgreSQL listens: a Unix socket in a folder that nobody else can enter, never TCP."""

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

USER = "filmgate"
DATABASE = "postgres"
PORT = 5432

# A socket's path holds at most 107 bytes on Linux and 103 on macOS.
_MAX_PATH_BYTES = 90
_RECORD = "postgres.socket"


class ConnectArguments(TypedDict):
    host: str
    port: int
    user: str
    database: str


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    folder: Path
    port: int = PORT
    user: str = USER
    database: str = DATABASE

    @property
    def socket(self) -> Path:
        return self.folder / f".s.PGSQL.{self.port}"

    @property
    def connect_arguments(self) -> ConnectArguments:
        return {"host": str(self.folder), "port": self.port, "user": self.user, "database": self.database}

    @property
    def dsn(self) -> str:
        host = quote(str(self.folder), safe="")
        return f"postgresql://{quote(self.user)}@/{quote(self.database)}?host={host}&port={self.port}"


def cluster_folder(data: Path) -> Path:
    return data / "postgres"


def address_of(data: Path) -> PostgresAddress:
    """Return where the server of this data folder listens while it runs; changes nothing."""
    near = PostgresAddress(cluster_folder(data.resolve()))
    if _fits(near):
        return near
    recorded = _recorded(data)
    return near if recorded is None else PostgresAddress(recorded)


def prepare_address(data: Path, owner_uid: int, owner_gid: int) -> PostgresAddress:
    """As `address_of`; where the path is too long, a private folder under the system's temporary one is made.

    Its name is remembered, so that it outlives this process and a cleaned temporary folder.
    """
    near = PostgresAddress(cluster_folder(data.resolve()))
    if _fits(near):
        return near
    far = _recorded(data)
    if far is None or not _take(far, owner_uid, owner_gid):
        far = _make(data)
        os.chown(far, owner_uid, owner_gid)
    return PostgresAddress(far)


def _fits(address: PostgresAddress) -> bool:
    return len(os.fsencode(address.socket)) <= _MAX_PATH_BYTES


def _recorded(data: Path) -> Path | None:
    try:
        return Path((data / _RECORD).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None


def _take(folder: Path, owner_uid: int, owner_gid: int) -> bool:
    """Whoever guessed the name first could read every query: only a folder that is ours alone will do."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    ours = found.st_uid in {os.geteuid(), owner_uid}
    if not stat.S_ISDIR(found.st_mode) or not ours or stat.S_IMODE(found.st_mode) != 0o700:  # noqa: PLR2004  # Private.
        return False
    if found.st_uid != owner_uid:
        os.chown(folder, owner_uid, owner_gid)
    return True


def _make(data: Path) -> Path:
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108  # The folder made in it is private and unguessable.
        folder = Path(tempfile.mkdtemp(prefix="filmgate-", dir=parent))
        if _fits(PostgresAddress(folder)):
            (data / _RECORD).write_text(f"{folder}\n", encoding="utf-8")
            return folder
        folder.rmdir()
    raise OSError(f"no temporary folder has a path short enough for a socket: {tempfile.gettempdir()}")
