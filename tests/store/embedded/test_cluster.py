import shutil
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from filmgate.store.embedded.cluster import cluster_major
from filmgate.store.embedded.errors import ClusterRefusedError
from filmgate.store.embedded.programs import find_programs
from filmgate.store.embedded.server import start
from filmgate.store.lock import FolderLock

OTHER_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def test_a_database_of_another_major_version_is_refused_with_the_commands_to_run(data, launch, programs):
    (data / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ClusterRefusedError) as refused:
        launch()
    cluster = data / "postgres"
    assert str(refused.value) == (
        f"The database in {cluster} was made by PostgreSQL 16, the programs in {programs.bin} (wheel) are "
        f"version {programs.version} and cannot open it. Either set FILMGATE_POSTGRES_BIN to the folder with "
        "version 16, or move the database over:\n"
        "  FILMGATE_POSTGRES_BIN=/folder/of/postgresql-16/bin filmgate db backup\n"
        f"  mv {cluster} {cluster}-16\n"
        "  filmgate db restore"
    )


def test_a_folder_with_files_that_are_no_database_is_left_alone(quick_folder, programs):
    letter = quick_folder / "data" / "postgres" / "letter.txt"
    letter.parent.mkdir(parents=True)
    letter.write_text("dear")
    with (
        FolderLock.acquire(quick_folder / "data", started=datetime.now(UTC)) as lock,
        pytest.raises(ClusterRefusedError, match="holds files but no PG_VERSION"),
    ):
        start(lock, programs, tell=print)
    assert letter.read_text() == "dear"


async def test_a_start_that_was_killed_while_making_the_database_is_made_good(quick_folder, programs):
    data = quick_folder / "data"
    half = data / "postgres.new-killed"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    (data / "postgres").mkdir()
    with FolderLock.acquire(data, started=datetime.now(UTC)) as lock:
        server = start(lock, programs, tell=print)
        connection = await asyncpg.connect(**server.address.connect_arguments)
        row = await connection.fetchrow(
            "select datlocprovider, datlocale, datcollate, current_setting('data_checksums') sums, "
            "pg_encoding_to_char(encoding) encoding from pg_database where datname = 'postgres'"
        )
        rules = await connection.fetch("select distinct type, auth_method from pg_hba_file_rules order by 1")
        await connection.close()
        server.stop()
    assert row is not None
    assert dict(row) == {
        "datlocprovider": b"b",
        "datlocale": "C.UTF-8",
        "datcollate": "C",
        "sums": "on",
        "encoding": "UTF8",
    }
    assert [tuple(rule) for rule in rules] == [("host", "reject"), ("local", "trust")]
    assert sorted(path.name for path in data.iterdir()) == ["lock", "postgres", "postgres.log"]
    assert cluster_major(data) == 18


@pytest.mark.skipif(not OTHER_PROGRAMS, reason="no packaged PostgreSQL in /usr/lib/postgresql")
@pytest.mark.parametrize("namespaces", [True, False])
async def test_a_packaged_postgresql_serves_as_well(quick_folder, namespaces):
    programs = find_programs(OTHER_PROGRAMS[-1], "")
    with FolderLock.acquire(quick_folder / "data", started=datetime.now(UTC)) as lock:
        server = start(lock, programs, tell=print, namespaces=namespaces)
        connection = await asyncpg.connect(server.address.dsn)
        version = await connection.fetchval("show server_version")
        order = await connection.fetch("select t from unnest(array['b', 'A', 'a', 'B', 'ä']) t order by t")
        await connection.close()
        server.stop()
    assert version.split()[0] == programs.version
    assert [row["t"] for row in order] == ["A", "B", "a", "b", "ä"]
    assert cluster_major(quick_folder / "data") == programs.major


def test_a_database_folder_that_others_may_read_is_closed(data, launch):
    (data / "postgres").chmod(0o755)
    launch()
    assert (data / "postgres").stat().st_mode & 0o777 == 0o700


def test_no_database_has_no_version(quick_folder, data):
    assert cluster_major(quick_folder) is None
    assert cluster_major(data) == 18
    shutil.rmtree(data / "postgres" / "PG_VERSION", ignore_errors=True)
    (data / "postgres" / "PG_VERSION").write_text("new\n")
    with pytest.raises(ClusterRefusedError, match="does not hold a version"):
        cluster_major(data)
