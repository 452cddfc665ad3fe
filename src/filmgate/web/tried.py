"""Attempts as customers read them: in our words, by what went wrong. A vendor's own words are for operators."""

from collections.abc import Sequence
from typing import Final

from filmgate.domain.task import Attempt
from filmgate.web.shapes import AttemptOut

_WORDS: Final = {
    "busy": ("the provider had no room for it", "服务商繁忙"),
    "broken": ("the provider could not be reached", "无法连接服务商"),
    "misconfigured": ("the provider is not set up for it", "服务商配置有误"),
    "refused": ("the provider would not make it", "服务商拒绝生成"),
    "invalid": ("the provider cannot make what was asked for", "服务商不支持该请求"),
    "uncertain": ("nobody knows whether the provider took it", "无法确认服务商是否已接受"),
    "vanished": ("the provider does not know it any more", "服务商已无该任务"),
    "failed": ("the provider could not make it", "服务商生成失败"),
    "cancelled": ("it was cancelled", "已取消"),
}
_ELSE: Final = ("it did not work out", "未能完成")


def attempts_out(attempts: Sequence[Attempt], language: str) -> list[AttemptOut]:
    return [_out(attempt, language) for attempt in attempts]


def plainly(error_class: str | None, language: str) -> str | None:
    """Say what went wrong; None where nothing did."""
    if error_class is None:
        return None
    en, zh = _WORDS.get(error_class, _ELSE)
    return zh if language == "zh" else en


def _out(attempt: Attempt, language: str) -> AttemptOut:
    said = {name: getattr(attempt, name) for name in AttemptOut.model_fields}
    return AttemptOut(**{**said, "error_text": plainly(attempt.error_class, language)})
