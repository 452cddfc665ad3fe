"""The texts of errors of relays, by whose words known clients tell one from another, whatever language they read."""

from typing import Final

from filmgate.domain.languages import Language
from filmgate.domain.problems import Problem

_LOOKED_FOR: Final = ("无效的令牌", "令牌额度已用尽", "用户额度不足")


def said(problem: Problem, language: Language) -> str:
    """Say a problem; in English, the Chinese words that clients look for stand behind it."""
    text = problem.text(language)
    if language == "zh":
        return text
    chinese = problem.text("zh")
    words = [word for word in _LOOKED_FOR if word in chinese]
    return f"{text} ({', '.join(words)})" if words else text
