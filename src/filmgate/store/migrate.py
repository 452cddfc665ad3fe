"""Numbered SQL files, each run once and forward only.

A file is `0001_name.sql`; numbers begin at 1 and leave no gap. It runs in one transaction together with its
row in `film.migrations`. Where its first line is `-- no transaction` (`create index concurrently`), its
statements run one by one, each ending with `;` at the end of a line; after a failure all of them run again,
so they must bear that (`drop index concurrently if exists ...;` first).
"""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    # Only the stubs know that a connection is generic.
    Connection = asyncpg.Connection[asyncpg.Record]

LOCK_TIMEOUT = "5s"
# Waiting for old transactions holds nobody up here, but an index given up on half-way stays behind invalid.
CONCURRENT_LOCK_TIMEOUT = "5min"
WAIT_TIMEOUT_S = 600.0

_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_ALONE = "-- no transaction"
_STATEMENT_END = re.compile(r";[ \t]*$", re.MULTILINE)
# One number for all who migrate a database; it spells FILMGATE.
_LOCK_KEY = 0x46494C4D47415445
_PAUSE_S = 0.1
_LEDGER = """
create schema if not exists film;
create table if not exists film.migrations(
    no int primary key check (no >= 1),
    name text not null unique,
    sha256 bytea not null check (length(sha256) = 32),
    applied_at timestamptz not null default now()
);
"""


class MigrationError(Exception):
    """The database and the files do not fit together, or a file could not be run."""


class BadMigrationFilesError(MigrationError):
    """The files themselves cannot be an order of steps."""


class EditedMigrationError(MigrationError):
    """A file differs from what this database once ran under its number."""


class NewerDatabaseError(MigrationError):
    """The database has run files that this program does not have."""


class MigrationFailedError(MigrationError):
    """PostgreSQL refused a file."""


class MigrationBusyError(MigrationError):
    """Another process has been migrating this database for too long."""


@dataclass(frozen=True, slots=True)
class Migration:
    no: int
    name: str
    sql: str

    @property
    def sha256(self) -> bytes:
        return sha256(self.sql.encode()).digest()

    @property
    def in_transaction(self) -> bool:
        return self.sql.partition("\n")[0].strip() != _ALONE

    @property
    def statements(self) -> list[str]:
        return [part for part in _STATEMENT_END.split(self.sql) if _says_something(part)]


async def migrate(
    connection: "Connection", files: Traversable, *, wait_timeout_s: float = WAIT_TIMEOUT_S
) -> list[str]:
    """Run what has not run yet and return its names, in order.

    Any number of processes may call it at once: each file runs in one of them. The connection must be a
    session of its own (no transaction pooler) outside any transaction. Raises MigrationError.
    """
    migrations = read_files(files)
    await _take_lock(connection, wait_timeout_s)
    try:
        await connection.execute(_LEDGER)
        missing = await _missing(connection, migrations)
        for migration in missing:
            await _run(connection, migration)
    finally:
        if not connection.is_closed():
            await connection.execute(f"select pg_advisory_unlock({_LOCK_KEY})")
    return [migration.name for migration in missing]


async def pending(connection: "Connection", files: Traversable) -> list[str]:
    """Return the names that `migrate` would run, changing nothing. Raises MigrationError as it would."""
    return [migration.name for migration in await _missing(connection, read_files(files))]


def read_files(files: Traversable) -> list[Migration]:
    """Return the folder's steps in order; raise BadMigrationFilesError where they are none."""
    found = []
    for file in files.iterdir():
        if not file.name.endswith(".sql"):
            continue
        match = _NAME.fullmatch(file.name)
        if match is None:
            raise BadMigrationFilesError(
                f"{file.name}: a migration is called like 0001_name.sql, in lower case"
            )
        # A checkout may have changed the ends of lines, which must not look like an edit.
        sql = file.read_bytes().decode("utf-8").replace("\r\n", "\n")
        found.append(Migration(no=int(match[1]), name=file.name.removesuffix(".sql"), sql=sql))
    found.sort(key=lambda migration: (migration.no, migration.name))
    for expected, migration in enumerate(found, start=1):
        if migration.no != expected:
            raise BadMigrationFilesError(
                f"{migration.name}: number {expected:04} was expected here; numbers begin at 0001, "
                "leave no gap and are used once"
            )
    return found


async def _take_lock(connection: "Connection", wait_timeout_s: float) -> None:
    """Ask again and again: a query that waits holds a snapshot, and `concurrently` would wait for it."""
    deadline = time.monotonic() + wait_timeout_s
    while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK_KEY):
        if time.monotonic() >= deadline:
            raise MigrationBusyError(
                f"another process has been migrating the database for {wait_timeout_s:.0f} s; "
                "pg_stat_activity shows it, joined with the advisory lock in pg_locks by pid"
            )
        await asyncio.sleep(_PAUSE_S)


async def _missing(connection: "Connection", migrations: Sequence[Migration]) -> list[Migration]:
    if await connection.fetchval("select to_regclass('film.migrations')") is None:
        return list(migrations)
    rows = await connection.fetch("select no, name, sha256 from film.migrations order by no")
    by_no = {migration.no: migration for migration in migrations}
    for row in rows:
        known = by_no.pop(row["no"], None)
        if known is None:
            raise NewerDatabaseError(
                f"the database has run migration {row['name']}, which this Filmgate does not know: "
                "start the version that ran it, or a newer one"
            )
        if (known.name, known.sha256) != (row["name"], row["sha256"]):
            raise EditedMigrationError(
                f"migration {known.name} is not what this database ran as {row['name']}: files that have "
                "run never change, so restore it and put the change into a new file"
            )
    return [migration for migration in migrations if migration.no in by_no]


async def _run(connection: "Connection", migration: Migration) -> None:
    try:
        if migration.in_transaction:
            async with connection.transaction():
                await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
                await connection.execute("set local statement_timeout = 0")
                await connection.execute(migration.sql)
                await _record(connection, migration)
        else:
            await _run_alone(connection, migration)
    except asyncpg.LockNotAvailableError as error:
        raise MigrationFailedError(
            f"migration {migration.name} did not get its locks in time ({error}): end what holds them "
            "and start again"
        ) from error
    except asyncpg.PostgresError as error:
        raise MigrationFailedError(f"migration {migration.name} failed: {error}") from error


async def _run_alone(connection: "Connection", migration: Migration) -> None:
    await connection.execute(f"set lock_timeout = '{CONCURRENT_LOCK_TIMEOUT}'")
    await connection.execute("set statement_timeout = 0")
    try:
        for statement in migration.statements:
            await connection.execute(statement)
        await _record(connection, migration)
    finally:
        if not connection.is_closed():
            await connection.execute("reset lock_timeout")
            await connection.execute("reset statement_timeout")


async def _record(connection: "Connection", migration: Migration) -> None:
    await connection.execute(
        "insert into film.migrations(no, name, sha256) values ($1, $2, $3)",
        migration.no,
        migration.name,
        migration.sha256,
    )


def _says_something(statement: str) -> bool:
    return any(line.strip() and not line.strip().startswith("--") for line in statement.splitlines())
