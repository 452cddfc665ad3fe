"""A wish as a curl line, which works when it is pasted and never holds a key."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from filmgate.cli.picture import picture_type
from filmgate.cli.saying import Dialect, say
from filmgate.cli.wish import Said, Wish

_KEY: Final = '-H "Authorization: Bearer $FILMGATE_API_KEY"'
_JSON: Final = "-H 'Content-Type: application/json'"


def curl_line(wish: Wish, base_url: str, dialect: Dialect | None) -> str:
    """Give the equivalent curl line; raise CliError for what the dialect cannot say, and for bad pictures."""
    request = say(wish, dialect)
    head = f"curl -sS {shlex.quote(base_url + request.path)}"
    if request.form:
        return _lines(head, [_KEY, *_parts(request.fields)])
    if not any(True for value in request.fields.values() for _ in _files(value)):
        content = json.dumps(request.fields, ensure_ascii=False)
        return _lines(head, [_KEY, _JSON, f"-d {shlex.quote(content)}"])
    return _lines(head, [_KEY, _JSON, f"--data-binary @- <<JSON\n{_document(request.fields)}\nJSON"])


def _parts(fields: Mapping[str, Said]) -> Iterator[str]:
    for name, value in fields.items():
        for one in value if isinstance(value, Sequence) and not isinstance(value, str) else [value]:
            yield _file_part(name, one) if isinstance(one, Path) else _text_part(name, one)


def _text_part(name: str, value: Said) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return f"--form-string {shlex.quote(f'{name}={text}')}"


def _file_part(name: str, path: Path) -> str:
    picture_type(path)
    # Curl itself reads `;` and `,` in a bare path as the end of it.
    named = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return "-F " + shlex.quote(f'{name}=@"{named}"')


def _files(value: Said) -> Iterator[Path]:
    match value:
        case Path():
            yield value
        case str() | bool() | int():
            return
        case Mapping():
            yield from (path for part in value.values() for path in _files(part))
        case _:
            yield from (path for part in value for path in _files(part))


def _document(value: Said) -> str:
    """Write JSON for a shell's here-document, where the shell itself puts the pictures in."""
    match value:
        case Path():
            encoded = f"$(base64 < {shlex.quote(str(value))} | tr -d '\\n')"
            return f'"data:{picture_type(value)};base64,{encoded}"'
        case str() | bool() | int():
            return _literal(json.dumps(value, ensure_ascii=False))
        case Mapping():
            pairs = (f"{_literal(json.dumps(name))}: {_document(part)}" for name, part in value.items())
            return f"{{{', '.join(pairs)}}}"
        case _:
            return f"[{', '.join(map(_document, value))}]"


def _literal(text: str) -> str:
    for special in ("\\", "$", "`"):
        text = text.replace(special, f"\\{special}")
    return text


def _lines(head: str, parts: Sequence[str]) -> str:
    return " \\\n  ".join([head, *parts])
