"""Where films are kept: whether they can be, whether rows and objects say the same, and what waits for customers."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypedDict, cast

from filmgate.cli.doctor.check import SEE_LOG, Check, fail, ok, warn
from filmgate.cli.errors import CliError, Exit
from filmgate.cli.measures import file_size
from filmgate.cli.text import Text
from filmgate.world import SystemChance, SystemClock

if TYPE_CHECKING:
    from filmgate.cli.client import Gate
    from filmgate.settings import Settings

# Comparing reads all rows and lists all objects; the gate gives up by itself before that.
_COMPARE_S: Final = 120.0
_SKEW_S: Final = 60.0
_SHOWN: Final = 3
# What other checks have told already, or what only an operator is told.
_SILENT: Final = frozenset({Exit.UNREACHABLE, Exit.DENIED, Exit.NOT_FOUND})
_UNLIKE: Final[Mapping[str, Text]] = {
    "rows_without_object": Text("{count} rows have no object ({keys})", "{count} 条记录缺少文件（{keys}）"),
    "objects_without_row": Text("{count} objects have no row ({keys})", "{count} 个文件没有记录（{keys}）"),
    "objects_of_other_size": Text(
        "{count} objects have another size than their row says ({keys})",
        "{count} 个文件大小与记录不符（{keys}）",
    ),
}
_UNLIKE_WAY: Final = Text(
    "After a restore this says what is older, the database or the bucket. Nothing is repaired: objects without a row"
    " go after a day, unless there are suspiciously many; for a row without an object the film is lost.",
    "若刚恢复过备份，这说明数据库和存储的新旧不一致。不会自动修复：没有记录的文件一天后清理（数量异常多时除外）；"
    "缺少文件的记录，其视频已丢失。",
)


class _Problem(TypedDict):
    said: str
    way_out: str


class _Used(TypedDict):
    files: int
    size_bytes: int


class _Storage(TypedDict):
    place: str
    failing: _Problem | None
    free_bytes: int | None
    used: list[_Used]


class _Unlike(TypedDict):
    total: int
    keys: list[str]


class _Destination(TypedDict):
    name: str
    url: str | None
    due: int
    delivered: int
    given_up: int
    trouble: str | None


def own_check(settings: "Settings") -> Iterator[Check]:
    """Try from here what a gate on this machine would do with a bucket, or with the folder that it made."""
    url = settings.objects_url
    if url is None and not (settings.data / "objects").is_dir():
        return
    from filmgate.settings import BadSettingsError  # noqa: PLC0415  # slow to import
    from filmgate.storing import look_closely  # noqa: PLC0415  # slow to import

    place = url or str(settings.data / "objects")
    try:
        found, skew = asyncio.run(look_closely(settings, SystemClock(), SystemChance()))
    except BadSettingsError as error:
        correct = Text("Correct the setting.", "请更正设置。")
        yield fail("films", Text(str(error), str(error)), correct)
        return
    if found is not None:
        said = f"{place}: {found.step}: {found.said}"
        yield fail("films", Text(said, said), Text(found.way_out, found.way_out_zh))
    elif abs(skew.total_seconds()) > _SKEW_S:
        seconds = f"{skew.total_seconds():+.0f}"
        ahead = Text("{place}: its clock differs by {seconds} s", "{place}：时钟相差 {seconds} 秒")
        yield warn(
            "films",
            ahead.filled(place=place, seconds=seconds),
            Text("Set this machine's clock (NTP).", "请校准本机时钟（NTP）。"),
        )
    else:
        yield ok("films", f"{place}: written, read, listed, removed")


def gate_storage_checks(gate: "Gate") -> Iterator[Check]:
    """Ask as an operator what the gate keeps and what it delivers."""
    try:
        storage = cast("_Storage", gate.ask("GET", "/admin/v1/storage"))
    except CliError as error:
        if error.exit_code not in _SILENT:
            yield fail("storage", error.text, SEE_LOG)
        return
    yield _storage(storage)
    for look in (_compared, _destinations):
        try:
            yield from look(gate)
        except CliError as error:
            yield warn("storage", error.text, SEE_LOG)


def _storage(found: _Storage) -> Check:
    files = sum(one["files"] for one in found["used"])
    size = file_size(sum(one["size_bytes"] for one in found["used"]))
    failing = found["failing"]
    if failing is not None:
        said = f"{found['place']}: {failing['said']}"
        return fail("storage", Text(said, said), Text(failing["way_out"], failing["way_out"]))
    return ok("storage", f"{found['place']}: {files} files, {size}")


def _compared(gate: "Gate") -> Iterator[Check]:
    found = cast("dict[str, object]", gate.ask("POST", "/admin/v1/storage/compare", timeout_s=_COMPARE_S))
    texts = []
    for name, text in _UNLIKE.items():
        unlike = cast("_Unlike", found[name])
        if unlike["total"]:
            more = ", ..." if unlike["total"] > _SHOWN else ""
            keys = ", ".join(unlike["keys"][:_SHOWN]) + more
            texts.append(text.filled(count=unlike["total"], keys=keys))
    if texts:
        both = Text("; ".join(text.en for text in texts), "；".join(text.zh for text in texts))
        yield warn("rows, objects", both, _UNLIKE_WAY)
    elif not found["complete"]:
        early = Text("listing took too long, only a part was compared", "列出文件耗时过长，仅比较了一部分")
        yield warn("rows, objects", early, Text("Ask again at a quieter time.", "请稍后再试。"))
    else:
        yield ok("rows, objects", f"{found['rows']} rows, {found['objects']} objects, nothing differs")


def _destinations(gate: "Gate") -> Iterator[Check]:
    page = cast("dict[str, list[_Destination]]", gate.ask("GET", "/admin/v1/destinations"))
    for one in page["data"]:
        said = f"{one['name']}: {one['delivered']} delivered, {one['due']} due, {one['given_up']} given up"
        said += f" ({one['trouble']})" if one["trouble"] else ""
        waits = one["due"] and (one["trouble"] or one["url"] is None)
        if waits or one["given_up"]:
            way_out = Text(
                "See GET /admin/v1/shipments?destination={name}; POST /admin/v1/destinations/{name}/test tries it.",
                "查看 GET /admin/v1/shipments?destination={name}；用 POST /admin/v1/destinations/{name}/test 测试。",
            )
            yield warn("destination", Text(said, said), way_out.filled(name=one["name"]))
        else:
            yield ok("destination", said)
