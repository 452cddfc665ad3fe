"""A vendor loses replies while all processes are killed; it is asked again, and makes each film once."""

import random
from collections import Counter
from pathlib import Path

from kit.gates import RealGate
from kit.murders import SEED, TASKS, finished, submit_through_kills
from kit.vendors import provider_table, route_table, start_vendor


def test_lost_replies_and_kills_never_draw_a_film_twice_at_the_vendor(tmp_path: Path) -> None:
    manners = ("--lose-replies", "0.3", "--seed", str(SEED), "--idempotent")
    vendor = start_vendor(tmp_path / "vendor", *manners)
    gate = RealGate(tmp_path / "data", environment={"VENDOR_KEY": "x"})
    (tmp_path / "filmgate.toml").write_text(
        provider_table("mirage", vendor, "{ idempotent = true }") + route_table("sora-2", "mirage")
    )
    try:
        gate.start()
        ids = submit_through_kills(gate, random.Random(SEED + 1), model="sora-2", seconds=4, size="720x1280")
        tasks = [gate.ended(id_, within_s=180) for id_ in ids]
        assert Counter(task["state"] for task in tasks) == {"succeeded": TASKS}
        assert [finished(task) for task in tasks] == [1] * TASKS
    finally:
        if gate.process is not None:
            gate.kill()
        vendor.stop()
    accepted = Counter(event["key"] for event in vendor.events("accepted"))
    drawn = Counter(event["job"] for event in vendor.events("drawn"))
    assert len(accepted) == TASKS
    assert set(accepted.values()) == {1}
    assert set(drawn.values()) == {1}
    assert vendor.events("replayed")
