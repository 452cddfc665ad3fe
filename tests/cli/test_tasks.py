import json
import threading
import time

import pytest

from cli.scripted import FILM, RECORD, TASK_ID, TASKS, Program, ScriptedGate, interrupt, serving, task

ATTEMPT = {
    "clip": 1,
    "no": 1,
    "provider": "animatic",
    "key": "k",
    "state": "done",
    "sent_at": "2026-11-21T12:00:01Z",
    "closed_at": "2026-11-21T12:00:05Z",
    "error_class": None,
    "error_text": None,
}


def test_a_list_is_the_gates_own_page(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("tasks", "list", "--state", "generating", "--limit", "5")
    assert (ran.code, ran.document, ran.err) == (0, TASKS, "")
    assert gate.asked[0].path == "/gate/v1/tasks?state=generating&limit=5"


def test_a_plain_list_has_one_line_per_task_whatever_its_prompt_holds(
    gate: ScriptedGate, program: Program
) -> None:
    ran = program.knows(gate).run("tasks", "list", "--plain")
    fields = [line.split("\t") for line in ran.out.splitlines()]
    assert [(row[2], row[5], row[6]) for row in fields] == [
        ("succeeded", "0", "a paper boat"),
        ("generating", "400000", "a sly  [31mfox"),
    ]


def test_a_task_is_shown_with_its_attempts(gate: ScriptedGate, program: Program) -> None:
    gate.story = [task(attempts=[ATTEMPT])]
    ran = program.knows(gate).run("tasks", "show", TASK_ID, "--attempts")
    assert (ran.code, ran.document["attempts"]) == (0, [ATTEMPT])
    assert gate.asked[0].path == f"/gate/v1/tasks/{TASK_ID}?attempts=true"


def test_what_became_of_a_task_on_its_way_is_shown_with_its_links(
    gate: ScriptedGate, program: Program
) -> None:
    record = RECORD | {
        "enhanced_prompt": "A boat.",
        "enhanced_by": "built-in",
        "softened_prompt": "A gentle boat.",
        "retries": 1,
        "last_error": "refused",
        "upsampled_by": "gate",
        "joined_by": "copy",
        "warnings": ["one", "two"],
    }
    urls = {
        "self": "x",
        "video": "http://v",
        "thumbnail": "http://t",
        "first": "http://f",
        "source": "http://s",
    }
    gate.story = [task(clips=[8, 7], record=record, urls=urls)]
    ran = program.knows(gate).run("tasks", "show", TASK_ID, "--plain")
    facts = dict(line.split("\t") for line in ran.out.splitlines())
    assert facts["asked"] == "animatic · 8 + 7 s · 1280x720"
    told = ("enhanced", "softened", "retries", "joined", "upscaled", "warnings", "video", "first", "source")
    assert [facts[name] for name in told] == [
        "A boat. (built-in)", "A gentle boat.", "1 (refused)", "copy", "gate", "one; two", "http://v", "http://f",
        "http://s",
    ]  # fmt: skip


def test_a_task_to_which_nothing_happened_shows_nothing_of_it(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("tasks", "show", TASK_ID, "--plain")
    facts = {line.split("\t")[0] for line in ran.out.splitlines()}
    assert facts == {"state", "prompt", "id", "name", "asked", "created", "clocks", "cost", "film"}


def test_what_failed_can_be_shown_all_the_same(gate: ScriptedGate, program: Program) -> None:
    error = {"code": "expired", "message": "Too late."}
    gate.story = [task("failed", 10, error=error)]
    ran = program.knows(gate).run("tasks", "show", TASK_ID, "--plain")
    assert (ran.code, "error\tToo late. [expired]" in ran.out) == (0, True)


@pytest.mark.parametrize(
    ("state", "cost_micros", "said"),
    [
        ("generating", None, "$0.80 held"),
        ("cancelled", 0, "$0.00 charged"),
        ("failed", 0, "$0.00 charged"),
        ("failed", 400_000, "$0.40 charged"),
    ],
)
def test_a_task_shows_what_was_charged_and_until_then_what_is_held(
    gate: ScriptedGate, program: Program, state: str, cost_micros: int | None, said: str
) -> None:
    gate.story = [task(state, 10, hold_micros=800_000, cost_micros=cost_micros)]
    ran = program.knows(gate).run("tasks", "show", TASK_ID, "--plain")
    assert (ran.code, f"cost\t{said}\n" in ran.out) == (0, True)


def test_an_unknown_task_is_not_found(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("tasks", "show", "nobody/knows it")
    assert (ran.code, ran.out, ran.error["code"]) == (7, "", "task_not_found")
    assert gate.asked[0].path == "/gate/v1/tasks/nobody%2Fknows%20it"


def test_watching_gives_an_object_per_change_until_the_end(gate: ScriptedGate, program: Program) -> None:
    story = [task("generating", 10), task("generating", 60), task()]
    gate.story = list(story)
    ran = program.knows(gate).run("tasks", "watch", TASK_ID)
    assert (ran.code, [json.loads(line) for line in ran.out.splitlines()]) == (0, story)
    assert gate.asked[1].path == f"/gate/v1/tasks/{TASK_ID}?wait=20&after=11"


def test_watching_outlives_a_restart_of_the_gate(gate: ScriptedGate, program: Program) -> None:
    gate.story, gate.look_s = [task("generating", 10)], 0.1
    with serving(down := ScriptedGate(story=[task("generating", 10)], look_s=0.1)):
        process = program.knows(down).start("tasks", "watch", TASK_ID)
        assert process.stdout is not None
        process.stdout.readline()
    assert process.stderr is not None
    while "The gate does not answer; trying again." not in process.stderr.readline():
        assert process.poll() is None
    with serving(ScriptedGate(port=down.port)):
        out, err = process.communicate(timeout=30)
    assert (process.returncode, json.loads(out.splitlines()[-1])["state"]) == (0, "succeeded")
    assert "The gate is back." in err


def test_a_stream_whose_refusal_breaks_off_is_asked_for_again(gate: ScriptedGate, program: Program) -> None:
    path = f"/gate/v1/tasks/{TASK_ID}/events"
    gate.torn, gate.answers["GET", path] = [path], (204, None)
    ran = program.knows(gate).run("tasks", "watch", TASK_ID, "--events")
    assert (ran.code, len(gate.asked_of("GET", path))) == (0, 2)


def test_watching_a_film_that_fails_ends_with_its_error(gate: ScriptedGate, program: Program) -> None:
    error = {"code": "provider_failed", "message": "The provider failed."}
    gate.story = [task("generating", 10), task("failed", 10, error=error)]
    ran = program.knows(gate).run("tasks", "watch", TASK_ID)
    assert (ran.code, ran.error["code"]) == (1, "provider_failed")


def test_leaving_a_watched_film_stops_nothing(gate: ScriptedGate, program: Program) -> None:
    gate.story, gate.look_s = [task("generating", 10)], 0.1
    process = program.knows(gate).start("tasks", "watch", TASK_ID)
    assert process.stdout is not None
    process.stdout.readline()
    ran = interrupt(process)
    assert (ran.code, ran.error["code"]) == (130, "detached")
    assert gate.asked_of("DELETE", "/") == []


def test_several_films_are_watched_at_once(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("tasks", "watch", TASK_ID, "unknown")
    assert (ran.code, ran.error["code"]) == (7, "task_not_found")


def test_a_download_that_breaks_is_gone_on_with_where_it_broke(gate: ScriptedGate, program: Program) -> None:
    gate.cut_after = [30_000, 30_000]
    ran = program.knows(gate).run("tasks", "download", TASK_ID, "-o", "films")
    ranges = [one.headers.get("range") for one in gate.asked if one.path.endswith("video.mp4")]
    path = program.folder / "films" / "a-paper-boat.mp4"
    assert (ran.code, ran.document["path"], ranges) == (0, str(path), [None, "bytes=30000-", "bytes=60000-"])
    assert path.read_bytes() == FILM
    assert [child.name for child in path.parent.iterdir()] == ["a-paper-boat.mp4"]


@pytest.mark.parametrize("kept", [FILM[:40_000], FILM, FILM + b"more", b"x" * 40_000])
def test_what_an_earlier_download_left_is_used_only_if_it_belongs_to_the_film(
    gate: ScriptedGate, program: Program, kept: bytes
) -> None:
    (program.folder / f".{TASK_ID}.mp4.part").write_bytes(kept)
    ran = program.knows(gate).run("tasks", "download", TASK_ID)
    assert (ran.code, (program.folder / "a-paper-boat.mp4").read_bytes() == FILM) == (0, True)


def test_a_file_that_is_not_the_stored_film_is_removed(gate: ScriptedGate, program: Program) -> None:
    gate.etag = "0" * 64
    ran = program.knows(gate).run("tasks", "download", TASK_ID)
    assert (ran.code, ran.error["code"]) == (1, "film_damaged")
    assert list(program.folder.iterdir()) == []


def test_a_film_that_is_not_done_cannot_be_downloaded(gate: ScriptedGate, program: Program) -> None:
    gate.story = [task("generating", 62)]
    ran = program.knows(gate).run("tasks", "download", TASK_ID, "--lang", "zh")
    assert (ran.code, ran.error["message"]) == (
        6,
        f"任务 {TASK_ID} 生成中，尚无视频。等待完成：`filmgate tasks watch {TASK_ID}`",
    )


def test_one_missing_film_does_not_keep_the_others_away(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("tasks", "download", "unknown", TASK_ID)
    assert (ran.code, ran.error["code"], ran.document["id"]) == (7, "task_not_found", TASK_ID)


def test_leaving_a_download_says_how_to_go_on_and_keeps_what_came(
    gate: ScriptedGate, program: Program
) -> None:
    gate.stalled, part = threading.Event(), program.folder / f".{TASK_ID}.mp4.part"
    process = program.knows(gate).start("tasks", "download", TASK_ID)
    while not part.exists():
        time.sleep(0.01)
    ran = interrupt(process)
    gate.stalled.set()
    assert (ran.code, ran.error["message"]) == (
        130,
        f"Stopped. The film is done and stays at the gate: `filmgate tasks download {TASK_ID}`",
    )
    gate.stalled = None
    assert program.run("tasks", "download", TASK_ID).code == 0
    assert (program.folder / "a-paper-boat.mp4").read_bytes() == FILM
