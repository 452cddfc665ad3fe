"""All that a run needs: a database, vendors, a receiver, gates and workers, each in processes of its own."""

import json
import os
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from chaos.programs import Program
from chaos.shelf import Shelf
from filmgate.failing import SPRUNG
from filmgate.store.embedded.keeper import PostgresKeeper
from filmgate.store.embedded.programs import find_programs
from filmgate.store.lock import FolderLock
from kit.gates import free_port
from kit.vendors import RunningVendor, provider_table, route_table, start_vendor

HERE: Final = Path(__file__).parent
TESTS: Final = HERE.parent
SOURCE: Final = TESTS.parent / "src"
ADMIN: Final = "sk-chaos-admin"
KINDS: Final = ("replayed", "asked", "blind")
OPTIONS: Final = {
    "replayed": "{ idempotent = true, cancel = true }",
    "asked": "{ find = true, visible_after_s = 1, cancel = true }",
    "blind": "{}",
}
_VENDORS: Final = {
    "replayed": ("--idempotent",),
    "asked": ("--lookup", "--visible-after", "0.5"),
    "blind": (),
}
_CATALOGUE: Final = """
[offers.{name}]
seconds = {{ one_of = [4, 8], default = 4 }}
sizes = ["1280x720"]
pictures = {{ rule = "first", most = 1 }}
extension = {{ seconds = 7 }}
upsample_side = 1080
deadline_minutes = {deadline}
[[models]]
name = "{name}"
owner = "chaos"
about = "chaos"
offers = {{ gate = "{name}", unified = "{name}" }}
[[prices]]
models = "{name}"
since = 2020-01-01
per_second = {{ 720p = 0.1, 1080p = 0.2 }}
"""
READY_WITHIN_S: Final = 90.0


@dataclass(slots=True)
class Site:
    """`armed` is the folder that says what strikes where; `source` the tree that gates run from."""

    folder: Path
    source: Path
    database: dict[str, Any]
    keeper: PostgresKeeper
    vendors: dict[str, RunningVendor] = field(default_factory=dict)
    servers: list[Program] = field(default_factory=list)
    workers: list[Program] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    receiver: Program | None = None
    receiver_port: int = 0
    shelf: Shelf | None = None
    wished: str = ""
    """What customers ask for just now, nothing for whatever they like."""

    @property
    def armed(self) -> Path:
        return self.folder / "armed"

    @property
    def dsn(self) -> str:
        known = self.database
        return f"postgresql://{known['user']}@/{known['database']}?host={known['host']}&port={known['port']}"

    @property
    def programs(self) -> Sequence[Program]:
        return [*self.servers, *self.workers]

    @property
    def objects(self) -> Path:
        return self.folder / "objects" if self.shelf is None else self.shelf.films

    @property
    def engine_settings(self) -> Path:
        """What workers read, which an operator may change without the servers."""
        return self.folder / "worker.toml"

    @property
    def received(self) -> Path:
        return self.folder / "received.jsonl"

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str = ADMIN,
        server: int = 0,
        once: str | None = None,
    ) -> Any:
        """Ask a gate, as an operator does or with a key; `once` is an Idempotency-Key."""
        more = {} if once is None else {"Idempotency-Key": once}
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[server]}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json", **more},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read() or b"null")

    def wait_ready(self) -> None:
        give_up = time.monotonic() + READY_WITHIN_S
        for no, server in enumerate(self.servers):
            while not self._ready(no):
                assert time.monotonic() < give_up, server.tail()
                time.sleep(0.05)

    def _ready(self, no: int) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.ports[no]}/readyz", timeout=5).close()
        except OSError:
            return False
        return True

    def close(self) -> None:
        for program in self.programs:
            program.wake()
            program.kill()
        if self.receiver is not None:
            self.receiver.kill()
        for vendor in self.vendors.values():
            vendor.stop()
        if self.shelf is not None:
            self.shelf.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a site is made of; `takes_s` is how long a vendor makes a film, `lost` how many replies it loses."""

    servers: int = 1
    workers: int = 2
    takes_s: float = 0.6
    lost: float = 0.05
    seed: int = 0
    kinds: Sequence[str] = KINDS
    hurried: bool = True
    deadline_minutes: float = 1.5
    armed: bool = True
    bucket: bool = True
    """Whether films lie in a bucket, and go into customers' own; else in a folder."""


