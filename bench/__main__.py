"""`make bench`: figures as ratios of one run, on this machine, beside what we want to reach."""

import argparse
import asyncio
import itertools
import json
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import drawing, lifecycle, load, machine

SECONDS = 5.0
WIDE, NARROW = 256, 32
LIVES = 5_000


def ask(port: int, method: str, path: str, key: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read())


def film(port: int, key: str) -> Any:
    task = ask(
        port,
        "POST",
        "/gate/v1/tasks",
        key,
        {"prompt": "a paper boat at dusk", "seconds": 8, "size": "1280x720"},
    )
    while not task["ended_at"]:
        time.sleep(0.1)
        task = ask(port, "GET", f"/gate/v1/tasks/{task['id']}", key)
    return task


async def measure(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    with machine.gate(folder / "data") as (port, key, start_s, process):
        rows.append(("start with an empty database", f"{start_s:.1f} s", "3 s"))
        rows.append(("resident, idle, all processes", f"{machine.resident_mib(process):.0f} MiB", "150 MiB"))
        task = film(port, key)
        with machine.bare_server() as bare:
            for connections in (NARROW, WIDE):
                hello = await load.drive(
                    bare, lambda: load.get("/"), connections=connections, seconds=SECONDS
                )
                poll = await load.drive(
                    port,
                    lambda: load.get(f"/v1/videos/{task['name']}", key),
                    connections=connections,
                    seconds=SECONDS,
                )
                text = (
                    f"{poll.per_s / hello.per_s:.2f} of hello ({poll.per_s:.0f}/s, p99 {poll.p99_ms:.0f} ms)"
                )
                rows.append((f"status poll, {connections} connections", text, "0.28"))
        await downloads(folder, rows, port, key, task)
        await submits(folder, rows, port, key)
    await lives(folder, rows)
    films(folder, rows)


async def downloads(folder: Path, rows: list[tuple[str, str, str]], port: int, key: str, task: Any) -> None:
    path = f"/v1/videos/{task['name']}/content"
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {key}"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        (folder / "film.mp4").write_bytes(reply.read())
    served = folder / "nginx"
    served.mkdir()
    with machine.nginx(served, folder / "film.mp4") as other:
        if other is None:
            rows.append(("download", "not measured: this machine has no nginx", "0.8"))
            return
        best = await load.drive(other, lambda: load.get("/film.mp4"), connections=4, seconds=SECONDS)
        half = task["film"]["size_bytes"] // 2
        ranged = load.get(path, key).replace(b"\r\n\r\n", f"\r\nRange: bytes=0-{half - 1}\r\n\r\n".encode())
        whole = await load.drive(port, lambda: load.get(path, key), connections=4, seconds=SECONDS)
        part = await load.drive(port, lambda: ranged, connections=4, seconds=SECONDS)
    rows.append(("download, whole", f"{whole.per_s / best.per_s:.2f} of nginx's whole file", "0.8"))
    rows.append(
        (
            "download, half by Range (bytes/s)",
            f"{part.per_s / 2 / best.per_s:.2f} of nginx's whole file",
            "0.8",
        )
    )


async def submits(folder: Path, rows: list[tuple[str, str, str]], port: int, key: str) -> None:
    numbers = itertools.count()
    # All of them stay unfinished.
    machine.ask_database(folder / "data", "update film.accounts set max_unfinished = null")

    def request() -> bytes:
        body = {"model": "sora-2", "prompt": f"boat {next(numbers)} --sandbox=slow:3600", "seconds": "5"}
        return load.post("/yishang/v1/videos", json.dumps(body).encode(), key)

    for connections, goal in ((NARROW, "0.65"), (WIDE, "1.0")):
        inserts = machine.pgbench_inserts(folder / "data", NARROW, int(SECONDS))
        rate = await load.drive(port, request, connections=connections, seconds=SECONDS)
        text = (
            f"{rate.per_s / inserts:.2f} of pgbench's inserts ({rate.per_s:.0f}/s, p99 {rate.p99_ms:.0f} ms)"
        )
        rows.append((f"submit, durable, {connections} connections", text, goal))


async def lives(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    with lifecycle.ground(folder / "engine") as ground:
        for workers, stored in ((1, False), (2, False), (8, False), (2, True)):
            about = f"whole lives, {workers} workers" + (", files made durable" if stored else "")
            try:
                cost = await lifecycle.lives(ground, LIVES, workers=workers, stored=stored)
            except lifecycle.Unfinished as late:
                # More engines than the machine has cores for: what they tell receivers may be retried minutes later.
                rows.append((about, str(late), "500/s, 2.5 ms"))
                continue
            rows.append((about, _cost(cost, "tasks"), "500/s, 2.5 ms"))
        told = await lifecycle.deliveries(ground, LIVES)
        rows.append(("webhooks, 100 receivers", _cost(told, "deliveries"), "no goal"))
        for count in (1_000, 100_000):
            used = await lifecycle.in_flight(ground, count)
            text = (
                f"{used.polls_per_s:.0f} polls/s: {used.client_cores:.2f} core of worker,"
                f" {used.postgres_cores:.2f} of PostgreSQL, {used.client_mib:.0f} MiB"
            )
            rows.append((f"{count:,} in flight, asked every 20 s", text, "5,000: 1, 0.15, 150"))


def _cost(cost: lifecycle.Cost, unit: str) -> str:
    return (
        f"{cost.per_s:.0f} {unit}/s, {cost.client_ms + cost.postgres_ms:.1f} CPU ms each"
        f" (of them {cost.postgres_ms:.1f} PostgreSQL)"
    )


def films(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    for about, prompt, goal in (
        ("pan", "a paper boat on a calm lake at dusk, fireflies", "3.3"),
        ("zoom", "雪山日出,航拍", "4"),
        ("rain", "一只猫咪在雨夜散步,准备抓一只老鼠", "2.5"),
    ):
        path = folder / f"{about}.mp4"
        cpu = min(drawing.draw(prompt, path) for _ in range(2))
        bare = min(drawing.encode_again(path) for _ in range(2))
        text = f"{cpu / bare:.1f} x the bare encode ({cpu:.1f} CPU s, {path.stat().st_size / 2**20:.1f} MiB)"
        rows.append((f"animatic, 8 s of 720p, {about}", text, goal))


def main() -> None:
    argparse.ArgumentParser(
        prog="python -m bench", description=f"{__doc__} It takes about a quarter of an hour."
    ).parse_args()
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory(prefix="filmgate-bench-") as folder:
        asyncio.run(measure(Path(folder), rows))
    table = Table("what", "measured", "to reach", title="Filmgate, this machine, one run")
    for row in rows:
        table.add_row(*row)
    Console(width=120 if not sys.stdout.isatty() else None).print(table)


if __name__ == "__main__":
    main()
