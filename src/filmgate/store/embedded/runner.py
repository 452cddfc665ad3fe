"""How PostgreSQL's programs are run, which refuse to work for root and for a user without a name."""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from filmgate.store.embedded import launch
from filmgate.store.embedded.copies import copy_programs
from filmgate.store.embedded.errors import ClusterRefusedError
from filmgate.store.embedded.programs import PostgresPrograms

Tell = Callable[[str], None]

_PREFERRED_UID = 65534
_PROBE_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Runner:
    """`uid` and `gid` are what the programs see, the owner is whose files they own on the disk.

    own: as we are. namespace: a user namespace calls us by another uid; what we may touch does not grow.
    drop: root becomes a user without rights.
    """

    bin: Path
    identity: Literal["own", "namespace", "drop"]
    uid: int
    gid: int
    owner_uid: int
    owner_gid: int

    def command(self, program: str, *arguments: str) -> list[str]:
        identity = "own" if self.identity == "own" else f"{self.identity}:{self.uid}:{self.gid}"
        launcher = [sys.executable, "-I", "-S", "-B", launch.__file__, str(os.getpid()), identity]
        return [*launcher, str(self.bin / program), *arguments]

    def environment(self) -> dict[str, str]:
        # Ours holds secrets, and its PG* or LC_* variables would change what PostgreSQL does.
        kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
        return {**kept, "PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    def refusal(self) -> str | None:
        """Run `postgres --version` this way; return why that does not work, None where it does."""
        done = subprocess.run(
            self.command("postgres", "--version"),
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd="/",
            env=self.environment(),
            timeout=_PROBE_TIMEOUT_S,
        )
        return None if done.returncode == 0 else done.stderr.strip() or f"it ended with {done.returncode}"


def choose_runner(programs: PostgresPrograms, *, tell: Tell, namespaces: bool = True) -> Runner:
    """Return a way to run the programs here, or raise ClusterRefusedError with what was tried.

    `namespaces=False` behaves as a machine does that forbids user namespaces.
    """
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0 and _has_name(uid):
        return Runner(programs.bin, "own", uid, gid, owner_uid=uid, owner_gid=gid)
    if sys.platform != "linux":
        raise ClusterRefusedError("PostgreSQL refuses to run as root: start Filmgate as an ordinary user")
    named = _named_user()
    inside = Runner(programs.bin, "namespace", named.pw_uid, named.pw_gid, owner_uid=uid, owner_gid=gid)
    refusal = inside.refusal() if namespaces else "user namespaces are switched off"
    if refusal is None:
        return inside
    if uid != 0:
        raise ClusterRefusedError(
            f"PostgreSQL does not run for the user id {uid}, which has no name in /etc/passwd, and a user "
            f"namespace that would name it is refused here ({refusal}). Start Filmgate as a user with a name."
        )
    return _dropped(programs, named, why=refusal, tell=tell)


def _dropped(programs: PostgresPrograms, user: pwd.struct_passwd, *, why: str, tell: Tell) -> Runner:
    dropped = Runner(
        programs.bin, "drop", user.pw_uid, user.pw_gid, owner_uid=user.pw_uid, owner_gid=user.pw_gid
    )
    if dropped.refusal() is None:
        tell(f"PostgreSQL runs as {user.pw_name}, since it refuses root and a user namespace failed: {why}")
        return dropped
    copied = replace(dropped, bin=copy_programs(programs, Path(tempfile.gettempdir())))
    refusal = copied.refusal()
    if refusal is not None:
        raise ClusterRefusedError(
            f"PostgreSQL refuses to run as root; a user namespace failed ({why}), and as {user.pw_name} "
            f"its programs do not run either ({refusal}). Start Filmgate as an ordinary user."
        )
    tell(
        f"PostgreSQL runs as {user.pw_name} from a copy of its programs in {copied.bin}, "
        f"since it refuses root and a user namespace failed: {why}"
    )
    return copied


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _named_user() -> pwd.struct_passwd:
    named = sorted(
        (user for user in pwd.getpwall() if user.pw_uid != 0), key=lambda user: user.pw_uid != _PREFERRED_UID
    )
    if not named:
        raise ClusterRefusedError(
            "PostgreSQL refuses root, and /etc/passwd names no other user it could run as"
        )
    return named[0]
