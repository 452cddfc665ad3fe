"""A gate that cannot start where another runs is told so; the other is not harmed."""

from pathlib import Path

from kit.gates import RealGate


def test_a_second_serve_on_the_same_folder_is_told_so(gate: RealGate) -> None:
    before = len(gate.log.read_text())
    second = RealGate(gate.data)
    second.start(wait=False)
    assert second.process is not None
    assert second.process.wait(30) not in {0, 70}
    told = gate.log.read_text()[before:]
    assert gate.base_url in told
    assert "already" in told


def test_a_port_that_is_in_use_is_told_so(gate: RealGate, tmp_path: Path) -> None:
    second = RealGate(tmp_path / "other", port=gate.port)
    second.start(wait=False)
    assert second.process is not None
    assert second.process.wait(30) not in {0, 70}
    assert f"port {gate.port} is in use" in second.log.read_text()
