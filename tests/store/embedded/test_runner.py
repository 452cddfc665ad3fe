"""Who PostgreSQL runs as: root, an ordinary user, and root where user namespaces are forbidden."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from filmgate.store.embedded import launch as launcher
from filmgate.store.embedded.cluster import prepare_cluster
from filmgate.store.embedded.copies import copy_programs
from filmgate.store.embedded.errors import ClusterRefusedError
from filmgate.store.embedded.programs import PostgresPrograms, inspect_programs
from filmgate.store.embedded.runner import Runner, choose_runner
from filmgate.store.embedded.server import start
from filmgate.store.lock import FolderLock

NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def hidden_programs(folder, programs) -> PostgresPrograms:
    """The programs as they lie in a clone below a home that nobody else can enter."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    package = programs.bin.parents[1]
    shutil.copytree(package, home / "site" / package.name, copy_function=os.link)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / "site" / libraries.name, copy_function=os.link)
    return inspect_programs(home / "site" / package.name / "pginstall" / "bin", "setting")


@pytest.fixture
def temporary(folder, monkeypatch) -> Iterator[Path]:
    """A folder that everybody may enter, as the system's temporary one."""
    made = Path(tempfile.mkdtemp(prefix="fg-tmp-"))
    made.chmod(0o1777)
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    yield made
    shutil.rmtree(made)


def modes(folder: Path) -> dict[Path, int]:
    return {parent: parent.stat().st_mode for parent in (folder, *folder.parents)}


async def rows_kept(lock: FolderLock, programs: PostgresPrograms, **options) -> int:
    server = start(lock, programs, **{"tell": print, **options})
    try:
        connection = await asyncpg.connect(**server.address.connect_arguments)
        await connection.execute("create table if not exists kept(n int); insert into kept values (1)")
        count: int = await connection.fetchval("select count(*) from kept")
        await connection.close()
    finally:
        server.stop()
    return count


@as_root
async def test_root_needs_no_other_user_and_changes_no_permission(hidden_programs, folder, template):
    data = shutil.copytree(template, folder / "home" / "data")
    before = modes(hidden_programs.bin)
    with FolderLock.acquire(data, started=datetime.now(UTC)) as lock:
        assert await rows_kept(lock, hidden_programs) == 1
    assert {path.stat().st_uid for path in (data, *data.rglob("*"))} == {0}
    assert modes(hidden_programs.bin) == before


@as_root
async def test_where_namespaces_are_forbidden_a_copy_runs_as_an_unprivileged_user_and_says_so(
    hidden_programs, folder, temporary
):
    data = folder / "home" / "data"
    told: list[str] = []
    before = modes(hidden_programs.bin)
    with FolderLock.acquire(data, started=datetime.now(UTC)) as lock:
        assert await rows_kept(lock, hidden_programs, tell=told.append, namespaces=False) == 1
        (copy,) = temporary.iterdir()
        name = pwd.getpwuid(NOBODY).pw_name
        assert told[0] == (
            f"PostgreSQL runs as {name} from a copy of its programs in {copy}/package/pginstall/bin, "
            "since it refuses root and a user namespace failed: user namespaces are switched off"
        )
        assert {path.stat().st_uid for path in (data / "postgres").rglob("*")} == {NOBODY}
        assert (copy.stat().st_uid, copy.stat().st_mode & 0o777) == (0, 0o755)

        # The data changes hands with the way it is run, and is the same data.
        assert await rows_kept(lock, hidden_programs) == 2
        assert {path.lstat().st_uid for path in (data / "postgres").rglob("*")} == {0}
        assert await rows_kept(lock, hidden_programs, namespaces=False) == 3
    assert list(temporary.iterdir()) == [copy]
    assert modes(hidden_programs.bin) == before


def test_a_copy_that_was_swept_in_part_is_made_anew_and_a_strangers_is_not_used(folder, temporary):
    prefix = folder / "package" / "pginstall"
    for file in ("bin/initdb", "bin/postgres", "bin/pg_ctl", "share/timezone", "../../package.libs/libpq.so"):
        (prefix / file).parent.mkdir(parents=True, exist_ok=True)
        (prefix / file).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
        (prefix / file).chmod(0o700)
    programs = inspect_programs(prefix / "bin", "setting")

    first = copy_programs(programs, temporary)
    assert copy_programs(programs, temporary) == first
    assert (first / "../../../package.libs/libpq.so").stat().st_mode & 0o777 == 0o755
    (first.parent / "share" / "timezone").unlink()
    assert copy_programs(programs, temporary) == first
    assert (first.parent / "share" / "timezone").exists()

    first.parents[2].chmod(0o777)
    other = copy_programs(programs, temporary)
    assert other != first
    assert inspect_programs(other, "setting").version == "18.6"


async def test_an_ordinary_user_runs_it_directly(data, hold):
    if os.geteuid() == 0:
        # Root's files, none of root's rights, and another name.
        prefix = (
            sys.executable,
            launcher.__file__,
            str(os.getpid()),
            f"namespace:{NOBODY}:{NOBODY}",
            sys.executable,
        )
        holder = hold(data, python=prefix)
    else:
        holder = hold(data)
    connection = await asyncpg.connect(host=str(holder.folder), user="filmgate", database="postgres")
    assert await connection.fetchval("show data_directory") == str(data / "postgres")
    await connection.close()
    assert holder.end() == 0


@as_root
async def test_another_user_of_the_machine_runs_it_in_a_folder_of_its_own(folder, hold, programs):
    python = next((path for path in (sys.executable, "/usr/bin/python3") if runs_for_nobody(path)), None)
    if python is None or not runs_for_nobody(str(programs.bin / "postgres"), "--version"):
        pytest.skip("neither this Python nor the machine's can be run by nobody")
    import filmgate

    folder.chmod(0o755)
    package = Path(filmgate.__file__).parent
    shutil.copytree(package / "store", folder / "code" / "filmgate" / "store")
    (folder / "code" / "filmgate" / "__init__.py").touch()
    home = folder / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    holder = hold(
        home / "data",
        python=(python,),
        env={"PYTHONPATH": str(folder / "code")},
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
    )
    assert os.stat(f"/proc/{holder.pid}").st_uid == NOBODY  # noqa: PTH116  # Of the process, not of a path.
    connection = await asyncpg.connect(host=str(holder.folder), user="filmgate", database="postgres")
    assert await connection.fetchval("select 1") == 1
    await connection.close()
    assert holder.end() == 0


def runs_for_nobody(program: str, argument: str = "-c1") -> bool:
    try:
        done = subprocess.run([program, argument], user=NOBODY, group=NOBODY, check=False, cwd="/")
    except PermissionError:
        return False
    return done.returncode == 0


def test_the_folder_of_another_user_is_refused_with_the_way_out(data, programs, monkeypatch):
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    runner = Runner(programs.bin, "own", uid=54321, gid=54321, owner_uid=54321, owner_gid=54321)
    with pytest.raises(ClusterRefusedError) as refused:
        prepare_cluster(data, programs, runner, tell=print)
    assert str(refused.value) == (
        f"{data}/postgres belongs to user id {owner}, Filmgate runs as 54321: start it as the former, "
        f"or give it the folder once, as root: chown -R 54321 {data}"
    )


@as_root
def test_a_user_without_a_name_is_given_one_or_told(programs, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(ClusterRefusedError, match="does not run for the user id 54321, which has no name"):
        choose_runner(programs, tell=print, namespaces=False)
    runner = choose_runner(programs, tell=print)
    assert (runner.identity, runner.uid, runner.owner_uid) == ("namespace", NOBODY, 54321)
