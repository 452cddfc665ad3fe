"""The gate over plain HTTP: one connection per call, from the standard library, so that a verb starts at once."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode, urlsplit

from filmgate import __version__
from filmgate.cli.address import Address, reason_of
from filmgate.cli.errors import WORDINGS, CliError, Exit, trouble
from filmgate.cli.output import Json
from filmgate.cli.text import Text

CALL_S: Final = 30.0
_CONNECT_S: Final = 10.0
_AWAY: Final = frozenset({502, 503, 504})
_EXITS: Final = {401: Exit.DENIED, 403: Exit.DENIED, 402: Exit.MONEY, 404: Exit.NOT_FOUND, 410: Exit.NOT_FOUND,
                 429: Exit.BUSY, 500: Exit.BUG}  # fmt: skip
_REDIRECTS: Final = range(300, 400)
_FAULTS: Final = 400


class UnreachableError(CliError):
    """Nothing answered; `sent` tells that the request may have arrived all the same."""

    def __init__(self, address: Address, error: Exception, *, sent: bool) -> None:
        code = "gate_unreachable" if address.loopback else "remote_unreachable"
        reason = reason_of(error)
        plain = trouble(code, base_url=address.base_url, reason=reason)
        super().__init__(
            code, WORDINGS[code].exit_code, plain.text, {"base_url": address.base_url, "reason": reason}
        )
        self.sent = sent


class AwayError(CliError):
    """The gate, or what stands before it, says that it is away for a moment."""

    def __init__(self, error: CliError, retry_after_s: float | None) -> None:
        super().__init__(error.code, error.exit_code, error.text, error.details)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def query_of(asked: Mapping[str, str | int | None]) -> str:
    """Write the query that asks for this; what is None is not asked for."""
    return urlencode({name: value for name, value in asked.items() if value is not None})


class Gate:
    """A gate at an address, asked in a language."""

    def __init__(
        self,
        address: Address,
        language: str,
        trace: Callable[[str], None],
        *,
        refused: Callable[[str], None] | None = None,
        mint: Callable[[], str] | None = None,
    ) -> None:
        """`refused` is told the code of what the gate refuses, before that is raised.

        `mint` gives the key anew for each request, where one does not live for long.
        """
        self.address = address
        self._language = language
        self._trace = trace
        self._refused = refused
        self._mint = mint

    def ask(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = CALL_S,
    ) -> object:
        """Ask, and give the JSON that came; raise CliError for everything that is no success."""
        given = dict(headers or {})
        content = None
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            given["content-type"] = "application/json"
        with self.open(method, path, content, headers=given, timeout_s=timeout_s) as answer:
            self.demand(answer)
            reply = self.reply(answer)
        try:
            return json.loads(reply.body) if reply.body else None
        except ValueError:
            raise self.no_gate(reply) from None

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = CALL_S,
    ) -> Reply:
        with self.open(method, path, body, headers=headers, timeout_s=timeout_s) as answer:
            return self.reply(answer)

    @contextmanager
    def open(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = CALL_S,
    ) -> Iterator[http.client.HTTPResponse]:
        """Open an answer without reading its body; raise UnreachableError where none came."""
        connection, prefix = self._connection()
        sent = False
        try:
            try:
                connection.connect()
                connection.sock.settimeout(timeout_s)
                sent = True
                with suppress(BrokenPipeError, ConnectionResetError):
                    # Whoever refuses a large body may stop reading it, and has answered all the same.
                    connection.request(method, prefix + path, body, self._said(headers))
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                self._trace(f"{method} {path}: {reason_of(error)}")
                raise UnreachableError(self.address, error, sent=sent) from error
            self._trace(f"{method} {path}: {answer.status} {answer.headers.get('x-request-id', '')}".rstrip())
            yield answer
        finally:
            connection.close()

    def demand(self, answer: http.client.HTTPResponse) -> None:
        """Return where an opened answer is a success; else read it, and raise CliError by what it says."""
        if answer.status >= _FAULTS or answer.status in _REDIRECTS:
            raise self.refusal(self.reply(answer))

    def reply(self, answer: http.client.HTTPResponse) -> Reply:
        """Read an opened answer to its end; raise UnreachableError where it breaks off."""
        try:
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(self.address, error, sent=True) from error
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)

    def refusal(self, reply: Reply) -> CliError:
        """Read what the gate refused, and why, from its answer."""
        try:
            error = json.loads(reply.body)["error"]
            code, message = str(error["code"]), str(error["message"])
            details = {**(error.get("details") or {})}
        except (ValueError, KeyError, TypeError, AttributeError):
            refused = self.no_gate(reply)
        else:
            if code == "missing_key":
                return trouble("no_key", base_url=self.address.base_url)
            exit_code = int(details.pop("exit_code", 0) or _EXITS.get(reply.status, Exit.USAGE))
            refused = CliError(code, exit_code, Text(message, message), {"field": None, **details})
            if self._refused is not None:
                self._refused(code)
        if reply.status not in _AWAY:
            return refused
        wait = reply.headers.get("retry-after", "")
        return AwayError(refused, float(wait) if wait.isdigit() else None)

    def no_gate(self, reply: Reply) -> CliError:
        """Say that what answered is none of ours."""
        return trouble("not_a_gate", base_url=self.address.base_url, status=reply.status)

    def _connection(self) -> tuple[http.client.HTTPConnection, str]:
        parts = urlsplit(self.address.base_url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        try:
            return kind(parts.hostname or "", parts.port, timeout=_CONNECT_S), parts.path
        except ValueError:
            raise trouble("bad_address", given=self.address.base_url) from None

    def _said(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        said = {
            "accept": "application/json",
            "accept-language": self._language,
            "user-agent": f"filmgate/{__version__}",
        }
        key = self.address.key if self._mint is None else self._mint()
        if key:
            said["authorization"] = f"Bearer {key}"
        return said | dict(headers or {})
