"""The gate's one secret, and the keys that are derived from it, each for one use."""

import base64
import hashlib
import hmac
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from filmgate.domain.clock import Chance

SECRET_FILE: Final = "secret"  # noqa: S105  # a file name
_SECRET_BYTES: Final = 32
OPERATOR_PREFIX: Final = "op-"
_EXPIRY_DIGITS: Final = 12
OPERATOR_LIFE: Final = timedelta(minutes=10)


def read_secret(data: Path) -> bytes | None:
    """Read the data folder's secret; None where there is none yet."""
    path = data / SECRET_FILE
    return path.read_bytes().strip() if path.exists() else None


def make_secret(data: Path, chance: Chance) -> bytes:
    """Read the data folder's secret, or make it in a file that only its owner can read."""
    known = read_secret(data)
    if known:
        return known
    made = base64.urlsafe_b64encode(chance.bytes(_SECRET_BYTES))
    write_private(data / SECRET_FILE, made + b"\n")
    return made


def write_private(path: Path, content: bytes) -> None:
    """Write a 0600 file whole: a reader sees the old content or the new, never a part."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def derive(secret: bytes, use: str) -> bytes:
    """Give the key of one use; from it nothing can be learnt about another use's."""
    return hmac.digest(secret, f"filmgate-1:{use}".encode(), hashlib.sha256)


def operator_token(secret: bytes, now: datetime) -> str:
    """Mint the short-lived operator's token of whoever can read the secret: the operator of this machine."""
    expiry = int((now + OPERATOR_LIFE).timestamp())
    return f"{OPERATOR_PREFIX}{expiry}-{_operator_signature(secret, expiry)}"


def is_operator_token(secret: bytes, token: str, now: datetime) -> bool:
    expiry, dash, signature = token.removeprefix(OPERATOR_PREFIX).partition("-")
    if not (
        token.startswith(OPERATOR_PREFIX)
        and dash
        and len(expiry) <= _EXPIRY_DIGITS
        and expiry.isascii()
        and expiry.isdigit()
    ):
        return False
    genuine = hmac.compare_digest(signature.encode(), _operator_signature(secret, int(expiry)).encode())
    return genuine and now.timestamp() < int(expiry)


def _operator_signature(secret: bytes, expiry: int) -> str:
    return hmac.digest(derive(secret, "operator"), str(expiry).encode(), hashlib.sha256).hex()
