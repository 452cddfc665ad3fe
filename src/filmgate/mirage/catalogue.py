"""Every lie that the vendor can be made to tell, when it is told, and what it does."""

from dataclasses import dataclass
from math import inf
from typing import Final

ALWAYS: Final = inf

SUBMIT: Final = "To a submit, making nothing; counted by prompt"
REPLY: Final = "In the reply to a submit that made a job"
POLL: Final = "To a poll"
END: Final = "In how a job ends"
FILM: Final = "When the film is fetched"
CANCEL: Final = "To a cancel or a delete"
LIST: Final = "In lists and look-ups"
CALLBACK: Final = "In callbacks"


@dataclass(frozen=True, slots=True)
class Lie:
    """`seconds` and `times` hold where a word gives none; None where the lie takes no such amount."""

    when: str
    meaning: str
    seconds: float | None = None
    times: float | None = None


# Of several lies that could be told at once, the one that stands first is.
LIES: Final = {
    "busy": Lie(SUBMIT, "429 with Retry-After: 1", times=1),
    "busy-bare": Lie(SUBMIT, "429 without Retry-After", times=1),
    "unavailable": Lie(SUBMIT, "503 with an error of the vendor's own", times=1),
    "unauthorized-submit": Lie(SUBMIT, "401", times=1),
    "quota": Lie(SUBMIT, "429 with insufficient_quota", times=1),
    "error-unmade": Lie(SUBMIT, "500", times=1),
    "lost-request": Lie(SUBMIT, "cut the connection without an answer", times=1),
    "no-model": Lie(SUBMIT, "404 with model_not_found", times=ALWAYS),
    "invalid": Lie(SUBMIT, "400 with invalid_value", times=ALWAYS),
    "refuse": Lie(SUBMIT, "400 with moderation_blocked", times=ALWAYS),
    "late": Lie(REPLY, "make the job only after SECONDS, then answer", seconds=5),
    "slow-submit": Lie(REPLY, "make the job, answer after SECONDS", seconds=5),
    "lost-reply": Lie(REPLY, "cut the connection before the first byte"),
    "cut-head": Lie(REPLY, "cut the connection within the head"),
    "cut-body": Lie(REPLY, "cut the connection within the body"),
    "error-after-accept": Lie(REPLY, "500"),
    "gateway-after-accept": Lie(REPLY, "502 with an HTML page"),
    "html-reply": Lie(REPLY, "200 with an HTML page"),
    "half-reply": Lie(REPLY, "200 with the first half of the JSON"),
    "empty-reply": Lie(REPLY, "200 with nothing"),
    "no-id": Lie(REPLY, "200 without an id"),
    "same-id": Lie(REPLY, "the id of the job made before it"),
    "twin-id": Lie(REPLY, "an id numbered by credential, which a job of another credential may have too"),
    "vanish": Lie(POLL, "404 for ever"),
    "missing": Lie(POLL, "404 until the job is SECONDS old", seconds=5),
    "unauthorized": Lie(POLL, "401, and to fetches too, until the job is SECONDS old", seconds=5),
    "lost-poll": Lie(POLL, "cut the connection without an answer", times=1),
    "error-poll": Lie(POLL, "500", times=1),
    "busy-poll": Lie(POLL, "429 with Retry-After: 1", times=1),
    "busy-poll-bare": Lie(POLL, "429 without Retry-After", times=1),
    "unavailable-poll": Lie(POLL, "503", times=1),
    "html-poll": Lie(POLL, "200 with an HTML page", times=1),
    "half-poll": Lie(POLL, "200 with the first half of the JSON", times=1),
    "empty-poll": Lie(POLL, "200 with nothing", times=1),
    "huge-poll": Lie(POLL, "200 with 4 MiB of JSON", times=1),
    "error-in-200": Lie(POLL, "200 with an error object", times=1),
    "wrong-id": Lie(POLL, "200 with another id", times=1),
    "no-status": Lie(POLL, "200 without a status", times=1),
    "odd-word": Lie(POLL, "a status that no documentation knows, until the job ends"),
    "backwards": Lie(POLL, "to the first two polls, in_progress 80 and queued 10"),
    "falling": Lie(POLL, "to the first two polls, in_progress 80 and in_progress 10"),
    "undone": Lie(POLL, "in_progress 50 after completed was said once", times=1),
    "slow-poll": Lie(POLL, "answer after SECONDS", seconds=5, times=ALWAYS),
    "slow": Lie(END, "take SECONDS", seconds=30),
    "never": Lie(END, "stay in_progress 50 for ever"),
    "fail": Lie(END, "failed; with TIMES, only the first jobs of its prompt", times=ALWAYS),
    "filtered": Lie(END, "failed with moderation_blocked; TIMES as fail", times=ALWAYS),
    "fail-extension": Lie(END, "failed where it goes on from a picture or a film; or so its own extensions"),
    "no-video": Lie(END, "completed, with videos: [] and rai_media_filtered_count: 1, and no content"),
    "slow-film": Lie(FILM, "begin after SECONDS", seconds=5, times=1),
    "html": Lie(FILM, "an HTML page", times=1),
    "truncated": Lie(FILM, "the first half, well wrapped", times=1),
    "zero": Lie(FILM, "no bytes", times=1),
    "garbage": Lie(FILM, "the head of a film, then noise", times=1),
    "overstated": Lie(FILM, "a Content-Length of twice the film, which is sent whole", times=1),
    "understated": Lie(FILM, "a Content-Length of half the film, which is sent whole", times=1),
    "cut-film": Lie(FILM, "cut the connection in the middle", times=1),
    "endless": Lie(FILM, "the film, then zeros without end", times=1),
    "drip": Lie(FILM, "the film, spread over SECONDS", seconds=60, times=1),
    "stall": Lie(FILM, "half the film, then silence for SECONDS, then a cut", seconds=60, times=1),
    "missing-film": Lie(FILM, "404", times=1),
    "forbidden-film": Lie(FILM, "403", times=1),
    "error-film": Lie(FILM, "500", times=1),
    "busy-film": Lie(FILM, "429 with Retry-After: 1", times=1),
    "expired-link": Lie(FILM, 'JSON {"url"} whose address answers 403', times=1),
    "private-link": Lie(FILM, 'JSON {"url"} of a private address', times=1),
    "private-redirect": Lie(FILM, "302 to a private address", times=1),
    "link": Lie(FILM, 'JSON {"url"} of an address that needs no key', times=ALWAYS),
    "redirect": Lie(FILM, "302 to an address that needs no key", times=ALWAYS),
    "no-cancel": Lie(CANCEL, "400 with cannot_cancel"),
    "error-cancel": Lie(CANCEL, "500, and cancel nothing", times=1),
    "lost-cancel": Lie(CANCEL, "cancel, and cut the connection without an answer", times=1),
    "slow-cancel": Lie(CANCEL, "200 and in_progress; cancelled after SECONDS", seconds=5),
    "vain-cancel": Lie(CANCEL, "200 and in_progress, and go on as if nothing were"),
    "hidden": Lie(LIST, "leave the job out until it is SECONDS old", seconds=ALWAYS),
    "callback-lost": Lie(CALLBACK, "send none"),
    "callback-repeat": Lie(CALLBACK, "send it TIMES more", times=1),
    "callback-slow": Lie(CALLBACK, "send it SECONDS after the end", seconds=5),
    "callback-early": Lie(CALLBACK, "send one of video.completed when the job begins, too"),
}


def listing() -> str:
    """Explain the grammar and every lie, for help."""
    lines = [
        "A LIE is NAME[:SECONDS][:TIMES], each amount only where the lie's line has it;",
        "`always` is one too, and what holds without it stands in brackets. A prompt tells",
        "lies of its own job as --mirage=LIE or --mirage=LIE,LIE, anywhere in it.",
    ]
    when = ""
    for name, lie in LIES.items():
        if lie.when != when:
            when = lie.when
            lines += ["", f"{when}:"]
        lines.append(f"  {_form(name, lie):27}{lie.meaning}{_usual(lie)}")
    return "\n".join(lines)


def _form(name: str, lie: Lie) -> str:
    return name + ("" if lie.seconds is None else ":SECONDS") + ("" if lie.times is None else ":TIMES")


def _usual(lie: Lie) -> str:
    usual = [amount_text(amount) for amount in (lie.seconds, lie.times) if amount is not None]
    return f" [{':'.join(usual)}]" if usual else ""


def amount_text(amount: float) -> str:
    return "always" if amount == ALWAYS else f"{amount:.15g}"
