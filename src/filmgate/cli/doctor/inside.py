"""What only an operator may see: the gate's database, its queue, its providers, its books, what went wrong of late."""

from collections.abc import Iterator
from typing import Final, cast

from filmgate.cli.client import Gate
from filmgate.cli.doctor.check import SEE_LOG, Check, Verdict, fail, ok, warn
from filmgate.cli.doctor.shapes import VitalsShape
from filmgate.cli.errors import CliError
from filmgate.cli.ledger.shapes import AuditShape
from filmgate.cli.measures import clock_time, file_size
from filmgate.cli.providers.shapes import ProviderPageShape, ProviderShape
from filmgate.cli.text import Text

# An audit reads every booking.
_AUDIT_S: Final = 120.0
_SKEW_S: Final = 5.0
# Signatures of webhooks, and of links, are believed for so long.
_SKEW_MOST_S: Final = 300.0
_CROWDED: Final = 0.8
_FULL: Final = 0.97
_DISK_LOW: Final = 0.1
_DISK_LOWEST: Final = 0.02
_LATE_S: Final = 60.0
_LATE_MOST_S: Final = 600.0
_QUEUED_S: Final = 600.0


def inside_checks(gate: Gate) -> Iterator[Check]:
    """Ask as an operator, and judge what is told; nothing is changed."""
    try:
        vitals = cast("VitalsShape", gate.ask("GET", "/admin/v1/vitals"))
    except CliError as error:
        yield fail("inside", error.text, SEE_LOG)
        return
    yield _database(vitals)
    yield _clock(vitals)
    yield _connections(vitals)
    yield _disk(vitals)
    yield _partitions(vitals)
    yield _engines(vitals)
    yield _late(vitals)
    yield _queue(vitals)
    yield from _decisions(vitals)
    yield _webhooks(vitals)
    yield from _providers(gate)
    yield _routes(vitals)
    yield _books(gate)


def _same(text: str) -> Text:
    return Text(text, text)


def _graded(name: str, verdict: Verdict, found: Text, way_out: Text) -> Check:
    return Check(name, verdict, found, None if verdict is Verdict.OK else way_out)


def _grade(value: float, warns_at: float, fails_at: float) -> Verdict:
    if value >= fails_at:
        return Verdict.FAIL
    return Verdict.WARN if value >= warns_at else Verdict.OK


def _database(vitals: VitalsShape) -> Check:
    if vitals["schema_trouble"] is not None:
        way_out = Text(
            "Start the newest filmgate once on this database; all of its processes should be of one version.",
            "请用最新版 filmgate 启动一次，并让所有进程使用同一版本。",
        )
        return warn("database", _same(vitals["schema_trouble"]), way_out)
    size = file_size(vitals["database_bytes"])
    return ok("database", f"PostgreSQL {vitals['database']}, {size}, schema {vitals['schema_name']}")


def _clock(vitals: VitalsShape) -> Check:
    skew = vitals["skew_s"]
    found = Text(
        f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} the database's",
        f"比数据库时钟{'快' if skew > 0 else '慢'} {abs(skew):.1f} 秒",
    )
    way_out = Text("Let NTP set the clocks of both machines.", "请用 NTP 校准两台机器的时钟。")
    return _graded("clock", _grade(abs(skew), _SKEW_S, _SKEW_MOST_S), found, way_out)


def _connections(vitals: VitalsShape) -> Check:
    used, most = vitals["connections"], vitals["connections_limit"]
    found = Text(f"{used} of {most} used", f"已用 {used} / {most}")
    way_out = Text(
        "Raise max_connections of PostgreSQL, or end what else is connected; meanwhile requests wait, then get 503.",
        "请调大 PostgreSQL 的 max_connections，或断开其他连接；在此之前请求会等待，随后返回 503。",
    )
    return _graded("connections", _grade(used / max(most, 1), _CROWDED, _FULL), found, way_out)


