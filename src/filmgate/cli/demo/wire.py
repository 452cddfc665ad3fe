"""How the demo speaks HTTP: with the program curl, as the dialects' documents do, or without it with urllib."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from filmgate.cli.output import Json

_LONGEST_S: Final = 60
_BOUNDARY: Final = "filmgate-demo-7f3a91"
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class WireError(Exception):
    """No answer came."""


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    body: bytes


class Wire(Protocol):
    @property
    def name(self) -> str: ...
    def send_json(self, url: str, key: str, body: Mapping[str, Json]) -> Said: ...
    def send_form(
        self, url: str, key: str, fields: Mapping[str, Json], files: Sequence[tuple[str, Path]]
    ) -> Said: ...
    def show(self, url: str, key: str) -> Said: ...
    def fetch(self, url: str, key: str | None, into: Path) -> int:
        """Fetch a file and give the status."""
        ...


def open_wire() -> Wire:
    program = shutil.which("curl")
    return CurlWire(program) if program else PlainWire()


class CurlWire:
    """Each call is one run of curl."""

    def __init__(self, program: str) -> None:
        self._program = program
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False
        ).stdout.split()
        self.name = " ".join(said[:2]) or "curl"

    def send_json(self, url: str, key: str, body: Mapping[str, Json]) -> Said:
        content = json.dumps(body, ensure_ascii=False)
        return self._call(["-X", "POST", url, "-H", "Content-Type: application/json", "-d", content], key)

    def send_form(
        self, url: str, key: str, fields: Mapping[str, Json], files: Sequence[tuple[str, Path]]
    ) -> Said:
        forms = [part for name, value in fields.items() for part in ("--form-string", f"{name}={value}")]
        uploads = [part for name, path in files for part in ("-F", f'{name}=@"{path}"')]
        return self._call([url, *forms, *uploads], key)

    def show(self, url: str, key: str) -> Said:
        return self._call([url], key)

    def fetch(self, url: str, key: str | None, into: Path) -> int:
        return self._call([url, "-o", str(into)], key).status

    def _call(self, arguments: Sequence[str], key: str | None) -> Said:
        # The key goes through stdin: a command line can be read by every user of the machine.
        secret = "" if key is None else f'header = "Authorization: Bearer {key}"\n'
        command = [
            self._program,
            "-q",
            "-sS",
            "--noproxy",
            "*",
            "-m",
            str(_LONGEST_S),
            "-K",
            "-",
            "-w",
            "\n%{http_code}",
        ]
        done = subprocess.run(
            [*command, *arguments],
            input=secret.encode(),
            capture_output=True,
            check=False,
            # Ctrl-C is for the demo, which lets every call end.
            process_group=0 if os.name == "posix" else None,
        )
        if done.returncode:
            raise WireError(done.stderr.decode(errors="replace").strip())
        body, _, status = done.stdout.rpartition(b"\n")
        return Said(int(status), body)


class PlainWire:
    """The same without curl."""

    name: Final = "urllib"

    def send_json(self, url: str, key: str, body: Mapping[str, Json]) -> Said:
        return self._call(url, key, json.dumps(body).encode(), "application/json")

    def send_form(
        self, url: str, key: str, fields: Mapping[str, Json], files: Sequence[tuple[str, Path]]
    ) -> Said:
        parts = [(f'name="{name}"', "", str(value).encode()) for name, value in fields.items()]
        parts += [
            (f'name="{name}"; filename="{path.name}"', "Content-Type: image/png\r\n", path.read_bytes())
            for name, path in files
        ]
        body = b"".join(
            f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n{kind}\r\n".encode()
            + content
            + b"\r\n"
            for head, kind, content in parts
        )
        return self._call(
            url, key, body + f"--{_BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={_BOUNDARY}"
        )

    def show(self, url: str, key: str) -> Said:
        return self._call(url, key, None, "")

    def fetch(self, url: str, key: str | None, into: Path) -> int:
        said = self._call(url, key, None, "")
        into.write_bytes(said.body)
        return said.status

    def _call(self, url: str, key: str | None, body: bytes | None, kind: str) -> Said:
        request = urllib.request.Request(url, body)  # noqa: S310  # the demo's own gate on this machine
        if key is not None:
            request.add_header("Authorization", f"Bearer {key}")
        if kind:
            request.add_header("Content-Type", kind)
        try:
            with _OPENER.open(request, timeout=_LONGEST_S) as answer:
                return Said(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return Said(error.code, error.read())
        except OSError as error:
            raise WireError(str(error)) from error
