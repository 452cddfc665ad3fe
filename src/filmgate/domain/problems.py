"""The one catalogue of what can go wrong: code, HTTP status of the gate's own API, exit code, and both texts.

A dialect puts a problem into its own form and code; the docs page of errors lists exactly these rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from filmgate.domain.sentences import filled_freely


@dataclass(frozen=True, slots=True)
class Wording:
    """What one code says; `{names}` in the texts are filled from the problem's parameters."""

    status: int
    exit_code: int
    en: str
    zh: str


WORDINGS: Final[Mapping[str, Wording]] = {
    "missing_key": Wording(
        401, 4, "No API key was sent. Send it as `Authorization: Bearer sk-...`.",
        "未提供令牌。请在请求头中发送 `Authorization: Bearer sk-...`。",
    ),
    "invalid_key": Wording(
        401, 4, "This key is not known here. Keys of this gate start with `sk-`.",
        "无效的令牌：该密钥不属于本网关。本网关密钥以 `sk-` 开头。",
    ),
    "key_expired": Wording(
        401, 4, "This key has expired. It makes no films any more; for 7 days it still reads and deletes what it made.",
        "无效的令牌：该密钥已过期，不能再生成视频；过期后 7 天内仍可查询、下载和删除已有视频。",
    ),
    "not_an_operator": Wording(
        403, 4, "This needs an operator's key: set FILMGATE_ADMIN_KEY.",
        "该操作需要管理员密钥：请设置 FILMGATE_ADMIN_KEY。",
    ),
    "makes_no_films": Wording(
        403, 4, "An operator's key administers and makes no films: create a key with `filmgate keys create NAME`.",
        "管理员密钥不能生成视频：请用 `filmgate keys create NAME` 创建密钥。",
    ),
    "missing_parameter": Wording(
        400, 2, "`{field}` is required.", "缺少必填参数 `{field}`。",
    ),
    "invalid_parameter": Wording(
        400, 2, "`{field}` is wrong: {reason}", "参数 `{field}` 有误：{reason_zh}",
    ),
    "prompt_too_long": Wording(
        400, 2, "`{field}` has {length} characters; {limit} is the most.",
        "`{field}` 有 {length} 个字符，最多 {limit} 个。",
    ),
    "model_not_found": Wording(
        404, 2, "There is no model `{model}` here. `GET /v1/models` lists those that there are.",
        "模型 `{model}` 不存在，可用 `GET /v1/models` 查询可用模型。",
    ),
    "size_unsupported": Wording(
        400, 2, "`{field}` must be a size such as 720x1280 or a ratio such as 9:16, not {given}.",
        "`{field}` 应为 720x1280 这样的尺寸或 9:16 这样的比例，而不是 {given}。",
    ),
    "duration_unsupported": Wording(
        400, 2, "`{field}` must be {allowed} for {model}, not {given}.",
        "{model} 的 `{field}` 应为 {allowed}，而不是 {given}。",
    ),
    "pictures_unsupported": Wording(
        400, 2, "{model} takes {allowed}; {given} came in `{field}`.",
        "{model} 支持 {allowed_zh}，`{field}` 中收到 {given} 张。",
    ),
    "picture_denied": Wording(
        400, 2, "The picture's address in `{field}` is not allowed. Send the file itself, or a public https link.",
        "`{field}` 中的图片地址不被允许。请直接上传文件或提供公开的 https 链接。",
    ),
    "picture_unreachable": Wording(
        400, 1,
        "The picture in `{field}` could not be fetched: {reason}. Nothing was charged. Send the file itself, or a public "
        "link.",
        "无法获取 `{field}` 中的图片：{reason_zh}。未扣费。请直接上传文件或提供公开链接。",
    ),
    "picture_too_large": Wording(
        400, 1, "The picture in `{field}` is too large: {reason}. Nothing was charged. Send a smaller one.",
        "`{field}` 中的图片过大：{reason_zh}。未扣费。请压缩后重试。",
    ),
    "picture_unusable": Wording(
        400, 1, "The picture in `{field}` cannot be used: {reason}. Nothing was charged.",
        "`{field}` 中的图片无法使用：{reason_zh}。未扣费。请提供 JPEG、PNG 或 WebP 图片。",
    ),
    "webhook_denied": Wording(
        400, 2, "The address in `{field}` is not allowed for webhooks. Give a public https address.",
        "`{field}` 中的回调地址不被允许。请提供公开的 https 地址。",
    ),
    "webhook_not_found": Wording(404, 7, "There is no such webhook endpoint.", "回调端点不存在。"),
    "secret_unreadable": Wording(
        409, 1, "The signing secret was stored under another FILMGATE_SECRET and cannot be read. Rotate it.",
        "签名密钥由另一个 FILMGATE_SECRET 保存，无法读取。请轮换该密钥。",
    ),
    "webhook_unreachable": Wording(
        400, 1, "The endpoint did not answer. Check that its address answers a POST within 20 s.",
        "回调端点没有响应。请确认该地址能在 20 秒内响应 POST 请求。",
    ),
    "webhook_disabled": Wording(
        400, 2, "The endpoint of this delivery is disabled or deleted. Give the endpoint its url again first.",
        "该回调端点已停用或删除。请先重新设置端点的 url。",
    ),
    "too_many_webhooks": Wording(
        400, 2, "There are {limit} webhook endpoints already, which is the most. Delete one first.",
        "回调端点已达上限 {limit} 个，请先删除。",
    ),
    "delivery_not_found": Wording(404, 7, "There is no such delivery.", "投递记录不存在。"),
    "source_unusable": Wording(
        400, 2, "The film that `{field}` names cannot be used: {reason}",
        "`{field}` 指定的视频不可用：{reason_zh}",
    ),
    "malformed_json": Wording(
        400, 2, "The body is not JSON: {reason}.", "请求体不是有效的 JSON：{reason}。",
    ),
    "malformed_form": Wording(
        400, 2, "The form cannot be read: {reason}.", "表单无法解析：{reason}。",
    ),
    "wrong_content_type": Wording(
        415, 2, "Send `application/json` or `multipart/form-data`, not `{given}`.",
        "请使用 `application/json` 或 `multipart/form-data`，而不是 `{given}`。",
    ),
    "range_not_satisfiable": Wording(
        416, 2, "`{field}` begins past the end: {reason}", "`{field}` 超出文件末尾：{reason_zh}",
    ),
    "body_too_large": Wording(
        413, 2, "The body is larger than {limit_mib} MiB.", "请求体超过 {limit_mib} MiB。",
    ),
    "body_too_slow": Wording(
        408, 2, "The body did not arrive in time. Send it again.", "请求体未能及时送达，请重试。",
    ),
    "too_many_bodies": Wording(
        429, 6, "Too many requests are being sent at once. Let some of them end first.",
        "同时上传的请求过多，请稍后重试。",
    ),
    "too_many_streams": Wording(
        429, 6, "This key has {limit} downloads or streams of events open already. Close some of them first.",
        "该令牌同时打开的下载或事件流已达 {limit} 个，请先关闭一些。",
    ),
    "idempotency_mismatch": Wording(
        422, 2, "This Idempotency-Key came before with another body. Use a new key for a new film.",
        "该 Idempotency-Key 已用于不同的请求体。新视频请使用新的键。",
    ),
    "task_not_found": Wording(404, 7, "Task not found.", "任务不存在或已过期。"),
    "task_deleted": Wording(
        410, 7, "The task of this `Idempotency-Key` was deleted. Nothing is made again; another key makes a new film.",
        "该 `Idempotency-Key` 对应的任务已删除，不会重新生成；如需新视频请使用新的键。",
    ),
    "not_found": Wording(404, 7, "There is nothing at this address.", "该地址不存在。"),
    "provider_not_found": Wording(
        404, 7, "There is no provider `{name}` in the settings. `filmgate providers list` names those that there are.",
        "配置中没有上游 `{name}`。可用 `filmgate providers list` 查看。",
    ),
    "key_not_found": Wording(
        404, 7, "There is no valid key with the id or name `{name}`. `filmgate keys list` names those that there are.",
        "没有编号或名称为 `{name}` 的有效密钥。可用 `filmgate keys list` 查看。",
    ),
    "account_not_found": Wording(
        404, 7, "There is no account `{name}`. `filmgate accounts list` names those that there are.",
        "没有账户 `{name}`。可用 `filmgate accounts list` 查看。",
    ),
    "account_exists": Wording(
        409, 2, "There is an account `{name}` already; `filmgate accounts limit` and `credit` change it.",
        "账户 `{name}` 已存在；可用 `filmgate accounts limit` 和 `credit` 修改。",
    ),
    "method_not_allowed": Wording(
        405, 2, "{method} is not spoken at this address.", "该地址不支持 {method}。",
    ),
    "film_not_ready": Wording(
        404, 6, "Video is not ready yet, use GET /v1/videos/{id} to check status.",
        "视频尚未生成，请用 GET /v1/videos/{id} 查询状态。",
    ),
    "film_absent": Wording(
        404, 7, "There is no film of this task.", "该任务没有视频。",
    ),
    "cannot_cancel": Wording(
        409, 2, "The video cannot be stopped any more; it goes on and will be charged {cost}.",
        "视频已无法取消，将继续生成并扣费 {cost}。",
    ),
    "already_ended": Wording(
        409, 2, "The video is {state} already; there is nothing to cancel.", "视频已结束（{state}），无法取消。",
    ),
    "cancel_unconfirmed": Wording(
        409, 6, "The provider was asked to stop and has not confirmed it yet. Delete the video once it is cancelled.",
        "已请求上游停止，尚未确认。请在取消完成后删除。",
    ),
    "not_ended": Wording(
        409, 6, "The video is still being made; only one that has ended is asked for again.",
        "视频仍在生成中，结束后才能重新提交。",
    ),
    "not_failed": Wording(
        409, 2, "The video is {state}; only one that failed or expired is tried again for its owner.",
        "视频状态为 {state}，仅失败或过期的任务可重新提交。",
    ),
    "not_uncertain": Wording(
        409, 2, "No attempt of this task waits for a decision: it is {state}.",
        "该任务没有待决的提交：{state}。",
    ),
    "on_its_way": Wording(
        409, 6, "It was sent so lately that it may still arrive: look at the provider's list again in {retry_after_s} s.",
        "该提交刚刚发出，可能仍在途中：请在 {retry_after_s} 秒后再次核对上游列表。",
    ),
    "provider_paused": Wording(
        409, 6, "{name} is paused; resume it first. Nothing was started.", "{name} 已暂停，请先恢复。任务未开始。",
    ),
    "link_invalid": Wording(404, 7, "This link is not one of ours.", "链接无效。"),
    "link_expired": Wording(410, 7, "This link has run out. Ask for the task again.", "链接已过期，请重新查询任务。"),
    "store_unavailable": Wording(
        503, 6, "The database does not answer. Nothing was started; try again in a few seconds.",
        "数据库暂时无法访问，任务未开始，请稍后重试。",
    ),
    "files_unavailable": Wording(
        503, 6, "Where films are kept does not answer. Nothing was lost; try again in a few seconds.",
        "视频存储暂时无法访问，没有丢失任何内容，请稍后重试。",
    ),
    "no_room": Wording(
        503, 6, "There is no room for more films now. Nothing was started; try again later. The operator has been told.",
        "视频存储空间不足，任务未开始，请稍后重试，已通知管理员。",
    ),
    "destination_not_found": Wording(
        400, 2, "`{field}` names no destination that this account may use: {given}. {allowed}",
        "`{field}` 指定的目的地不存在或不可用：{given}。{allowed_zh}",
    ),
    "shutting_down": Wording(503, 6, "The gate is stopping. Try again in a few seconds.", "网关正在停止，请稍后重试。"),
    "too_many_failures": Wording(
        429, 6, "Too many unknown keys came from this address. Try again in {retry_after_s} s.",
        "该地址的无效密钥请求过多，请在 {retry_after_s} 秒后重试。",
    ),
    "source_gone": Wording(
        400, 1, "The film to go on from is no longer kept. Nothing was charged.", "原视频已不再保存。未扣费。",
    ),
    "extend_failed": Wording(
        502, 1, "The first clip was made, but its extension failed: {reason} The first clip is kept and can be extended.",
        "第一段视频生成成功,但二创失败:{reason_zh}",
    ),
    "content_refused": Wording(
        400, 1, "The provider refused this request: {reason}. Nothing was charged. Change the prompt or the pictures.",
        "上游拒绝了该请求：{reason}。未扣费。请修改提示词或图片。",
    ),
    "request_refused": Wording(
        400, 1, "The provider cannot make this film: {reason}. Nothing was charged.",
        "上游无法生成该视频：{reason}。未扣费。",
    ),
    "provider_failed": Wording(
        502, 1, "The provider failed (attempts: {attempts}). Nothing was charged. You can try again.",
        "上游生成失败（已尝试 {attempts} 次）。未扣费，可重试。",
    ),
    "no_price": Wording(
        400, 5, "{model} has no price here, so it is not sold. Ask the operator.", "{model} 尚未定价，请联系管理员。",
    ),
    "insufficient_balance": Wording(
        402, 5, "This film costs {price}; the balance is {left}. Nothing was started. Ask for more, or choose {instead}.",
        "用户额度不足：该视频需 {price}，余额 {left}。任务未开始。请充值或改为{instead_zh}。",
    ),
    "budget_exceeded": Wording(
        402, 5,
        "This film costs {price}; the budget has {left} left. Nothing was started. Ask for more, or choose {instead}.",
        "令牌额度已用尽：该视频需 {price}，预算剩余 {left}。任务未开始。可申请加额或改为{instead_zh}。",
    ),
    "max_cost_exceeded": Wording(
        402, 5, "This film costs {price}, more than the {limit} that the request allows. Nothing was started.",
        "该视频需 {price}，超过请求允许的 {limit}。任务未开始。",
    ),
    "quote_unusable": Wording(
        400, 5, "The quote cannot be used: {reason} Ask for a new one.", "报价不可用：{reason_zh}请重新询价。",
    ),
    "rate_limited": Wording(
        429, 6, "Rate limit exceeded: at most {limit} submits a minute. Try again in {retry_after_s} s.",
        "请求过于频繁：每分钟最多 {limit} 次提交，请在 {retry_after_s} 秒后重试。",
    ),
    "too_many_tasks": Wording(
        429, 6, "There are {limit} unfinished tasks already, which is the most. Try again when some are done.",
        "未完成的任务已达上限 {limit} 个，请稍后重试。",
    ),
    "too_many_tests": Wording(
        429, 6, "One test goes out to an endpoint at a time, and {limit} to one host or for one account. "
        "Try again in {retry_after_s} s.",
        "每个端点同时只能发送 1 个测试，同一主机或同一账户最多 {limit} 个，请在 {retry_after_s} 秒后重试。",
    ),
    "too_many_replays": Wording(
        429, 6, "This was told {limit} times within an hour, which is the most. Try again in {retry_after_s} s.",
        "该通知一小时内已发送 {limit} 次，已达上限，请在 {retry_after_s} 秒后重试。",
    ),
    "lost_by_provider": Wording(
        502, 1, "The provider lost this video. Nothing was charged. You can try again.",
        "上游丢失了该视频。未扣费，可重试。",
    ),
    "result_lost": Wording(
        502, 1, "The video was made, but a whole file could not be fetched. Nothing was charged. You can try again.",
        "视频已生成，但无法获取完整文件。未扣费，可重试。",
    ),
    "outcome_uncertain": Wording(
        502, 1, "The request was sent and no usable reply came; no film was found. Nothing was charged. You can try again.",
        "请求已发出但未收到有效回复，也未找到视频。未扣费，可重试。",
    ),
    "render_failed": Wording(
        500, 1, "The clips could not be made one film. Nothing was charged for what is missing.",
        "视频合成失败，缺少的部分未扣费。",
    ),
    "expired": Wording(
        504, 1, "The video was not done within {minutes} minutes. Nothing was charged. You can try again.",
        "视频未能在 {minutes} 分钟内完成。未扣费，可重试。",
    ),
    "not_started": Wording(
        504, 1, "The video was not begun within {seconds} s, as was asked for. Nothing was charged. You can try again.",
        "视频未能在要求的 {seconds} 秒内开始。未扣费，可重试。",
    ),
    "engine_error": Wording(
        500, 1, "Our engine failed on this task three times; it was parked. Nothing was charged.",
        "引擎三次处理该任务失败，任务已搁置。未扣费。",
    ),
    "internal_error": Wording(
        500, 70, "Something went wrong on our side. The id of this request is {request_id}.",
        "服务器内部错误，请求编号 {request_id}。",
    ),
}  # fmt: skip

