"""The database folder: made by initdb, opened only by the major version and the user it belongs to."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from filmgate.store.embedded.address import USER, cluster_folder
from filmgate.store.embedded.errors import ClusterRefusedError
from filmgate.store.embedded.programs import PostgresPrograms
from filmgate.store.embedded.runner import Runner, Tell

_BUILTIN_LOCALE_MAJOR = 17
_MAKING = "postgres.new-"
_INITDB_TIMEOUT_S = 300.0


def cluster_major(data: Path) -> int | None:
    """Return the major version that made the database of this data folder, None where there is none."""
    try:
        return int((cluster_folder(data) / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ClusterRefusedError(f"{cluster_folder(data)}/PG_VERSION does not hold a version") from error


def prepare_cluster(data: Path, programs: PostgresPrograms, runner: Runner, *, tell: Tell) -> Path:
    """Return the folder, made where there is none; raise ClusterRefusedError where it is not ours to run."""
    cluster = cluster_folder(data)
    major = cluster_major(data)
    if major is None:
        _refuse_foreign_content(cluster)
        tell(f"making a database with PostgreSQL {programs.version} in {cluster}")
        _initialise(data, cluster, programs, runner)
    elif major != programs.major:
        raise ClusterRefusedError(_other_version(cluster, major, programs))
    _own(cluster, runner)
    return cluster


def descriptor_path(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


def open_for(runner: Runner, folder: Path) -> tuple[str, int | None]:
    """Return what to call the folder when talking to the programs, and a descriptor that they must inherit.

    Under another identity the folders above may be closed to them; an open descriptor leads past those.
    """
    if runner.identity == "own":
        return str(folder), None
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    return descriptor_path(descriptor), descriptor


def _refuse_foreign_content(cluster: Path) -> None:
    if cluster.exists() and any(cluster.iterdir()):
        raise ClusterRefusedError(
            f"{cluster} holds files but no PG_VERSION, so it is no database of PostgreSQL; "
            "move it away, or restore it as it was"
        )


def _initialise(data: Path, cluster: Path, programs: PostgresPrograms, runner: Runner) -> None:
    # Made beside and renamed: a start that is killed here leaves no half database behind.
    for leftover in data.glob(f"{_MAKING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=data))
    os.chown(making, runner.owner_uid, runner.owner_gid)
    name, descriptor = open_for(runner, making)
    try:
        done = subprocess.run(
            runner.command("initdb", "-D", name, *_initdb_arguments(programs)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=runner.environment(),
            pass_fds=() if descriptor is None else (descriptor,),
            start_new_session=True,
            timeout=_INITDB_TIMEOUT_S,
        )
    finally:
        if descriptor is not None:
            os.close(descriptor)
    if done.returncode != 0:
        shutil.rmtree(making, ignore_errors=True)
        raise ClusterRefusedError(f"initdb ended with {done.returncode}: {done.stdout.strip()[-2000:]}")
    making.rename(cluster)
    _sync_folder(data)


def _initdb_arguments(programs: PostgresPrograms) -> list[str]:
    arguments = [
        f"--username={USER}",
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        "--locale=C",
    ]
    if programs.major >= _BUILTIN_LOCALE_MAJOR:
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return arguments


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _own(cluster: Path, runner: Runner) -> None:
    """Give the folder to whom the programs run as, and to nobody else; only root can have to change hands."""
    found = cluster.stat()
    if found.st_uid != runner.owner_uid:
        if os.geteuid() != 0:
            raise ClusterRefusedError(
                f"{cluster} belongs to user id {found.st_uid}, Filmgate runs as {os.geteuid()}: start it "
                f"as the former, or give it the folder once, as root: "
                f"chown -R {os.geteuid()} {cluster.parent}"
            )
        # The folder itself last: an interrupted change is seen, and repeated, at the next start.
        for folder, _, names in os.walk(cluster, topdown=False):
            for name in (*names, ""):
                os.chown(Path(folder, name), runner.owner_uid, runner.owner_gid, follow_symlinks=False)
    if found.st_mode & 0o077:
        cluster.chmod(0o700)


def _other_version(cluster: Path, major: int, programs: PostgresPrograms) -> str:
    return (
        f"The database in {cluster} was made by PostgreSQL {major}, the programs in {programs.bin} "
        f"({programs.origin}) are version {programs.version} and cannot open it. Either set "
        f"FILMGATE_POSTGRES_BIN to the folder with version {major}, or move the database over:\n"
        f"  FILMGATE_POSTGRES_BIN=/folder/of/postgresql-{major}/bin filmgate db backup\n"
        f"  mv {cluster} {cluster}-{major}\n"
        "  filmgate db restore"
    )
