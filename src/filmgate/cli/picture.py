"""Pictures that a film is asked to show: addresses, and files of this machine."""

import base64
from pathlib import Path
from typing import Final, TypeAlias

from filmgate.cli.address import reason_of
from filmgate.cli.errors import trouble
from filmgate.cli.measures import file_size

Source: TypeAlias = str | Path
"""An address or a data URI, or the path of a file."""

PICTURE_BYTES: Final = 20 * 1024 * 1024
_REMOTE: Final = ("http://", "https://", "data:")
_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"WEBP", 8, "image/webp"),
)
_SIGNATURE_BYTES: Final = 16


def source_of(given: str) -> Source:
    return given if given.lower().startswith(_REMOTE) else Path(given).expanduser()


def data_uri(path: Path) -> str:
    """Read a picture whole; raise CliError where it is none, or too large."""
    kind = picture_type(path)
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def picture_type(path: Path) -> str:
    """Read a picture's media type from its first bytes; raise CliError where it is none, or too large."""
    try:
        with path.open("rb") as file:
            first = file.read(_SIGNATURE_BYTES)
        size = path.stat().st_size
    except OSError as error:
        raise trouble("unreadable_file", path=str(path), reason=reason_of(error)) from None
    if size > PICTURE_BYTES:
        limit = f"{PICTURE_BYTES // 2**20} MiB"
        raise trouble("picture_too_large", path=str(path), size=file_size(size), limit=limit)
    found = next((kind for mark, at, kind in _SIGNATURES if first[at:].startswith(mark)), None)
    if found is None:
        raise trouble("not_a_picture", path=str(path))
    return found
