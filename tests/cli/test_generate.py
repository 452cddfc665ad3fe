import base64
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.scripted import FILM, KEY, TASK_ID, Program, ScriptedGate, interrupt, problem, serving, task
from cli.terminal import in_terminal

A, B = "https://x.org/a", "https://x.org/b"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 60


def test_a_pipe_gets_the_task_with_the_path_of_a_whole_film(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("generate", "A paper boat!")
    path = program.folder / "a-paper-boat.mp4"
    assert (ran.code, ran.document) == (0, task() | {"path": str(path)})
    assert path.read_bytes() == FILM
    assert sorted(child.name for child in program.folder.iterdir()) == ["a-paper-boat.mp4"]


def test_what_was_asked_for_is_sent_with_the_key_and_an_idempotency_key(
    gate: ScriptedGate, program: Program
) -> None:
    words = ("--model", "veo3", "--seconds", "4", "--size", "9:16", "--seed", "7", "--lang", "zh")
    program.knows(gate).run("generate", "雨巷里的纸船", *words)
    [sent] = gate.asked_of("POST", "/gate/v1/tasks")
    assert sent.body == {"prompt": "雨巷里的纸船", "model": "veo3", "size": "9:16", "seconds": 4, "seed": 7}
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["accept-language"] == "zh"
    assert len(sent.headers["idempotency-key"]) == 36


def test_every_phase_is_said_once_and_the_end_with_what_came(gate: ScriptedGate, program: Program) -> None:
    gate.story = [task("generating", 10), task("generating", 60), task("collecting", 99), task()]
    ran = program.knows(gate).run("generate", "a paper boat")
    assert ran.err.splitlines()[:6] == [
        "animatic · 8 s · 1280x720 · $0.00",
        "queued  2 ahead",
        "generating",
        "saving",
        "downloading  102 kB / 102 kB",
        "✔ done in 0:05 · charged $0.00 · a-paper-boat.mp4 (8.0 s, 1280x720, 24 fps, 102 kB)",
    ]


def test_pictures_and_a_second_prompt_are_sent_in_the_gates_own_form(
    gate: ScriptedGate, program: Program
) -> None:
    (program.folder / "fox.png").write_bytes(PNG)
    uri = "data:image/png;base64," + base64.b64encode(PNG).decode()
    pair = ("--image", "fox.png", "--last", "https://x.org/b", "--extend", "it snows", "--enhance")
    program.knows(gate).run("generate", "x", *pair, "--upsample", "--no-sound", "--detach")
    program.run("generate", "x", "--reference", "fox.png", "--reference", "https://x.org/b", "--detach")
    assert [sent.body for sent in gate.asked_of("POST", "/gate/v1/tasks")] == [
        {
            "prompt": "x",
            "prompt_extend": "it snows",
            "enhance": True,
            "upsample": True,
            "sound": False,
            "image": uri,
            "last_image": "https://x.org/b",
        },
        {"prompt": "x", "references": [uri, "https://x.org/b"]},
    ]


def test_a_film_of_two_clips_is_announced_with_both(gate: ScriptedGate, program: Program) -> None:
    gate.created |= {"clips": [8, 7]}
    gate.quoted |= {"clips": [8, 7]}
    gate.story = [task("extending", 62, clips=[8, 7]), task("upsampling", 99, clips=[8, 7]), task()]
    ran = program.knows(gate).run("generate", "x", "--extend", "y")
    assert ran.err.splitlines()[:4] == [
        "animatic · 8 + 7 s · 1280x720 · $0.00",
        "queued  2 ahead",
        "extending",
        "upscaling",
    ]


def test_a_lost_reply_is_asked_for_again_with_the_same_key(gate: ScriptedGate, program: Program) -> None:
    gate.lost_replies = 2
    ran = program.knows(gate).run("generate", "a paper boat")
    keys = [sent.headers["idempotency-key"] for sent in gate.asked_of("POST", "/gate/v1/tasks")]
    assert (ran.code, len(keys), len(set(keys))) == (0, 3, 1)
    assert "The gate does not answer; trying again." in ran.err


def test_a_gate_that_says_503_is_waited_for(gate: ScriptedGate, program: Program) -> None:
    gate.away = 2
    ran = program.knows(gate).run("generate", "a paper boat")
    assert (ran.code, len(gate.asked_of("POST", "/gate/v1/quote"))) == (0, 3)


def test_a_gate_that_comes_up_late_is_waited_for(program: Program) -> None:
    gate = ScriptedGate(port=_closed_port())
    process = program.knows(gate).start("generate", "a paper boat")
    time.sleep(1)
    with serving(gate):
        out, _ = process.communicate(timeout=30)
    assert (process.returncode, bool(out)) == (0, True)


def test_a_film_is_never_written_over_another(gate: ScriptedGate, program: Program) -> None:
    program.knows(gate)
    (program.folder / "boat.mp4").write_text("mine")
    first = program.run("generate", "a paper boat", "-o", "boat.mp4")
    second = program.run("generate", "a paper boat", "-o", "boat.mp4")
    assert [Path(ran.document["path"]).name for ran in (first, second)] == ["boat-2.mp4", "boat-3.mp4"]
    assert (program.folder / "boat.mp4").read_text() == "mine"


def test_a_folder_may_be_named_that_is_not_there_yet(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("generate", "雨巷里的纸船", "-o", "films/")
    assert ran.document["path"] == str(program.folder / "films" / "雨巷里的纸船.mp4")


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_sent(
    gate: ScriptedGate, program: Program
) -> None:
    ran = program.knows(gate).run("generate", "a paper boat", "-o", "/proc/boat.mp4")
    assert (ran.code, ran.error["code"], gate.asked) == (2, "unwritable", [])


def test_a_picture_of_this_machine_is_sent_as_a_data_uri(gate: ScriptedGate, program: Program) -> None:
    (program.folder / "fox.png").write_bytes(PNG)
    program.knows(gate).run("generate", "it wakes up", "--image", "fox.png")
    [sent] = gate.asked_of("POST", "/gate/v1/tasks")
    assert sent.body["image"] == "data:image/png;base64," + base64.b64encode(PNG).decode()


@pytest.mark.parametrize(("content", "code"), [(None, "unreadable_file"), (b"GIF89a", "not_a_picture")])
def test_a_picture_that_is_none_is_refused_before_anything_is_sent(
    gate: ScriptedGate, program: Program, content: bytes | None, code: str
) -> None:
    if content is not None:
        (program.folder / "fox.png").write_bytes(content)
    ran = program.knows(gate).run("generate", "it wakes up", "--image", "fox.png")
    assert (ran.code, ran.error["code"], gate.asked) == (2, code, [])


def test_the_prompt_may_come_by_stdin(gate: ScriptedGate, program: Program) -> None:
    program.knows(gate).run("generate", "-", "--detach", given="a paper boat\n")
    assert gate.asked[0].body == {"prompt": "a paper boat"}


def test_detach_gives_the_task_and_waits_for_nothing(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("generate", "a paper boat", "--detach")
    assert (ran.code, ran.document, [one.path for one in gate.asked]) == (
        0,
        gate.created,
        ["/gate/v1/quote", "/gate/v1/tasks"],
    )


def test_a_failed_film_ends_with_its_text_and_code(gate: ScriptedGate, program: Program) -> None:
    error = {"code": "content_refused", "message": "The provider refused this request."}
    gate.story = [task("failed", 40, error=error)]
    ran = program.knows(gate).run("generate", "a paper boat")
    assert (ran.code, ran.document["error"], ran.document["path"]) == (1, error, None)
    assert ran.error == {
        "code": "content_refused",
        "message": "The provider refused this request. [content_refused]",
        "details": {"task": TASK_ID, "exit_code": 1},
    }


def test_the_exit_code_of_a_refusal_is_the_gates(gate: ScriptedGate, program: Program) -> None:
    gate.refusal = (402, problem("budget_exceeded", "This video costs $0.80.", 5))
    ran = program.knows(gate).run("generate", "a paper boat")
    assert (ran.code, ran.error["message"]) == (5, "This video costs $0.80.")


def test_a_timeout_leaves_the_film_going_on(gate: ScriptedGate, program: Program) -> None:
    gate.story = [task("generating", 10)]
    ran = program.knows(gate).run("generate", "a paper boat", "--timeout", "0.3")
    assert (ran.code, ran.error["code"]) == (8, "timeout")
    assert f"filmgate tasks watch {TASK_ID}" in ran.error["message"]


def test_ctrl_c_while_a_film_is_made_detaches_and_cancels_nothing(
    gate: ScriptedGate, program: Program
) -> None:
    gate.story = [task("generating", 10, hold_micros=800_000)]
    gate.created |= {"hold_micros": 800_000}
    process = program.knows(gate).start("generate", "a paper boat")
    _until(lambda: bool(gate.asked_of("GET", "/gate/v1/tasks")))
    ran = interrupt(process)
    text = "Detached. The video is still being made ($0.80 held). "
    back, stop = f"`filmgate tasks watch {TASK_ID}`", f"`filmgate tasks cancel {TASK_ID}`"
    assert (ran.code, ran.error["message"]) == (130, f"{text}Back: {back} · Stop: {stop}")
    assert gate.asked_of("DELETE", "/") == []


def test_ctrl_c_before_anything_arrived_says_that_nothing_was_started(program: Program) -> None:
    process = program.knows(ScriptedGate(port=_closed_port())).start("generate", "a paper boat")
    assert process.stderr is not None
    assert "No gate answers" in process.stderr.readline()
    ran = interrupt(process)
    assert (ran.code, ran.error["message"]) == (130, "Nothing was started.")


def test_ctrl_c_before_the_answer_does_not_claim_that_nothing_was_started(
    gate: ScriptedGate, program: Program
) -> None:
    gate.silent = threading.Event()
    process = program.knows(gate).start("generate", "a paper boat")
    _until(lambda: bool(gate.asked_of("POST", "/gate/v1/tasks")))
    ran = interrupt(process)
    gate.silent.set()
    assert (ran.code, ran.error["code"]) == (130, "unanswered")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--last", A), "last_without_image"),
        (("--image", A, "--reference", B), "references_beside_frames"),
        (("--image", A, "--last", "fox.png"), "not_a_picture"),
        (("--reference", A, "--reference", "fox.png"), "not_a_picture"),
    ],
)
def test_pictures_that_do_not_go_together_are_refused_before_anything_is_sent(
    gate: ScriptedGate, program: Program, words: tuple[str, ...], code: str
) -> None:
    (program.folder / "fox.png").write_bytes(b"GIF89a")
    ran = program.knows(gate).run("generate", "x", *words)
    assert (ran.code, ran.error["code"], gate.asked) == (2, code, [])


def test_a_terminal_gets_the_path_and_a_moving_line(gate: ScriptedGate, program: Program) -> None:
    gate.story, gate.look_s = [task("generating", 62), task()], 0.4
    shown = in_terminal(program.knows(gate), "generate", "a paper boat")
    assert "62 %" in shown
    assert "━" in shown
    assert "✔" in shown
    assert "a-paper-boat.mp4\r\n" in shown


@pytest.mark.parametrize("setting", [{"TERM": "dumb"}, {"CI": "1"}])
def test_a_terminal_that_cannot_move_gets_lines(
    gate: ScriptedGate, program: Program, setting: dict[str, str]
) -> None:
    gate.story = [task("generating", 62), task()]
    program.env |= setting
    shown = in_terminal(program.knows(gate), "generate", "a paper boat")
    assert "━" not in shown
    assert "generating\r\n" in shown


def test_no_color_is_obeyed(gate: ScriptedGate, program: Program) -> None:
    program.env |= {"NO_COLOR": "1", "CI": "1"}
    shown = in_terminal(program.knows(gate), "generate", "a paper boat")
    assert "\x1b[3" not in shown
    assert "✔ done in 0:05 · charged $0.00" in shown


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(holds: Callable[[], bool], limit_s: float = 20.0) -> None:
    give_up = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def test_a_refusal_comes_with_what_could_be_made_instead(gate: ScriptedGate, program: Program) -> None:
    refusal = problem("budget_exceeded", "This film costs $0.80.", 5)
    refusal["error"]["details"] |= {"suggestion": "Choose 4 s ($0.40).", "retryable": False}
    gate.refusal = (402, refusal)
    ran = program.knows(gate).run("generate", "a paper boat")
    assert ran.error["details"] == {
        "field": None, "exit_code": 5, "suggestion": "Choose 4 s ($0.40).", "retryable": False,
    }  # fmt: skip
    ran = program.run("generate", "a paper boat", "--plain")
    assert (ran.code, ran.err.splitlines()) == (5, ["This film costs $0.80.", "Choose 4 s ($0.40)."])
