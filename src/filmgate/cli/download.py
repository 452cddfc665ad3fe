"""Films onto this machine: resumed by Range, checked by length and hash, and only then given their name."""

import hashlib
import http.client
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from filmgate.cli.address import reason_of
from filmgate.cli.errors import trouble
from filmgate.cli.naming import put_in_place
from filmgate.cli.session import Session
from filmgate.cli.shapes import TaskShape
from filmgate.cli.text import Text

OnBytes = Callable[[int, int], None]

_CHUNK: Final = 256 * 1024
_READ_S: Final = 30.0
_TRIES: Final = 6
_PARTIAL: Final = 206
_PAST_END: Final = 416
_SHA256: Final = re.compile(r'"([0-9a-f]{64})"')
_KEPT: Final = Text(
    "What came is kept; go on with `filmgate tasks download {id}{again}`",
    "已下载部分保留，可继续：`filmgate tasks download {id}{again}`",
)


def fetch_film(session: Session, task: TaskShape, target: Path, on_bytes: OnBytes) -> Path:
    """Fetch the film and give its final path; raise CliError, with what came kept where it can be resumed."""
    part = target.with_name(f".{task['id']}.mp4.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _Transfer(session, task, part, on_bytes).run()
        return put_in_place(part, target)
    except OSError as error:
        raise trouble("unwritable", path=str(target), reason=reason_of(error)) from error


class _ShortError(Exception):
    """The answer ended before its length."""


class _Transfer:
    """One film on its way into one part file."""

    def __init__(self, session: Session, task: TaskShape, part: Path, on_bytes: OnBytes) -> None:
        self._session = session
        self._task = task
        self._part = part
        self._on_bytes = on_bytes
        self._after = _KEPT.filled(id=task["id"], again=session.again)

    def run(self) -> None:
        damaged = ""
        for _ in range(2):
            digest = self._whole()
            damaged = self._fault(digest)
            if not damaged:
                return
            self._part.unlink(missing_ok=True)
        raise trouble("film_damaged", reason=damaged)

    def _fault(self, expected: str | None) -> str:
        size = self._part.stat().st_size
        film = self._task["film"]
        if film is not None and size != film["size_bytes"]:
            return f"{size} bytes, not {film['size_bytes']}"
        if expected is None:
            return ""
        with self._part.open("rb") as file:
            return "" if hashlib.file_digest(file, "sha256").hexdigest() == expected else "SHA-256"

    def _whole(self) -> str | None:
        """Fetch until the last byte is there; give the hash that the gate promised."""
        tries = 0
        while True:
            before = self._have()
            try:
                return self._session.persist(self._once, after=self._after)
            except _ShortError as error:
                # Progress earns patience: only a transfer that stands still is given up.
                tries = 1 if self._have() > before else tries + 1
                if tries >= _TRIES:
                    raise trouble(
                        "film_lost_on_the_way",
                        reason=str(error),
                        id=self._task["id"],
                        again=self._session.again,
                    ) from error
                self._session.sleep(min(0.25 * 2**tries, 2.0))

    def _have(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _once(self) -> str | None:
        have = self._have()
        headers = {"accept": "*/*"} | ({"range": f"bytes={have}-"} if have else {})
        gate = self._session.gate
        path = f"{self._session.api}/tasks/{quote(self._task['id'], safe='')}/files/video.mp4"
        with gate.open("GET", path, headers=headers, timeout_s=_READ_S) as answer:
            found = _SHA256.fullmatch(answer.headers.get("etag", ""))
            promised = found[1] if found else None
            if answer.status == _PAST_END:
                return self._past_end(answer, have, promised)
            gate.demand(answer)
            self._keep(answer, have if answer.status == _PARTIAL else 0)
            return promised

    def _past_end(self, answer: http.client.HTTPResponse, have: int, promised: str | None) -> str | None:
        total = answer.headers.get("content-range", "").rpartition("/")[2]
        if total != str(have):
            self._part.unlink(missing_ok=True)
            raise _ShortError(f"what was kept does not belong to it ({have} of {total} bytes)")
        return promised

    def _keep(self, answer: http.client.HTTPResponse, start: int) -> None:
        length = answer.headers.get("content-length")
        total = None if length is None else start + int(length)
        have = start
        with self._part.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            while chunk := _chunk(answer):
                file.write(chunk)
                have += len(chunk)
                self._on_bytes(have, total or have)
        if total is not None and have < total:
            raise _ShortError(f"{have} of {total} bytes came")


def _chunk(answer: http.client.HTTPResponse) -> bytes:
    """Read on; a connection that breaks is an answer that ends early."""
    try:
        return answer.read(_CHUNK)
    except http.client.IncompleteRead as error:
        return error.partial
    except (OSError, http.client.HTTPException):
        return b""
