"""Which gate a verb talks to, and with which key: flags over FILMGATE_* over `client.json` in the data folder.

A key never leaves for a gate that it was not meant for: the one in `client.json` belongs to its own base URL.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from cyclopts import Group, Parameter

from filmgate.cli.errors import trouble

CLIENT_FILE: Final = "client.json"
DEFAULT_BASE_URL: Final = "http://127.0.0.1:8080"
GATE_GROUP: Final = Group("Gate", sort_key=80)
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Place:
    """Where the gate is; keys come from FILMGATE_API_KEY or the data folder, never from a flag."""

    base_url: Annotated[
        str | None,
        Parameter(
            group=GATE_GROUP, help="Its address; else FILMGATE_BASE_URL, else that of the data folder."
        ),
    ] = None
    data: Annotated[
        Path | None,
        Parameter(group=GATE_GROUP, help="Its data folder on this machine; else FILMGATE_DATA."),
    ] = None


HERE: Final = Place()


@dataclass(frozen=True, slots=True)
class Address:
    """A gate and the key for it; `own_machine` tells that the data folder is this gate's."""

    base_url: str
    key: str | None = field(repr=False)
    key_source: str
    data: Path
    own_machine: bool

    @property
    def loopback(self) -> bool:
        return urlsplit(self.base_url).hostname in _LOOPBACK


def find_address(place: Place, env: Mapping[str, str]) -> Address:
    """Find the gate; raise CliError where what was given cannot be meant."""
    data = data_folder(place.data, env)
    client = _client_file(data / CLIENT_FILE)
    theirs = client.get("base_url", "").rstrip("/")
    base_url = (place.base_url or setting(env, "FILMGATE_BASE_URL") or theirs or DEFAULT_BASE_URL).rstrip("/")
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise trouble("bad_address", given=base_url)
    key, source = setting(env, "FILMGATE_API_KEY"), "FILMGATE_API_KEY"
    own = bool(theirs) and theirs == base_url
    if not key and own:
        key, source = client.get("api_key"), str(data / CLIENT_FILE)
    return Address(base_url, key or None, source if key else "", data, own)


def data_folder(flag: Path | None, env: Mapping[str, str]) -> Path:
    if flag is not None or env.get("FILMGATE_DATA"):
        return (flag or Path(env["FILMGATE_DATA"])).expanduser().absolute()
    from platformdirs import user_data_path  # noqa: PLC0415  # most calls never need it

    return user_data_path("filmgate")


def setting(env: Mapping[str, str], name: str) -> str | None:
    """Read a variable, or the file that `NAME_FILE` names; raise CliError where the file cannot be read."""
    if env.get(name):
        return env[name].strip()
    named = env.get(f"{name}_FILE")
    if not named:
        return None
    try:
        return Path(named).expanduser().read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise trouble("unreadable_file", path=named, reason=reason_of(error)) from None


def reason_of(error: Exception) -> str:
    """Say an error of the machine in its own words, without the path that the sentence names anyway."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _client_file(path: Path) -> Mapping[str, str]:
    try:
        written = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise trouble("unreadable_file", path=str(path), reason=reason_of(error)) from None
    return {name: value for name, value in written.items() if isinstance(value, str)}
