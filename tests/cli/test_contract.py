import json
import socket

import pytest

from cli.scripted import ADMIN_KEY, KEY, MADE_KEY, MODELS, Program, ScriptedGate
from filmgate.cli.program import run

NO_GATE = {
    "en": "No gate answers at http://127.0.0.1:{port}. Start one: `filmgate serve`",
    "zh": "http://127.0.0.1:{port} 未连接到网关，请先运行 `filmgate serve`",
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_a_gate_every_verb_says_how_to_start_one(program: Program, language: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program.env |= {"FILMGATE_BASE_URL": f"http://127.0.0.1:{port}", "FILMGATE_API_KEY": KEY}
    ran = program.run("tasks", "list", "--lang", language)
    assert (ran.code, ran.out) == (3, "")
    assert ran.error["message"] == NO_GATE[language].format(port=port)


def test_the_locale_chooses_the_language(gate: ScriptedGate, program: Program) -> None:
    program.env |= {"LANG": "zh_CN.UTF-8"}
    assert "未设置" in program.knows(gate, key="").run("models").error["message"]


def test_a_wrong_key_is_not_allowed(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate, key="sk-wrong").run("tasks", "list")
    assert (ran.code, ran.error["code"]) == (4, "invalid_key")


def test_without_a_key_the_way_to_one_is_said(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate, key="").run("tasks", "list")
    assert (ran.code, ran.error["code"]) == (4, "no_key")
    assert "FILMGATE_API_KEY" in ran.error["message"]


def test_a_server_that_is_no_gate_is_called_so(gate: ScriptedGate, program: Program) -> None:
    program.knows(gate)
    program.env["FILMGATE_BASE_URL"] += "/healthz?x"
    assert program.run("tasks", "list").error["code"] == "bad_address"
    gate.refusal = (404, {"detail": "Not Found"})
    program.env["FILMGATE_BASE_URL"] = gate.base_url
    ran = program.run("tasks", "list")
    assert (ran.code, ran.error["code"]) == (3, "not_a_gate")


def test_the_data_folder_knows_the_gate_of_its_machine(gate: ScriptedGate, program: Program) -> None:
    _client_file(program, gate)
    ran = program.run("models")
    assert (ran.code, ran.document) == (0, MODELS)


def test_a_key_never_goes_to_another_gate_than_its_own(gate: ScriptedGate, program: Program) -> None:
    _client_file(program, gate)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        process = program.start("models", "--base-url", f"http://127.0.0.1:{other.getsockname()[1]}")
        connection, _ = other.accept()
        with connection:
            said = connection.recv(65536).decode().lower()
        process.communicate(timeout=30)
    assert "user-agent: filmgate/" in said
    assert "authorization" not in said


def test_a_flag_comes_before_the_environment_and_that_before_the_file(
    gate: ScriptedGate, program: Program
) -> None:
    _client_file(program, gate, key="sk-old")
    program.env |= {"FILMGATE_API_KEY": KEY, "FILMGATE_BASE_URL": "http://127.0.0.1:1"}
    assert program.run("models", "--base-url", gate.base_url).code == 0


def test_a_secret_may_come_from_a_file(gate: ScriptedGate, program: Program) -> None:
    (program.folder / "key").write_text(f"{KEY}\n")
    program.env |= {"FILMGATE_API_KEY_FILE": "key", "FILMGATE_BASE_URL": gate.base_url}
    assert program.run("models").code == 0
    program.env |= {"FILMGATE_API_KEY_FILE": "nowhere"}
    assert program.run("models").error["code"] == "unreadable_file"


@pytest.mark.parametrize("flag", ["--api-key", "--key", "--admin-key=x", "--token"])
def test_a_secret_is_never_a_flag(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    code, said = run(["generate", "a boat", flag, "sk-mine"]), capsys.readouterr()
    assert (code, json.loads(said.err)["error"]["code"]) == (2, "secret_as_flag")
    assert "sk-mine" not in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tasks", "wach"), 'Did you mean "watch"?'),
        (("generat", "x"), 'Did you mean "generate"?'),
        (("generate", "x", "--modle", "y"), "Did you mean --model?"),
        (("tasks", "show"), "ID"),
        (("generate", " "), "The prompt is empty."),
        (("generate", "x", "--timeout", "soon"), "`soon` is no duration: write 90, 90s, 5m, 2h or 30d"),
        (("generate", "x", "--seconds", "long"), "--seconds"),
    ],
)
def test_wrong_usage_is_said_with_what_was_probably_meant(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code, shown = run(words), capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert said in json.loads(shown.err)["error"]["message"]


def test_exit_codes_are_written_down_and_never_renumbered(program: Program) -> None:
    ran = program.run("help", "exit-codes")
    assert list(ran.document) == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "70", "130"]
    assert ran.document["8"] == "`--timeout` ran out; the task goes on"


@pytest.mark.parametrize("words", [(), ("help",), ("--help",)])
def test_help_begins_with_examples(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    code, shown = run(words), capsys.readouterr()
    assert (code, shown.out.split("\n")[1]) == (0, "  filmgate serve --open")


def test_help_knows_every_verb(program: Program) -> None:
    ran = program.run("help", "keys", "create")
    assert (ran.code, ran.out.split("\n")[1]) == (0, "  filmgate keys create team-a")


def test_the_version_is_said(program: Program) -> None:
    ran = program.run("--version")
    assert (ran.code, ran.out) == (0, "0.1.0\n")


def test_an_operators_key_makes_keys(gate: ScriptedGate, program: Program) -> None:
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    ran = program.run(
        "keys", "create", "ci", "--account", "team", "--strict", "--expires", "2030-01-02T03:04:05Z"
    )
    [sent] = gate.asked
    assert (ran.code, ran.document) == (0, MADE_KEY)
    assert sent.headers["authorization"] == f"Bearer {ADMIN_KEY}"
    assert sent.body == {
        "name": "ci",
        "account": "team",
        "dialect": None,
        "strict": True,
        "soften": False,
        "expires_at": "2030-01-02T03:04:05+00:00",
        "budget_micros": None,
        "budget_period": None,
        "limits": None,
        "max_running": None,
        "max_unfinished": None,
        "submits_per_minute": None,
    }


def test_the_list_of_keys_says_which_are_strict_and_which_soften(
    gate: ScriptedGate, program: Program
) -> None:
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    rows = [line.split("\t") for line in program.run("keys", "list", "--plain").out.splitlines()]
    assert [(row[0], row[4], row[5]) for row in rows] == [
        ("7", "newapi", "strict, soften"),
        ("8", "newapi", "–"),
    ]


def test_whoever_reads_the_data_folder_is_its_gates_operator(gate: ScriptedGate, program: Program) -> None:
    _client_file(program, gate)
    (program.folder / "data" / "secret").write_bytes(b"s" * 43)
    program.run("keys", "list")
    [sent] = gate.asked
    assert sent.headers["authorization"].startswith("Bearer op-")


def test_an_operators_token_never_goes_to_another_machine(gate: ScriptedGate, program: Program) -> None:
    _client_file(program, gate)
    (program.folder / "data" / "secret").write_bytes(b"s" * 43)
    ran = program.run("keys", "list", "--base-url", "http://gate.example:8080")
    assert (ran.code, ran.error["code"]) == (4, "no_operator")


def test_a_revoked_key_is_counted(gate: ScriptedGate, program: Program) -> None:
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    assert program.run("keys", "revoke", "ci").document == {"revoked": 2}


def test_a_quick_check_asks_only_whether_the_gate_is_alive(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate, key="").run("doctor", "--quick")
    assert (ran.code, ran.document, [one.path for one in gate.asked]) == (
        0,
        {"status": "ok", "base_url": gate.base_url},
        ["/healthz"],
    )
    gate.port = 1
    assert program.knows(gate).run("doctor", "--quick").code == 3


def test_every_setting_is_shown_with_its_source_and_no_secret(program: Program) -> None:
    program.env |= {"FILMGATE_SECRET": "hidden-1", "FILMGATE_DATABASE_URL": "postgresql://u:hidden-2@h/d"}
    (program.folder / "filmgate.toml").write_text('port = 9000\nhost = "::1"\n')
    program.env |= {"FILMGATE_HOST": "0.0.0.0"}  # noqa: S104  # a setting that is read, not bound to
    ran = program.run("doctor", "--settings")
    assert "hidden" not in ran.out
    shown = {
        name: ran.document[name] for name in ("secret", "database_url", "port", "host", "api_key", "worker")
    }
    assert shown == {
        "secret": {"value": "set", "source": "FILMGATE_SECRET"},
        "database_url": {"value": "set", "source": "FILMGATE_DATABASE_URL"},
        "port": {"value": "9000", "source": "filmgate.toml"},
        "host": {"value": "0.0.0.0", "source": "FILMGATE_HOST"},  # noqa: S104  # as above
        "api_key": {"value": "–", "source": "default"},
        "worker": {"value": "True", "source": "default"},
    }


def test_a_wrong_settings_file_is_refused_with_its_reason(program: Program) -> None:
    (program.folder / "filmgate.toml").write_text("prot = 9000\n")
    for words in (("serve",), ("doctor", "--settings")):
        ran = program.run(*words)
        assert (ran.code, ran.error["code"], "`prot`" in ran.error["message"]) == (2, "bad_settings", True)


def test_a_machine_without_a_gate_is_well(program: Program) -> None:
    program.env |= {"FILMGATE_BASE_URL": "http://127.0.0.1:1"}
    ran = program.run("doctor")
    verdicts = {check["name"]: check["verdict"] for check in ran.document["checks"]}
    del verdicts["disk"]
    assert (ran.code, verdicts) == (
        0,
        {
            "python": "ok",
            "packages": "ok",
            "settings": "ok",
            "data folder": "warn",
            "postgresql": "ok",
            "encoder": "ok",
            "caption font": "ok",
            "gate": "warn",
        },
    )


def test_a_gate_that_is_away_is_asked_once_by_the_doctor(program: Program) -> None:
    program.env |= {"FILMGATE_BASE_URL": "http://127.0.0.1:1", "FILMGATE_ADMIN_KEY": ADMIN_KEY}
    ran = program.run("doctor", "--verbose")
    asked = [line.partition(":")[0] for line in ran.err.splitlines() if line.startswith("GET ")]
    assert (ran.code, asked) == (0, ["GET /healthz"])


@pytest.mark.parametrize("answer", [(404, {"detail": "Not Found"}), (200, ["a page of its own"])])
def test_what_is_no_gate_is_shown_no_operators_key(
    gate: ScriptedGate, program: Program, answer: tuple[int, object]
) -> None:
    gate.answers["GET", "/healthz"] = answer
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    ran = program.run("doctor")
    found = {check["name"]: check for check in ran.document["checks"]}
    assert (ran.code, found["gate"]["verdict"]) == (0, "warn")
    assert "no Filmgate" in found["gate"]["found"]
    assert [one.path for one in gate.asked] == ["/healthz"]


def test_a_check_that_fails_fails_the_doctor_and_says_the_way_out(
    gate: ScriptedGate, program: Program
) -> None:
    gate.refusal = (503, {"status": "waiting", "store": "does not answer"})
    (program.folder / "data").mkdir(mode=0o755)
    ran = program.knows(gate).run("doctor")
    found = {check["name"]: check for check in ran.document["checks"]}
    assert (ran.code, ran.error["code"], found["ready"]["verdict"]) == (1, "checks_failed", "fail")
    assert found["ready"]["found"] == "store: does not answer"
    assert found["data folder"]["way_out"] == f"Run: chmod 700 {program.folder / 'data'}"


def test_a_reader_that_leaves_early_is_no_error(gate: ScriptedGate, program: Program) -> None:
    process = program.knows(gate).start("models")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


def test_quiet_leaves_only_the_answer(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("generate", "a boat", "-q")
    assert (ran.code, ran.err) == (0, "")


def test_a_bug_is_called_one(gate: ScriptedGate, program: Program) -> None:
    gate.story = [{}]
    ran = program.knows(gate).run("tasks", "watch", "019a7c00-0000-7000-8000-00000000000a")
    assert (ran.code, ran.error["code"]) == (70, "bug")


def _client_file(program: Program, gate: ScriptedGate, key: str = KEY) -> None:
    folder = program.folder / "data"
    folder.mkdir(mode=0o700)
    (folder / "client.json").write_text(json.dumps({"base_url": gate.base_url, "api_key": key}))


def test_a_key_is_made_with_its_language(gate: ScriptedGate, program: Program) -> None:
    program.knows(gate).env |= {"FILMGATE_ADMIN_KEY": ADMIN_KEY}
    program.run("keys", "create", "ci", "--language", "zh")
    [sent] = gate.asked
    assert (sent.body["name"], sent.body["language"]) == ("ci", "zh")
