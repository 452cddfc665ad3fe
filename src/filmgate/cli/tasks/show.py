"""`filmgate tasks show`."""

from collections.abc import Sequence
from typing import Annotated, Final, cast

from cyclopts import Parameter

from filmgate.cli.address import HERE, Place
from filmgate.cli.errors import Exit
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.measures import clip_lengths, clock_time, moment
from filmgate.cli.output import PLAIN_MANNER, Form, Json, Manner, Output
from filmgate.cli.role import OWN, Role, role_session
from filmgate.cli.shapes import AttemptShape, RecordShape, TaskDetailShape, key_name
from filmgate.cli.spending import spent_text
from filmgate.cli.tasks.receipt import RECEIPT_COLUMNS, receipt_rows
from filmgate.cli.text import ENDS, Text, mark_of, state_word
from filmgate.cli.verb import verb
from filmgate.cli.watching import film_measures, read_task

_FACTS: Final = {
    "state": Text("state", "状态"),
    "prompt": Text("prompt", "提示词"),
    "id": Text("id", "编号"),
    "name": Text("known as", "对外编号"),
    "account": Text("account", "账户"),
    "asked": Text("asked for", "请求"),
    "created": Text("created", "创建"),
    "clocks": Text("clocks", "用时"),
    "next": Text("next step", "下一步"),
    "cost": Text("cost", "费用"),
    "film": Text("film", "视频"),
    "error": Text("error", "错误"),
    "enhanced": Text("enhanced", "优化后"),
    "softened": Text("softened", "缓和后"),
    "retries": Text("retries", "重试"),
    "joined": Text("joined", "拼接"),
    "upscaled": Text("upscaled", "超分"),
    "warnings": Text("warnings", "提示"),
    "video": Text("video", "链接"),
    "first": Text("first clip", "第一段"),
    "source": Text("unscaled", "原尺寸"),
}
_MAKERS: Final = {
    "built-in": Text("by the gate itself", "网关内置"),
    "chat": Text("by a chat server", "对话模型"),
    "provider": Text("by the provider", "上游"),
    "gate": Text("by the gate itself", "网关"),
    "copy": Text("without encoding again", "未重新编码"),
    "encode": Text("by encoding again, at least the sound", "重新编码（至少声音）"),
}
_CLOCKS: Final = Text("waited {waited}, ran {ran}", "等待 {waited}，运行 {ran}")
_WHOSE: Final = Text("{account}, key {key}", "{account}，密钥 {key}")
_UNCERTAIN: Final = Text(
    "an attempt waits for a decision: filmgate tasks resolve {id}",
    "有一次尝试等待裁定：filmgate tasks resolve {id}",
)
_ATTEMPT_COLUMNS: Final = (
    Column(Text("clip", "片段"), right=True),
    Column(Text("attempt", "尝试"), right=True),
    Column(Text("provider", "上游")),
    Column(Text("state", "状态")),
    Column(Text("sent", "发送")),
    Column(Text("took", "用时"), right=True),
    Column(Text("what it said", "说明"), shrinks=True),
)
_THERE: Final = Column(Text("its id there", "上游编号"))


def show(
    id_: Annotated[str, Parameter(name="ID")],
    /,
    *,
    attempts: Annotated[bool, Parameter(negative="", help="Also each attempt at each clip.")] = False,
    receipt: Annotated[
        bool, Parameter(negative="", help="Also its price, and what was held, charged and returned.")
    ] = False,
    role: Role = OWN,
    place: Place = HERE,
    manner: Manner = PLAIN_MANNER,
) -> int:
    """Show one film's task, and how each attempt went."""
    session = role_session(manner, place, role)
    task = read_task(session, id_, attempts=attempts, receipt=receipt)
    output = session.output
    if output.form is Form.JSON:
        output.document(cast("Json", task))
        return Exit.DONE
    output.rows(Grid((), _facts(task, output)))
    if receipt and task.get("receipt"):
        output.answer("")
        output.rows(Grid(RECEIPT_COLUMNS, receipt_rows(task, output)))
    if attempts:
        output.answer("")
        columns = (
            (*_ATTEMPT_COLUMNS[:-1], _THERE, _ATTEMPT_COLUMNS[-1]) if session.operator else _ATTEMPT_COLUMNS
        )
        output.rows(Grid(columns, [_attempt(attempt) for attempt in task["attempts"] or ()]))
    return Exit.DONE


