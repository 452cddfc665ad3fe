"""`/watch/{id}`: one film on a page of its own, for people who are handed a link."""

from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from filmgate.domain.contracts import Links
from filmgate.domain.task import Task
from filmgate.web.answers import language_of
from filmgate.web.surroundings import Surroundings
from filmgate.web.turn import find_for_reading, task_headers

_AGAIN_S: Final = 3
_PROMPT_CHARACTERS: Final = 2000
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_WORDS: Final = {
    "en": {
        "queued": "Waiting for its turn", "preparing": "Being prepared", "generating": "Being made",
        "extending": "Being extended", "upsampling": "Being scaled up", "collecting": "Being stored",
        "succeeded": "Done", "failed": "Failed", "cancelled": "Cancelled", "expired": "Out of time",
        "save": "Download",
    },
    "zh": {
        "queued": "排队中", "preparing": "准备中", "generating": "生成中", "extending": "延长中",
        "upsampling": "超分中", "collecting": "保存中", "succeeded": "已完成", "failed": "失败",
        "cancelled": "已取消", "expired": "已超时", "save": "下载",
    },
}  # fmt: skip


def watch_route(around: Surroundings) -> Route:
    async def serve(request: Request) -> Response:
        task = await find_for_reading(request, around)
        page = _page(task, around.links(task, request), language_of(request))
        return Response(page, media_type="text/html", headers=_HEADERS | task_headers(task))

    return Route("/watch/{id}", serve, methods=["GET"], include_in_schema=False)


def _page(task: Task, links: Links, language: str) -> str:
    state, words = task.state.value, _WORDS[language]
    again = "" if task.state.ended else f'<meta http-equiv="refresh" content="{_AGAIN_S}">'
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">{again}'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>Filmgate · {words[state]}</title>"
        '<link rel="stylesheet" href="/console/look.css"><link rel="stylesheet" href="/console/watch.css"></head>'
        f'<body class="watch" data-state="{state}"><div role="main">{_screen(links, words)}{_status(task, language)}'
        f"<p>{escape(task.request.prompt[:_PROMPT_CHARACTERS])}</p></div></body></html>"
    )


def _screen(links: Links, words: Mapping[str, str]) -> str:
    if links.video is None:
        return ""
    video, poster = escape(links.video), escape(links.poster or "")
    return (
        f'<video src="{video}" poster="{poster}" controls autoplay muted playsinline loop></video>'
        f'<p><a href="{video}" download>{words["save"]}</a></p>'
    )


def _status(task: Task, language: str) -> str:
    said = _WORDS[language][task.state.value]
    if task.failure is not None:
        said += f": {escape(task.failure.text(language))}"
    bar = "" if task.state.ended else f'<progress max="100" value="{task.progress}"></progress>'
    return f'<p class="status" role="status">{said}</p>{bar}'
