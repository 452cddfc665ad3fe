import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

import filmgate
from filmgate.store.embedded.address import PostgresAddress
from filmgate.store.embedded.programs import find_programs
from filmgate.store.embedded.server import start
from filmgate.store.lock import FolderLock
from filmgate.store.migrate import (
    BadMigrationFilesError,
    EditedMigrationError,
    MigrationBusyError,
    MigrationFailedError,
    NewerDatabaseError,
    migrate,
    pending,
    read_files,
)

MIGRATE = """
import asyncio, json, sys
from pathlib import Path
import asyncpg
from filmgate.store.migrate import migrate

async def main():
    connection = await asyncpg.connect(sys.argv[1])
    print(json.dumps(await migrate(connection, Path(sys.argv[2]))))
    await connection.close()

sys.stdin.readline()
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresAddress]:
    with (
        tempfile.TemporaryDirectory(prefix="fg-") as folder,
        FolderLock.acquire(Path(folder), started=datetime.now(UTC)) as lock,
    ):
        running = start(lock, find_programs(None, ""), tell=print)
        yield running.address
        running.stop()


@pytest.fixture
async def database(server, request) -> AsyncIterator[PostgresAddress]:
    admin = await asyncpg.connect(**server.connect_arguments)
    name = f"t{abs(hash(request.node.name))}"
    await admin.execute(f"create database {name}")
    yield PostgresAddress(server.folder, database=name)
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


@pytest.fixture
async def connection(database) -> AsyncIterator[asyncpg.Connection]:
    made = await asyncpg.connect(**database.connect_arguments)
    yield made
    await made.close()


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "sql"
    folder.mkdir()
    (folder / "0001_films.sql").write_text("create table film.films(id int primary key, title text);\n")
    (folder / "0002_more.sql").write_text(
        "insert into film.films values (1, 'Metropolis');\ninsert into film.films values (2, 'M; or;\n');\n"
    )
    (folder / "README.md").write_text("not for PostgreSQL")
    return folder


async def test_files_run_once_in_order_and_are_written_down(connection, files):
    assert await pending(connection, files) == ["0001_films", "0002_more"]
    assert await migrate(connection, files) == ["0001_films", "0002_more"]
    assert await pending(connection, files) == []
    assert await migrate(connection, files) == []
    (files / "0003_year.sql").write_text("alter table film.films add year int;\n")
    assert await migrate(connection, files) == ["0003_year"]
    rows = await connection.fetch("select no, name, length(sha256), applied_at <= now() from film.migrations")
    assert [tuple(row) for row in rows] == [
        (1, "0001_films", 32, True),
        (2, "0002_more", 32, True),
        (3, "0003_year", 32, True),
    ]
    assert await connection.fetchval("select count(*) from film.films") == 2


async def test_asking_what_is_pending_changes_nothing(connection, files):
    await pending(connection, files)
    assert await connection.fetchval("select to_regnamespace('film')") is None


async def test_a_file_that_fails_leaves_no_trace_and_those_before_it_stay(connection, files):
    (files / "0003_bad.sql").write_text("create table film.half(id int);\nselect 1/0;\n")
    with pytest.raises(MigrationFailedError, match="migration 0003_bad failed: division by zero"):
        await migrate(connection, files)
    assert await connection.fetchval("select to_regclass('film.half')") is None
    assert await pending(connection, files) == ["0003_bad"]
    (files / "0003_bad.sql").write_text("create table film.whole(id int);\n")
    assert await migrate(connection, files) == ["0003_bad"]


async def test_an_edited_file_is_refused(connection, files):
    await migrate(connection, files)
    (files / "0003_new.sql").write_text("create table film.new(id int);\n")
    (files / "0001_films.sql").write_text("create table film.films(id bigint primary key);\n")
    for ask in (migrate, pending):
        with pytest.raises(EditedMigrationError, match="migration 0001_films is not what this database ran"):
            await ask(connection, files)
    assert await connection.fetchval("select to_regclass('film.new')") is None


async def test_other_ends_of_lines_are_no_edit(connection, files):
    await migrate(connection, files)
    for file in files.glob("*.sql"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert await migrate(connection, files) == []


async def test_a_database_that_is_newer_than_the_program_is_refused(connection, files):
    await migrate(connection, files)
    (files / "0002_more.sql").unlink()
    with pytest.raises(NewerDatabaseError, match="has run migration 0002_more, which this Filmgate does not"):
        await migrate(connection, files)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("0004_gap.sql", "0004_gap: number 0003 was expected here"),
        ("0002_again.sql", "0002_more: number 0003 was expected here"),
        ("3_short.sql", "3_short.sql: a migration is called like 0001_name.sql"),
        ("0003_Big.sql", "0003_Big.sql: a migration is called like 0001_name.sql"),
    ],
)
def test_files_that_are_no_order_of_steps_are_refused(files, name, text):
    (files / name).write_text("select 1;\n")
    with pytest.raises(BadMigrationFilesError, match=text):
        read_files(files)


async def test_a_file_without_transaction_runs_its_statements_one_by_one(connection, files):
    (files / "0003_index.sql").write_text(
        "-- no transaction\n"
        "drop index concurrently if exists film.films_title;\n"
        "create index concurrently films_title\n    on film.films(title);  \n"
        "-- the end\n"
    )
    assert await migrate(connection, files) == ["0001_films", "0002_more", "0003_index"]
    valid = await connection.fetchval(
        "select indisvalid from pg_index where indexrelid = 'film.films_title'::regclass"
    )
    assert valid is True
    assert await connection.fetchval("show lock_timeout") == "0"


async def test_a_file_without_transaction_that_fails_runs_again(connection, files):
    await migrate(connection, files)
    (files / "0003_index.sql").write_text(
        "-- no transaction\n"
        "drop index concurrently if exists film.films_title;\n"
        "create unique index concurrently films_title on film.films(title);\n"
    )
    await connection.execute("insert into film.films values (3, 'Metropolis')")
    with pytest.raises(MigrationFailedError, match='could not create unique index "films_title"'):
        await migrate(connection, files)
    await connection.execute("delete from film.films where id = 3")
    assert await migrate(connection, files) == ["0003_index"]


async def test_a_table_in_use_is_given_up_on_instead_of_blocking_everybody(
    connection, database, files, monkeypatch
):
    monkeypatch.setattr("filmgate.store.migrate.LOCK_TIMEOUT", "200ms")
    await migrate(connection, files)
    (files / "0003_year.sql").write_text("alter table film.films add year int;\n")
    reader = await asyncpg.connect(**database.connect_arguments)
    async with reader.transaction():
        await reader.fetch("select * from film.films")
        with pytest.raises(MigrationFailedError, match="0003_year did not get its locks in time"):
            await migrate(connection, files)
    await reader.close()
    assert await migrate(connection, files) == ["0003_year"]


async def test_whoever_waits_too_long_for_another_is_told(connection, database, files):
    other = await asyncpg.connect(**database.connect_arguments)
    key = int.from_bytes(b"FILMGATE")
    await other.execute(f"select pg_advisory_lock({key})")
    with pytest.raises(MigrationBusyError, match="another process has been migrating"):
        await migrate(connection, files, wait_timeout_s=0.2)
    waiting = asyncio.create_task(migrate(connection, files, wait_timeout_s=20))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await other.close()
    assert await waiting == ["0001_films", "0002_more"]


async def test_eight_processes_at_once_run_each_file_once(connection, database, files):
    (files / "0003_index.sql").write_text(
        "-- no transaction\ncreate index concurrently films_title on film.films(title);\n"
    )
    (files / "0004_slow.sql").write_text("select pg_sleep(0.3);\ncreate table film.slow(id int);\n")
    processes = [begin_migration(database, files) for _ in range(8)]
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    ran = [json.loads(process.communicate(timeout=60)[0]) for process in processes]
    assert sorted(ran) == [[]] * 7 + [["0001_films", "0002_more", "0003_index", "0004_slow"]]
    assert await connection.fetchval("select count(*) from film.films") == 2


def begin_migration(database: PostgresAddress, files: Path):
    return subprocess.Popen(
        [sys.executable, "-c", MIGRATE, database.dsn, str(files)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(filmgate.__file__).parents[1])},
    )
