"""An error says it in the language of its reader, and keeps the words that clients and documents know it by."""

from typing import Any, cast

import pytest

from filmgate.dialects import DIALECTS
from filmgate.domain.contracts import Dialect, Links, Status, TaskView
from filmgate.domain.languages import LANGUAGES, Language
from filmgate.domain.problems import Problem
from filmgate.domain.states import State
from filmgate.domain.task import Failure
from kit.films import CREATED, ENDED, film_request, task

by_name = {dialect.NAME: dialect for dialect in DIALECTS}
every_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.NAME)
RELAYS = ("newapi", "unified", "laozhang", "yishang")


def message(dialect: Dialect, problem: Problem, language: Language | None, verb: str = "") -> str:
    body = cast("Any", dialect.render_error(problem, strict=False, verb=verb, language=language).body)
    return str(body["message"] if "message" in body else body["error"]["message"])


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= sign <= "\u9fff" for sign in text)


@every_dialect
def test_an_error_is_in_its_readers_language_and_else_in_the_dialects_own(dialect: Dialect) -> None:
    for code in ("no_room", "pictures_unsupported", "method_not_allowed"):
        texts = {language: message(dialect, Problem(code), language) for language in LANGUAGES}
        assert {language: is_chinese(text) for language, text in texts.items()} == {"en": False, "zh": True}
        assert message(dialect, Problem(code), None) == texts[dialect.LANGUAGE]


@pytest.mark.parametrize("name", RELAYS)
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_key", "无效的令牌"),
        ("key_expired", "无效的令牌"),
        ("insufficient_balance", "用户额度不足"),
        ("budget_exceeded", "令牌额度已用尽"),
    ],
)
@pytest.mark.parametrize("language", [None, *LANGUAGES])
def test_words_that_known_clients_look_for_are_kept(
    name: str, code: str, words: str, language: Language | None
) -> None:
    problem = Problem(code, price="$1.00", left="$0.10")
    assert words in message(by_name[name], problem, language)
    if name == "unified":
        assert words in message(by_name[name], problem, language, "chat")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("invalid_key", "Invalid API key provided"),
        ("insufficient_balance", "Insufficient quota"),
        ("rate_limited", "Rate limit exceeded"),
        ("task_not_found", "Task not found"),
        ("missing_parameter", "prompt field is required"),
    ],
)
def test_the_words_of_yishangs_document_come_first_in_any_language(code: str, words: str) -> None:
    text = message(by_name["yishang"], Problem(code, field="prompt"), "zh")
    assert text.startswith(f"{words} (")
    assert is_chinese(text)


def ended(dialect: Dialect, failure: Failure, language: Language | None) -> str:
    view = TaskView(
        task(
            "id-1",
            state=State.FAILED,
            failure=failure,
            ended_at=ENDED,
            started_at=CREATED,
            dialect=dialect.NAME,
            request=film_request("a boat", clips=(8, 8) if failure.code == "extend_failed" else (8,)),
        ),
        Links(),
        language,
    )
    return str(dialect.render(Status(view), strict=False).body)


@every_dialect
def test_a_poll_says_why_there_is_no_film_in_its_readers_language(dialect: Dialect) -> None:
    failure = Failure("provider_failed", {"attempts": 2})
    texts = {language: failure.text(language).rstrip("。.") for language in LANGUAGES}
    for language in LANGUAGES:
        body = ended(dialect, failure, language)
        assert [said for said, text in texts.items() if text in body] == [language]
    assert texts[dialect.LANGUAGE] in ended(dialect, failure, None)


@pytest.mark.parametrize("language", [None, *LANGUAGES])
def test_newapi_keeps_the_documents_words_for_a_failure(language: Language | None) -> None:
    refused = ended(by_name["newapi"], Failure("content_refused", {"reason": "a person"}), language)
    assert "视频生成失败:违反上游内容安全规则（a person） 请调整图片和提示词 (E-1005)" in refused
    parts = {"cause": "provider_failed", "reason": "all are busy.", "reason_zh": "线路繁忙,请重试。"}
    extension = ended(by_name["newapi"], Failure("extend_failed", parts), language)
    told = "all are busy" if language == "en" else "线路繁忙,请重试"
    assert f"第一段视频生成成功,但二创失败:{told} (E-2003)" in extension
