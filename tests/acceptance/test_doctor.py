"""`filmgate doctor` beside a real gate: what it looks at is what its page says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kit.gates import RealGate

PAGE = Path(__file__).parents[2] / "docs/doctor.md"


def doctor(gate: RealGate, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "filmgate", "doctor", "--data", str(gate.data), "--lang", "en", *words]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
        timeout=120,
        cwd=gate.data.parent,
    )


@pytest.mark.usefixtures("film_id")
def test_each_check_stands_on_the_page_and_a_gate_that_works_fails_none(gate: RealGate) -> None:
    ran = doctor(gate, "--json")
    said = json.loads(ran.stdout)
    assert (ran.returncode, said["ok"]) == (0, True), ran.stdout
    rows = re.findall(r"^\| (`.*?`) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    written = {name for row in rows for name in re.findall(r"`(.*?)`", row)}
    assert {check["name"] for check in said["checks"]} <= written
    found = {check["name"]: check for check in said["checks"]}
    for name in ("ready", "database", "clock", "connections", "engines", "steps", "queue", "routes", "books"):
        assert (found[name]["verdict"], found[name]["way_out"]) == ("ok", None), found[name]
    assert re.fullmatch(r"PostgreSQL [\d.]+, [\d.]+ MB, schema \d{4}_\w+", found["database"]["found"])
    assert all(
        (check["way_out"] is None) is (check["verdict"] == "ok") and check["found"]
        for check in said["checks"]
    )
    plain = [line.split("\t") for line in doctor(gate, "--plain").stdout.splitlines()]
    assert [row[0] for row in plain] == [check["name"] for check in said["checks"]]


def test_from_elsewhere_without_an_operators_key_the_inside_is_not_shown(
    gate: RealGate, tmp_path: Path
) -> None:
    away = RealGate(tmp_path / "nothing")
    ran = doctor(away, "--json", FILMGATE_BASE_URL=gate.base_url, FILMGATE_API_KEY=gate.key)
    checks = {check["name"]: check["verdict"] for check in json.loads(ran.stdout)["checks"]}
    assert (checks["ready"], checks["key"], checks["operator"]) == ("ok", "ok", "warn")
    assert "database" not in checks
    assert gate.ask("GET", "/admin/v1/vitals", key=gate.key).status == 403
    assert gate.ask("GET", "/admin/v1/vitals").status == 401