RETRYABLE: Final = frozenset({
    "body_too_slow", "too_many_bodies", "too_many_streams", "too_many_failures", "rate_limited", "too_many_tasks",
    "too_many_tests", "too_many_replays", "film_not_ready", "cancel_unconfirmed", "not_ended", "provider_paused",
    "store_unavailable", "files_unavailable", "no_room", "on_its_way", "shutting_down", "webhook_unreachable",
    "lost_by_provider", "result_lost", "outcome_uncertain", "provider_failed", "expired", "not_started",
})  # fmt: skip
"""The codes after which the same request, unchanged, may succeed later."""


class Problem(Exception):  # noqa: N818  # a Problem is what the client is told, not a fault of the program
    """Something that ends a request, or a task, with a word from the catalogue."""

    def __init__(self, code: str, /, **parameters: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.parameters: dict[str, str | int] = parameters
        wait = parameters.get("retry_after_s")
        self.headers: Mapping[str, str] = {} if wait is None else {"retry-after": str(wait)}
        self.request_id = ""
        """The id of the request that it ended, once that is known."""

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """Let the answer carry headers that only this problem has."""
        self.headers = headers
        return self

    def spelled(self, names: Mapping[str, str]) -> Self:
        """Name the field as the client wrote it."""
        if self.field is not None:
            self.parameters["field"] = names.get(self.field, self.field)
        return self

    @property
    def wording(self) -> Wording:
        return WORDINGS[self.code]

    @property
    def field(self) -> str | None:
        given = self.parameters.get("field")
        return None if given is None else str(given)

    def text(self, language: str) -> str:
        return wording_text(self.code, self.parameters, language)


def wording_text(code: str, parameters: Mapping[str, str | int], language: str) -> str:
    """Say a code in `zh` or `en`; a parameter that nobody gave stays empty rather than fail an error."""
    wording = WORDINGS[code]
    return filled_freely(wording.zh if language == "zh" else wording.en, parameters)