@contextmanager
def opened(folder: Path, plan: Plan, source: Path = SOURCE) -> Iterator[Site]:
    """Start everything; end it whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    with FolderLock.acquire(folder / "database", started=datetime.now(UTC)) as lock:
        keeper = PostgresKeeper(lock, find_programs(None, os.environ["PATH"]), tell=lambda _: None)
        address = keeper.start()
        site = Site(folder, source, dict(address.connect_arguments), keeper)
        try:
            _start(site, plan)
            yield site
        finally:
            site.close()
            keeper.stop()


def _start(site: Site, plan: Plan) -> None:
    (site.armed / SPRUNG).mkdir(parents=True)
    if plan.bucket:
        site.shelf = Shelf(site.folder / "shelf")
    for kind in plan.kinds:
        site.vendors[kind] = start_vendor(
            site.folder / kind, "--takes", str(plan.takes_s), "--lose-replies", str(plan.lost),
            "--seed", str(plan.seed), "--poll-after", "0.25", *_VENDORS[kind],
        )  # fmt: skip
    site.receiver_port = free_port()
    arguments = ("-m", "chaos.receiver", str(site.receiver_port), str(site.received), str(plan.seed))
    site.received.touch()
    paths = f"{SOURCE}:{TESTS}"
    site.receiver = Program(
        "receiver", arguments, {"PYTHONPATH": paths}, site.folder / "receiver.log"
    )  # fmt: skip
    site.receiver.start()
    _write_settings(site, plan)
    environment = _environment(site, plan)
    for no in range(plan.servers):
        site.ports.append(free_port())
        more = ("serve", "--no-worker", "--port", str(site.ports[no]))
        site.servers.append(_program(site, f"server{no}", more, environment, site.folder / "filmgate.toml"))
    for no in range(plan.workers):
        site.workers.append(_program(site, f"worker{no}", ("worker",), environment, site.engine_settings))
    for program in site.programs:
        program.start()
    site.wait_ready()


def _program(
    site: Site, name: str, more: Sequence[str], environment: dict[str, str], settings: Path
) -> Program:
    data = site.folder / name
    data.mkdir()
    arguments = ("-m", "filmgate", *more, "--data", str(data / "data"), "--config", str(settings))
    return Program(name, arguments, environment, site.folder / f"{name}.log")


def _environment(site: Site, plan: Plan) -> dict[str, str]:
    paths = [str(HERE / "hurry")] if plan.hurried else []
    environment = {
        **({} if site.shelf is None else site.shelf.environment),
        "PYTHONPATH": ":".join([*paths, str(site.source)]),
        "FILMGATE_DATABASE_URL": site.dsn,
        "FILMGATE_SECRET": "a secret that all of them share, long enough",
        "FILMGATE_ADMIN_KEY": ADMIN,
        "FILMGATE_CATALOGUE": str(site.folder / "catalogue.toml"),
        "FILMGATE_GUARD_ALLOW": f"127.0.0.1:{site.receiver_port}",
        "VENDOR_KEY": "sk-vendor-secret",
    }
    if site.shelf is None:
        environment["FILMGATE_OBJECTS_URL"] = str(site.objects)
    if plan.armed:
        environment["FILMGATE_FAILPOINTS"] = str(site.armed)
    return environment


def _write_settings(site: Site, plan: Plan) -> None:
    rows = [_CATALOGUE.format(name=kind, deadline=plan.deadline_minutes) for kind in plan.kinds]
    (site.folder / "catalogue.toml").write_text("".join(rows))
    providers = [
        provider_table(kind, site.vendors[kind], OPTIONS[kind], "{ in_flight = 200 }") for kind in plan.kinds
    ]
    destination = "" if site.shelf is None else site.shelf.destination
    # Routes come last, so that they can be cut off.
    said = "".join([*providers, destination, *(route_table(kind, kind) for kind in plan.kinds)])
    (site.folder / "filmgate.toml").write_text(said)
    site.engine_settings.write_text(said)
