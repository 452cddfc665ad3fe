"""Every way in which the program ends: exit codes that are never renumbered, and the texts of its own errors.

What the gate says is passed on as it was said; `WORDINGS` holds only what the program itself has to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from filmgate.cli.text import Text


class Exit(IntEnum):
    """What a script may rely on."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    DENIED = 4
    MONEY = 5
    BUSY = 6
    NOT_FOUND = 7
    TIMEOUT = 8
    BUG = 70
    DETACHED = 130


EXIT_TEXTS: Final = {
    Exit.DONE: Text("done", "完成"),
    Exit.FAILED: Text(
        "the film failed, was refused, cancelled or timed out: `error.code` says which; or a check failed",
        "视频失败、被拒绝、取消或超时，见 `error.code`；或检查未通过",
    ),
    Exit.USAGE: Text(
        "wrong usage, a file of yours that cannot be used, or what cannot be asked of this task",
        "用法有误、本地文件不可用，或该任务不支持此操作",
    ),
    Exit.UNREACHABLE: Text("the gate cannot be reached", "无法连接网关"),
    Exit.DENIED: Text("not allowed: no key, a wrong one, or not an operator's", "没有权限：缺少、错误或非管理员密钥"),
    Exit.MONEY: Text("money: a budget, a ceiling, or no price", "费用：预算、上限或无价格"),
    Exit.BUSY: Text("busy: try later", "繁忙，请稍后重试"),
    Exit.NOT_FOUND: Text("not found", "未找到"),
    Exit.TIMEOUT: Text("`--timeout` ran out; the task goes on", "`--timeout` 已到，任务仍在继续"),
    Exit.BUG: Text("a bug of ours", "程序自身的错误"),
    Exit.DETACHED: Text("stopped with Ctrl-C; what was accepted goes on", "以 Ctrl-C 离开，已受理的任务仍在继续"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wording:
    exit_code: Exit
    text: Text


WORDINGS: Final[Mapping[str, Wording]] = {
    "wrong_usage": Wording(Exit.USAGE, Text("{reason}", "{reason}")),
    "secret_as_flag": Wording(Exit.USAGE, Text(
        "A secret is never a flag, because other users of a machine can read it there. Set FILMGATE_API_KEY"
        " (or FILMGATE_ADMIN_KEY), or name a file with FILMGATE_API_KEY_FILE.",
        "密钥不能作为命令行参数，否则同机其他用户可以读到。请设置 FILMGATE_API_KEY（或 FILMGATE_ADMIN_KEY），"
        "或用 FILMGATE_API_KEY_FILE 指定文件。",
    )),
    "bad_settings": Wording(Exit.USAGE, Text(
        "The settings cannot be used: {reason}", "配置有误：{reason}",
    )),
    "cannot_serve": Wording(Exit.USAGE, Text(
        "The gate cannot start: {reason}", "网关无法启动：{reason}",
    )),
    "bad_address": Wording(Exit.USAGE, Text(
        "`{given}` is no address of a gate. Write it as http://127.0.0.1:8080.",
        "`{given}` 不是网关地址，应写成 http://127.0.0.1:8080。",
    )),
    "unreadable_file": Wording(Exit.USAGE, Text(
        "{path} cannot be read: {reason}.", "无法读取 {path}：{reason}。",
    )),
    "picture_too_large": Wording(Exit.USAGE, Text(
        "{path} has {size}; a picture may have {limit}. Nothing was sent.",
        "{path} 大小为 {size}，图片最大 {limit}。未发送任何请求。",
    )),
    "not_a_picture": Wording(Exit.USAGE, Text(
        "{path} is no JPEG, PNG or WebP file. Nothing was sent.",
        "{path} 不是 JPEG、PNG 或 WebP 文件。未发送任何请求。",
    )),
    "last_without_image": Wording(Exit.USAGE, Text(
        "--last needs --image: the film leads from the one to the other. Nothing was sent.",
        "--last 需要同时给出 --image：视频从首帧过渡到尾帧。未发送任何请求。",
    )),
    "references_beside_frames": Wording(Exit.USAGE, Text(
        "--reference does not go together with --image: a film starts from a picture, or shows what is on some."
        " Nothing was sent.",
        "--reference 不能与 --image 同时使用：视频要么从图片开始，要么参考图片内容。未发送任何请求。",
    )),
    "unsayable": Wording(Exit.USAGE, Text(
        "The {dialect} dialect has no word for {options} with the model {model}. Leave --dialect out: the gate's own"
        " form says all of it. Nothing was sent.",
        "{dialect} 方言的模型 {model} 无法表达 {options}。请去掉 --dialect，网关自身的格式可以表达。未发送任何请求。",
    )),
    "unwritable": Wording(Exit.USAGE, Text(
        "{path} cannot be written: {reason}. Choose another place with -o.",
        "无法写入 {path}：{reason}。请用 -o 选择其他位置。",
    )),
    "empty_prompt": Wording(Exit.USAGE, Text(
        'The prompt is empty. Say what the film shows, as in `filmgate generate "a paper boat"`.',
        '提示词为空。请描述画面，例如 `filmgate generate "雨巷里的纸船"`。',
    )),
    "gate_unreachable": Wording(Exit.UNREACHABLE, Text(
        "No gate answers at {base_url}. Start one: `filmgate serve`",
        "{base_url} 未连接到网关，请先运行 `filmgate serve`",
    )),
    "remote_unreachable": Wording(Exit.UNREACHABLE, Text(
        "No gate answers at {base_url} ({reason}). Check the address in FILMGATE_BASE_URL, or that the gate runs.",
        "{base_url} 未连接到网关（{reason}）。请检查 FILMGATE_BASE_URL，或确认网关正在运行。",
    )),
    "contact_lost": Wording(Exit.UNREACHABLE, Text(
        "The gate at {base_url} has not answered for {seconds} s. {after}",
        "{base_url} 的网关已 {seconds} 秒没有响应。{after}",
    )),
    "not_a_gate": Wording(Exit.UNREACHABLE, Text(
        "Something answers at {base_url}, but it is no Filmgate (HTTP {status}). Check FILMGATE_BASE_URL.",
        "{base_url} 有响应，但不是 Filmgate（HTTP {status}）。请检查 FILMGATE_BASE_URL。",
    )),
    "no_key": Wording(Exit.DENIED, Text(
        "No key is set for {base_url}. Set FILMGATE_API_KEY; on the gate's own machine, name its data folder with"
        " --data, or create a key with `filmgate keys create NAME`.",
        "未设置 {base_url} 的密钥。请设置 FILMGATE_API_KEY；若在网关本机，可用 --data 指定数据目录，"
        "或用 `filmgate keys create NAME` 创建密钥。",
    )),
    "no_operator": Wording(Exit.DENIED, Text(
        "This needs an operator. Set FILMGATE_ADMIN_KEY, or run it on the gate's machine with --data naming its"
        " data folder ({data} holds no secret).",
        "该操作需要管理员。请设置 FILMGATE_ADMIN_KEY，或在网关本机用 --data 指定数据目录（{data} 中没有密钥文件）。",
    )),
    "max_cost": Wording(Exit.MONEY, Text(
        "This film costs {price}, more than the {limit} of --max-cost. Nothing was started.",
        "该视频需 {price}，超过 --max-cost 的 {limit}。未开始任何任务。",
    )),
    "unaffordable": Wording(Exit.MONEY, Text(
        "This film costs {price}; {left} is left. Nothing was started. Ask for more, or choose less.",
        "该视频需 {price}，仅剩 {left}。未开始任何任务。可申请加额，或选择更短的视频。",
    )),
    "unconfirmed": Wording(Exit.MONEY, Text(
        "This film costs {price}, and nobody can be asked here: say --yes, or --max-cost with the most that it may"
        " cost. Nothing was started.",
        "该视频需 {price}，此处无法询问确认：请加 --yes，或用 --max-cost 给出上限。未开始任何任务。",
    )),
    "declined": Wording(Exit.MONEY, Text("Nothing was started.", "未开始任何任务。")),
    "timeout": Wording(Exit.TIMEOUT, Text(
        "{seconds} s are over; the film is still being made. Back: `filmgate tasks watch {ids}{again}`",
        "已到 {seconds} 秒，视频仍在生成。返回：`filmgate tasks watch {ids}{again}`",
    )),
    "not_started": Wording(Exit.DETACHED, Text("Nothing was started.", "未开始任何任务。")),
    "unanswered": Wording(Exit.DETACHED, Text(
        "Stopped before the gate answered. If the request arrived, the film is being made: `filmgate tasks list`",
        "在网关应答前离开。若请求已送达，视频正在生成：`filmgate tasks list`",
    )),
    "detached": Wording(Exit.DETACHED, Text(
        "Detached. The video is still being made{held}. Back: `filmgate tasks watch {ids}{again}` · Stop: `filmgate tasks"
        " cancel {ids}{again}`",
        "已离开，视频仍在生成{held}。返回：`filmgate tasks watch {ids}{again}` · 停止：`filmgate tasks cancel {ids}{again}`",
    )),
    "detached_trial": Wording(Exit.DETACHED, Text(
        "Detached. The film of the test is still being made{held}: task {id} of the account provider-tests.",
        "已离开，测试视频仍在生成{held}，任务 {id}（账户 provider-tests）",
    )),
    "detached_done": Wording(Exit.DETACHED, Text(
        "Stopped. The film is done and stays at the gate: `filmgate tasks download {ids}{again}`",
        "已停止。视频已完成并保存在网关：`filmgate tasks download {ids}{again}`",
    )),
    "stopped": Wording(Exit.DETACHED, Text("Stopped.", "已停止。")),
    "film_lost_on_the_way": Wording(Exit.UNREACHABLE, Text(
        "The film did not arrive whole: {reason}. What came is kept; go on with `filmgate tasks download {id}{again}`",
        "视频未能完整下载：{reason}。已下载部分保留，可继续：`filmgate tasks download {id}{again}`",
    )),
    "film_damaged": Wording(Exit.FAILED, Text(
        "The file that arrived is not the film that the gate stored: {reason}. It was removed.",
        "下载的文件与网关保存的视频不一致：{reason}。已删除。",
    )),
    "not_done": Wording(Exit.BUSY, Text(
        "Task {id} is {state}; there is no film yet. Wait for it: `filmgate tasks watch {id}{again}`",
        "任务 {id} {state}，尚无视频。等待完成：`filmgate tasks watch {id}{again}`",
    )),
    "books_broken": Wording(Exit.FAILED, Text(
        "The books break these rules: {rules}. No money moves by itself; keep this list, and look at what it names.",
        "账目违反以下规则：{rules}。资金不会自行变动，请保存此列表并逐项核对。",
    )),
    "provider_unfit": Wording(Exit.FAILED, Text(
        "{name}: {count} of {total} credentials would take no film now. Mend what they say; a shut one opens with"
        " `filmgate providers resume {name}`.",
        "{name}：{total} 个凭据中有 {count} 个当前无法接收任务。请按提示修正；已熔断的可运行"
        " `filmgate providers resume {name}`。",
    )),
    "trial_failed": Wording(Exit.FAILED, Text(
        "{name} did not make the film: {reason}", "{name} 未能生成该视频：{reason}",
    )),
    "checks_failed": Wording(Exit.FAILED, Text(
        "{count} of {total} checks failed.", "{total} 项检查中有 {count} 项未通过。",
    )),
    "not_ready": Wording(Exit.FAILED, Text(
        "The gate did not become ready within {seconds} s. The end of its log:\n{log}",
        "网关未能在 {seconds} 秒内就绪。日志末尾：\n{log}",
    )),
    "gate_died": Wording(Exit.FAILED, Text(
        "The gate stopped before it was ready. The end of its log:\n{log}", "网关在就绪前退出。日志末尾：\n{log}",
    )),
    "demo_failed": Wording(Exit.FAILED, Text(
        "{count} of {total} films did not arrive whole.", "{total} 个视频中有 {count} 个未能完整到达。",
    )),
    "gate_stopped_badly": Wording(Exit.FAILED, Text(
        "Every film arrived, but the gate stopped with exit code {code}.", "视频均已到达，但网关以退出码 {code} 结束。",
    )),
    "bug": Wording(Exit.BUG, Text(
        "This is a bug of Filmgate: {reason}. Run it again with -v to see where.",
        "这是 Filmgate 的程序错误：{reason}。加上 -v 可查看位置。",
    )),
}  # fmt: skip


class CliError(Exception):
    """An end with a code, a text that says the way out, and an exit code."""

    def __init__(
        self, code: str, exit_code: int, text: Text, details: Mapping[str, str | int | None] | None = None
    ) -> None:
        super().__init__(code)
        self.code = code
        self.exit_code = exit_code
        self.text = text
        self.details = details or {}


_DETAILS: Final = frozenset({"base_url", "path", "id", "ids"})


def trouble(code: str, /, **parameters: str | float | Text) -> CliError:
    """Give the program's own error of this code; the parameters fill its texts, each in its language.

    `again` is what the command lines in its text repeat after their ids.
    """
    wording = WORDINGS[code]
    details = {
        name: value for name, value in parameters.items() if name in _DETAILS and isinstance(value, str)
    }
    text = wording.text.filled(**{"again": "", **parameters})
    return CliError(code, wording.exit_code, text, details)