def _disk(vitals: VitalsShape) -> Check:
    free, size = vitals["disk_free_bytes"], vitals["disk_size_bytes"]
    found = Text(
        f"{file_size(free)} of {file_size(size)} free", f"剩余 {file_size(free)}，共 {file_size(size)}"
    )
    way_out = Text(
        "Make room, or keep films for less long (retention_days); while it is full, submits get 503.",
        "请清理磁盘，或缩短保留期（retention_days）；磁盘写满时提交会返回 503。",
    )
    share = free / max(size, 1)
    verdict = Verdict.FAIL if share < _DISK_LOWEST else Verdict.WARN if share < _DISK_LOW else Verdict.OK
    return _graded("gate's disk", verdict, found, way_out)


def _partitions(vitals: VitalsShape) -> Check:
    newest = vitals["newest_partition"]
    if newest is None or vitals["unpartitioned"]:
        found = Text("tasks lie outside of the weekly partitions", "有任务未进入按周分区")
        way_out = Text(
            "They are safe, and are only found more slowly; let an engine run, which makes partitions ahead.",
            "数据安全，仅查询变慢；请保持引擎运行，它会提前建立分区。",
        )
        return warn("partitions", found, way_out)
    return ok("partitions", f"up to {newest.removeprefix('tasks_').replace('_', '-')}")


def _engines(vitals: VitalsShape) -> Check:
    count = vitals["engines"]
    if not count:
        way_out = Text(
            "Start one: filmgate serve without --no-worker, or filmgate worker.",
            "请启动引擎：filmgate serve（不带 --no-worker），或 filmgate worker。",
        )
        return fail("engines", Text("none was heard of lately", "近期没有任何引擎心跳"), way_out)
    return ok("engines", str(count))


def _late(vitals: VitalsShape) -> Check:
    late = vitals["late_s"] or 0.0
    found = Text(f"the latest by {clock_time(late)}", f"最迟 {clock_time(late)}")
    way_out = Text(
        "The engines cannot keep up, or stand still: look at their log, or start another with filmgate worker.",
        "引擎忙不过来或已停滞：请查看其日志，或用 filmgate worker 增加一台。",
    )
    return _graded("steps", _grade(late, _LATE_S, _LATE_MOST_S), found, way_out)


def _queue(vitals: VitalsShape) -> Check:
    count, oldest = vitals["queued"], vitals["queued_s"] or 0.0
    found = Text(
        f"{count} wait, the oldest for {clock_time(oldest)}", f"{count} 个等待，最久 {clock_time(oldest)}"
    )
    way_out = Text(
        "Their providers are full or shut: see the lights, raise their limits, or add a route.",
        "上游已满或被熔断：请查看上游状态，调高并发，或增加路由。",
    )
    return _graded("queue", Verdict.WARN if oldest >= _QUEUED_S else Verdict.OK, found, way_out)


def _decisions(vitals: VitalsShape) -> Iterator[Check]:
    """Tell what waits for a person: uncertain submits, parked tasks, and everything else that operators were told of."""
    if vitals["uncertain"]:
        found = Text(
            f"{vitals['uncertain']} submits, of which no reply came",
            f"{vitals['uncertain']} 次提交未收到应答",
        )
        way_out = Text(
            "See which: filmgate tasks list --as-operator --uncertain; filmgate tasks resolve ID, once you know whether"
            " the vendor has the job.",
            "查看：filmgate tasks list --as-operator --uncertain；确认上游是否已有该任务后：filmgate tasks resolve ID",
        )
        yield warn("uncertain", found, way_out)
    if vitals["parked"]:
        found = Text(
            f"{vitals['parked']} tasks, which killed their engines or broke",
            f"{vitals['parked']} 个任务曾使引擎崩溃",
        )
        way_out = Text(
            "See which: filmgate tasks list --as-operator --parked, and the log for why; filmgate tasks retry ID"
            " --as-operator --note WHY tries one again for its owner.",
            "查看：filmgate tasks list --as-operator --parked，并在日志中找原因；filmgate tasks retry ID --as-operator"
            " --note 原因 可为其账户重试。",
        )
        yield warn("parked", found, way_out)
    way_out = Text("All of them: GET /admin/v1/notices?kind=...", "全部：GET /admin/v1/notices?kind=...")
    told = [one for one in vitals["notices"] if one["kind"] not in _SAID_ELSEWHERE]
    for one in told:
        found = _same(
            f"{one['kind']} × {one['count']}, last {one['at'][:16].replace('T', ' ')}: {one['text']}"
        )
        yield warn("notice", found, way_out)
    if not (told or vitals["uncertain"] or vitals["parked"]):
        yield ok("notices", "none in 7 days")