def _facts(task: TaskDetailShape, output: Output) -> Sequence[Sequence[Cell | str]]:
    mark, style = mark_of(task["state"])
    word = state_word(task["state"], output.language)
    share = "" if task["state"] in ENDS else f" {task['progress']} %"
    waited, ran = clock_time(task["waited_s"]), clock_time(task["running_s"])
    created, film, error = moment(task["created_at"]), task["film"], task["error"]
    values: dict[str, Cell | str] = {
        "state": Cell(f"{mark} {word}{share}", style),
        "prompt": task["prompt"],
        "id": task["id"],
        "name": f"{task['name']} ({task['dialect']})",
        "account": _whose(task, output),
        "asked": f"{task['model']} · {clip_lengths(task['clips'])} · {task['size']}",
        "created": "" if created is None else created.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        "clocks": output.say(_CLOCKS, waited=waited, ran=ran),
        "next": _next(task, output),
        "cost": spent_text(task["cost_micros"], task["hold_micros"]).pick(output.language),
        "film": ""
        if film is None
        else f"{film_measures(film)}, {film['video_codec']} + {film['audio_codec'] or '–'}",
        "error": "" if error is None else Cell(f"{error['message']} [{error['code']}]", "red"),
        **_record(task["record"], output),
        "video": task["urls"]["video"] or "",
        "first": task["urls"]["first"] or "",
        "source": task["urls"]["source"] or "",
    }
    names = {
        name: title.pick(output.language) if output.form is Form.HUMAN else name
        for name, title in _FACTS.items()
    }
    return [[Cell(names[name], "dim"), value] for name, value in values.items() if value]


def _whose(task: TaskDetailShape, output: Output) -> str:
    """Say whose task it is, for operators."""
    if "account" not in task:
        return ""
    return output.say(_WHOSE, account=task["account"], key=key_name(task))


def _next(task: TaskDetailShape, output: Output) -> Cell | str:
    """Say what an engine does next, or that nobody but an operator can say how it goes on."""
    work = task.get("work")
    if task.get("uncertain"):
        return Cell(output.say(_UNCERTAIN, id=task["id"]), "yellow")
    due = None if work is None else moment(work["due_at"])
    return "" if work is None or due is None else f"{work['step']} {due.astimezone().strftime('%H:%M:%S')}"


def _record(record: RecordShape, output: Output) -> dict[str, Cell | str]:
    """Say what became of the task on its way, as far as anything did."""
    enhanced, last, upscaled = record["enhanced_prompt"], record["last_error"], record["upsample_error"]
    return {
        "enhanced": f"{enhanced} ({_maker(record['enhanced_by'], output)})" if enhanced else "",
        "softened": record["softened_prompt"] or "",
        "retries": f"{record['retries']}{f' ({last})' if last else ''}" if record["retries"] or last else "",
        "joined": _maker(record["joined_by"], output),
        "upscaled": Cell(upscaled, "yellow") if upscaled else _maker(record["upsampled_by"], output),
        "warnings": Cell("; ".join(record["warnings"]), "yellow") if record["warnings"] else "",
    }


def _maker(word: str | None, output: Output) -> str:
    """Say who or what did a step; a word that this program does not know yet is said as the gate names it."""
    known = _MAKERS.get(word or "") if output.form is Form.HUMAN else None
    return output.say(known) if known else word or ""


def _attempt(attempt: AttemptShape) -> Sequence[Cell | str]:
    sent, closed = moment(attempt["sent_at"]), moment(attempt["closed_at"])
    took = "" if sent is None or closed is None else clock_time((closed - sent).total_seconds())
    said = ": ".join(part for part in (attempt["error_class"], attempt["error_text"]) if part)
    style = {"done": "green", "failed": "red", "lost": "red", "uncertain": "yellow"}.get(
        attempt["state"], "cyan"
    )
    return [
        str(attempt["clip"]),
        str(attempt["no"]),
        attempt["provider"],
        Cell(attempt["state"], style),
        "" if sent is None else sent.astimezone().strftime("%H:%M:%S"),
        took,
        *([attempt["vendor_ref"] or ""] if "vendor_ref" in attempt else []),
        said,
    ]


app = verb(
    "show",
    show,
    (
        "filmgate tasks show ID --receipt",
        "filmgate tasks show ID --attempts --as-operator",
        "filmgate tasks show ID --attempts --json | jq '.attempts[].provider'",
    ),
)
