"""Several gates and workers as real processes, over one PostgreSQL and one place for objects."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from kit.databases import own_database, sql
from kit.gates import RealGate, RealWorker


class Site:
    """One database and one folder of objects for gates and workers of one test."""

    def __init__(self, folder: Path, dsn: str) -> None:
        self.folder = folder
        self.opened: list[RealGate] = []
        self.environment = {
            "FILMGATE_DATABASE_URL": dsn,
            "FILMGATE_OBJECTS_URL": str(folder / "objects"),
            "FILMGATE_SECRET": "a secret that all of them share, long enough",
            "VENDOR_KEY_1": "one",
            "VENDOR_KEY_2": "two",
        }

    def gate(self, name: str = "gate", *arguments: str, wait: bool = True, **more: str) -> RealGate:
        environment = {**self.environment, **more}
        gate = RealGate(self._data(name), arguments=arguments, environment=environment)
        return self._open(gate, wait=wait)

    def worker(self, name: str, **more: str) -> RealWorker:
        worker = RealWorker(self._data(name), environment={**self.environment, **more})
        self._open(worker)
        return worker

    def _data(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        settings = self.folder / "filmgate.toml"
        if settings.exists():
            (folder / "filmgate.toml").write_text(settings.read_text())
        return folder / "data"

    def _open(self, gate: RealGate, *, wait: bool = True) -> RealGate:
        self.opened.append(gate)
        gate.start(wait=wait)
        return gate

    def sql(self, statement: str) -> list[dict[str, Any]]:
        return sql(self.environment["FILMGATE_DATABASE_URL"], statement)

    def say(self, settings: str) -> None:
        """Write the settings of all that are opened from now on."""
        (self.folder / "filmgate.toml").write_text(settings)


@contextmanager
def open_site(folder: Path, postgres: dict[str, Any]) -> Iterator[Site]:
    """Make a site with a database of its own; kill what is left of it at the end."""
    with own_database(postgres) as dsn:
        site = Site(folder, dsn)
        try:
            yield site
        finally:
            for gate in site.opened:
                if gate.process is not None and gate.process.poll() is None:
                    for process in gate.family():
                        with contextlib.suppress(psutil.NoSuchProcess):
                            process.resume()
                    gate.kill()