# What operators decided themselves, and what a check of its own tells as it is now.
_SAID_ELSEWHERE: Final = frozenset(
    {"resolved", "cancelled", "retried", "parked", "no_route", "provider_missing", "unpartitioned"}
)


def _webhooks(vitals: VitalsShape) -> Check:
    failing, disabled, dead = (
        vitals["webhooks_failing"],
        vitals["webhooks_disabled"],
        vitals["webhooks_given_up"],
    )
    found = Text(
        f"endpoints: {failing} failing, {disabled} disabled; {dead} deliveries given up in 7 days",
        f"回调端点：{failing} 个失败中，{disabled} 个已停用；7 天内放弃 {dead} 次投递",
    )
    way_out = Text(
        "Whose: GET /admin/v1/webhooks, and filmgate webhooks deliveries --as-operator --state given_up; then filmgate"
        " webhooks replay ID --as-operator.",
        "归属见 GET /admin/v1/webhooks 和 filmgate webhooks deliveries --as-operator --state given_up；重新投递：filmgate"
        " webhooks replay ID --as-operator。",
    )
    return _graded("webhooks", Verdict.WARN if failing or disabled or dead else Verdict.OK, found, way_out)


def _providers(gate: Gate) -> Iterator[Check]:
    try:
        page = cast("ProviderPageShape", gate.ask("GET", "/admin/v1/providers"))
    except CliError as error:
        yield fail("providers", error.text, SEE_LOG)
        return
    for provider in page["data"]:
        yield _provider(provider)


def _provider(provider: ProviderShape) -> Check:
    name, light = provider["name"], provider["light"]
    said = f"{name}: {light}, {provider['in_flight']} of {provider['in_flight_limit']} in flight"
    if light == "green":
        return ok("provider", said)
    used = [one for one in provider["credentials"] if one["configured"]]
    if not used:
        gone = Text(f"{name}: not in the settings any more", f"{name}：已不在配置中")
        if not provider["in_flight"]:
            return Check("provider", Verdict.OK, gone)
        way_out = Text(
            "Put it back into filmgate.toml until its films have ended, or they wait until their deadline.",
            "请将其放回 filmgate.toml 直到任务结束，否则任务会等到超时。",
        )
        return warn("provider", gone, way_out)
    if provider["paused_at"] is not None:
        way_out = Text(f"filmgate providers resume {name}", f"filmgate providers resume {name}")
        return warn("provider", _same(f"{said}, paused"), way_out)
    why = next((one["last_error"] or one["blocked_because"] for one in used if one["light"] != "green"), None)
    way_out = Text(
        "It is tried again by itself; where its key or its address is wrong, correct them in filmgate.toml.",
        "系统会自动重试；若密钥或地址有误，请在 filmgate.toml 中更正。",
    )
    return warn("provider", _same(f"{said}: {why}" if why else said), way_out)


def _routes(vitals: VitalsShape) -> Check:
    if not vitals["stranded"]:
        return ok("routes", "no task waits for one that is missing")
    way_out = Text(
        "Put the provider or the route back into filmgate.toml; what waits ends free at its deadline.",
        "请将该上游或路由放回 filmgate.toml；等待的任务到期后免费结束。",
    )
    return warn("routes", _same("; ".join(one["text"] for one in vitals["stranded"])), way_out)


def _books(gate: Gate) -> Check:
    try:
        audit = cast("AuditShape", gate.ask("GET", "/admin/v1/ledger/check", timeout_s=_AUDIT_S))
    except CliError as error:
        return fail("books", error.text, SEE_LOG)
    if audit["clean"]:
        return ok("books", "the audit found nothing")
    broken = "; ".join(f"{one['says']}: broken {one['count']} times" for one in audit["findings"])
    way_out = Text("filmgate ledger check names each of them.", "filmgate ledger check 会逐条列出。")
    return fail("books", _same(broken), way_out)
