"""Sealed values: secrets of customers as the database holds them, readable only with a key that it does not hold."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from filmgate.domain.clock import Chance

_NONCE_BYTES: Final = 12
_NAME_BYTES: Final = 4


class BrokenSealError(Exception):
    """The value was sealed under a key that is not live, or for another place, or was changed."""


class Seal:
    """AES-256-GCM under 32-byte keys; several may be live while a secret is rotated, and the first of them seals.

    A sealed value is the name of its key, a nonce and the ciphertext. `place` is the row and column that it is for:
    anywhere else it does not open.
    """

    def __init__(self, keys: Sequence[bytes], chance: Chance) -> None:
        self._keys = {_name(key): AESGCM(key) for key in keys}
        self._sealing = _name(keys[0])
        self._chance = chance

    def close(self, text: str, place: str) -> bytes:
        nonce = self._chance.bytes(_NONCE_BYTES)
        return self._sealing + nonce + self._keys[self._sealing].encrypt(nonce, text.encode(), place.encode())

    def open(self, sealed: bytes, place: str) -> str:
        """Give what was sealed for that place, or raise BrokenSealError."""
        name, rest = sealed[:_NAME_BYTES], sealed[_NAME_BYTES:]
        key = self._keys.get(name)
        if key is None:
            raise BrokenSealError("sealed under a key that this gate does not have")
        try:
            return key.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, ValueError):
            raise BrokenSealError("what was sealed was changed, or stands in another place") from None


def _name(key: bytes) -> bytes:
    return hmac.digest(key, b"filmgate-seal-name", hashlib.sha256)[:_NAME_BYTES]
