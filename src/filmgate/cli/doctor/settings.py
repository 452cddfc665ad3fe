"""Each setting with its value and where that comes from; a secret is only ever `set`."""

import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import SecretStr

from filmgate.cli.address import Place, find_address
from filmgate.cli.doctor.check import Check, fail, ok, warn
from filmgate.cli.errors import trouble
from filmgate.cli.grid import Cell, Column, Grid
from filmgate.cli.text import Text
from filmgate.settings import CONFIG_NAME, BadSettingsError, Settings

if TYPE_CHECKING:
    from pydantic import BaseModel

COLUMNS: Final = (
    Column(Text("setting", "配置项"), style="bold"),
    Column(Text("value", "值"), wraps=True),
    Column(Text("source", "来源"), style="dim"),
)
_SET: Final = "set"
_UNSET: Final = "–"


def load(data: Path | None) -> Settings:
    """Read the gate's settings; raise CliError where they cannot be used."""
    try:
        return Settings.load({"data": data})
    except BadSettingsError as error:
        raise trouble("bad_settings", reason=str(error)) from None


def config_file() -> Path:
    return Path(os.environ.get("FILMGATE_CONFIG", CONFIG_NAME))


def settings_check(data: Path | None) -> Check:
    path = config_file()
    try:
        settings = Settings.load({"data": data})
    except BadSettingsError as error:
        return fail(
            "settings", Text(str(error), str(error)), Text(f"Correct it in {path}.", f"请在 {path} 中更正。")
        )
    if not path.exists():
        if "FILMGATE_CONFIG" in os.environ:
            said = Text(
                f"FILMGATE_CONFIG names {path}, which is not there", f"FILMGATE_CONFIG 指向的 {path} 不存在"
            )
            return warn(
                "settings",
                said,
                Text("Correct FILMGATE_CONFIG, or unset it.", "请更正或取消 FILMGATE_CONFIG。"),
            )
        return ok("settings", "defaults and FILMGATE_*")
    return ok("settings", f"{path}, {len(settings.providers)} providers, {len(settings.routes)} routes")


def rows(place: Place) -> Sequence[tuple[str, str, str]]:
    """Give name, value and source of every setting, those of the client verbs too."""
    settings = load(place.data)
    path = config_file()
    written = tomllib.loads(path.read_text()) if path.exists() else {}
    own = [
        (name, _shown(getattr(settings, name)), _source(name, place, written, path))
        for name in Settings.model_fields
    ]
    return [*own, *_client_rows(place)]


def grid(found: Sequence[tuple[str, str, str]]) -> Grid:
    return Grid(COLUMNS, [[Cell(name), value, source] for name, value, source in found])


def _source(name: str, place: Place, written: Mapping[str, object], path: Path) -> str:
    if name == "data" and place.data is not None:
        return "--data"
    variable = f"FILMGATE_{name}".upper()
    if variable in os.environ:
        return variable
    return str(path) if name in written else "default"


def _shown(value: object) -> str:
    match value:
        case None:
            return _UNSET
        case SecretStr():
            return _SET
        case frozenset():
            return ", ".join(sorted(map(str, value))) or _UNSET
        case tuple():
            return "; ".join(_table(part) for part in value) or _UNSET
        case _:
            return str(value)


def _table(part: "BaseModel") -> str:
    said = part.model_dump(exclude_defaults=True, exclude={"options", "path", "accounts"})
    if "via" in said:
        return f"{said['model']} via {', '.join(via['provider'] for via in said['via'])}"
    return " ".join(
        str(value)
        for value in (said["name"], said.get("kind"), said.get("base_url"), said.get("url"), *_named(said))
        if value
    )


def _named(said: Mapping[str, object]) -> Iterator[object]:
    # Only where a secret is to be found, never the secret.
    named = said.get("credentials", ())
    yield from named.values() if isinstance(named, Mapping) else named if isinstance(named, tuple) else ()


def _client_rows(place: Place) -> Iterator[tuple[str, str, str]]:
    address = find_address(place, os.environ)
    source = (
        "--base-url" if place.base_url else "FILMGATE_BASE_URL" if os.environ.get("FILMGATE_BASE_URL") else ""
    )
    known = str(address.data / "client.json") if address.own_machine else "default"
    yield "base_url", address.base_url, source or known
    yield "api_key", _SET if address.key else _UNSET, address.key_source or "default"
