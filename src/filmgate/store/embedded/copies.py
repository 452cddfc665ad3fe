"""A copy of PostgreSQL's programs for a user who cannot enter the folder in which they are installed."""

import os
import shutil
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from filmgate.store.embedded.programs import PostgresPrograms


def copy_programs(programs: PostgresPrograms, parent: Path) -> Path:
    """Return the `bin` of a copy under `parent` that everybody can read and only we can write.

    A copy of an earlier start is taken when it is whole.
    """
    sources = _sources(programs)
    digest = sha256(repr(sorted(_listing(sources))).encode()).hexdigest()[:16]
    name = f"filmgate-postgres-{programs.version}-{os.geteuid()}-{digest}"
    copy = parent / name
    inside = Path("package", programs.bin.parent.name, programs.bin.name)
    if _is_ours_alone(copy) and _is_whole(copy, sources):
        return copy / inside
    making = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    for relative, source in sources.items():
        shutil.copytree(source, making / relative, symlinks=True)
    _open_to_readers(making)
    if _is_ours_alone(copy):
        shutil.rmtree(copy)
    try:
        making.rename(copy)
    except OSError:
        # Another start was faster or a stranger sits on the name; what we made ourselves is good in any case.
        return making / inside
    return copy / inside


def _sources(programs: PostgresPrograms) -> dict[Path, Path]:
    prefix = programs.bin.parent
    sources = {Path("package", prefix.name): prefix}
    # A repaired wheel keeps the libraries of `name/` beside it in `name.libs/`, and finds them relatively.
    libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
    if libraries.is_dir():
        sources[Path(libraries.name)] = libraries
    return sources


def _listing(sources: dict[Path, Path]) -> set[tuple[str, int]]:
    return {
        (str(relative / path.relative_to(source)), path.lstat().st_size)
        for relative, source in sources.items()
        for path in source.rglob("*")
        if not path.is_dir()
    }


def _is_whole(copy: Path, sources: dict[Path, Path]) -> bool:
    """Temporary folders are swept by age, file by file."""
    return _listing({relative: copy / relative for relative in sources}) == _listing(sources)


def _open_to_readers(making: Path) -> None:
    for folder, _, names in os.walk(making):
        Path(folder).chmod(0o755)
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


def _is_ours_alone(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
