import subprocess

import pytest

from cli.scripted import KEY, Program, ScriptedGate

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 60


def test_the_curl_line_holds_the_variable_and_never_the_key(gate: ScriptedGate, program: Program) -> None:
    ran = program.knows(gate).run("generate", "a paper boat")
    assert "\n".join(ran.err.splitlines()[-5:]) == (
        f"The same with curl:\ncurl -sS {gate.base_url}/gate/v1/tasks \\\n"
        '  -H "Authorization: Bearer $FILMGATE_API_KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"prompt": "a paper boat"}\''
    )
    assert KEY not in ran.err + ran.out


HOSTILE = 'it\'s $HOME `id` "x" \\n <船>'


@pytest.mark.parametrize(
    "pictures",
    [
        (),
        ("--image", "fox, the;first.png"),
        ("--image", "https://example.com/a.png"),
        ("--image", "fox, the;first.png", "--last", "https://example.com/a.png"),
        ("--reference", "https://example.com/a.png", "--reference", "fox, the;first.png"),
    ],
)
def test_the_curl_line_works_when_pasted(
    gate: ScriptedGate, program: Program, pictures: tuple[str, ...]
) -> None:
    (program.folder / "fox, the;first.png").write_bytes(PNG)
    words = [HOSTILE, *pictures, "--seconds", "4", "--extend", HOSTILE, "--enhance", "--no-sound"]
    printed = program.knows(gate).run("generate", *words, "--curl")
    assert (printed.code, printed.err, gate.asked) == (0, "", [])
    program.run("generate", *words, "--detach")
    subprocess.run(
        ["bash", "-c", printed.out], cwd=program.folder, env=program.env, check=True, capture_output=True
    )
    sent, pasted = gate.asked_of("POST", "/gate/v1/tasks")
    assert (pasted.body, pasted.path) == (sent.body, sent.path)


A, B = "https://x.org/a", "https://x.org/b"


@pytest.mark.parametrize(
    ("dialect", "words", "path", "body"),
    [
        ("yishang", ("--image", A, "--seconds", "4"), "/yishang/v1/videos",
         {"model": "animatic", "prompt": "x", "seconds": "4", "input_reference": [A]}),
        ("openai", ("--image", A, "--model", "sora-2", "--seconds", "4"), "/openai/v1/videos",
         {"model": "sora-2", "prompt": "x", "seconds": "4", "input_reference": {"image_url": A}}),
        ("laozhang", ("--model", "veo3", "--image", A, "--enhance"), "/veo/v1/api/video/submit",
         {"model": "veo3", "prompt": "x", "enhance_prompt": True, "images": [A]}),
        ("laozhang", ("--model", "veo3", "--reference", A, "--reference", B), "/veo/v1/api/video/submit",
         {"model": "veo3", "prompt": "x", "images": [A, B]}),
        ("laozhang", ("--model", "veo3-pro-frames", "--image", A, "--last", B), "/veo/v1/api/video/submit",
         {"model": "veo3-pro-frames", "prompt": "x", "images": [A, B]}),
        ("unified", ("--model", "veo3.1", "--image", A, "--last", B, "--upsample", "--size", "9:16"),
         "/v1/video/create",
         {"model": "veo3.1", "prompt": "x", "aspect_ratio": "9:16", "enable_upsample": True, "images": [A, B]}),
        ("unified", ("--model", "veo3.1-components", "--reference", A), "/v1/video/create",
         {"model": "veo3.1-components", "prompt": "x", "images": [A]}),
        ("unified", ("--model", "sora-2", "--seconds", "10", "--size", "1280x720"), "/v1/video/create",
         {"model": "sora-2", "prompt": "x", "size": "1280x720", "duration": 10}),
    ],
)  # fmt: skip
def test_the_curl_line_speaks_a_dialect(
    gate: ScriptedGate, program: Program, dialect: str, words: tuple[str, ...], path: str, body: object
) -> None:
    line = program.knows(gate).run("generate", "x", *words, "--curl", "--dialect", dialect).out
    subprocess.run(["bash", "-c", line], env=program.env, check=True, capture_output=True)
    [pasted] = gate.asked
    assert (pasted.path, pasted.body) == (path, body)


def test_the_curl_line_is_a_form_where_the_dialect_takes_forms(program: Program) -> None:
    (program.folder / "fox.png").write_bytes(PNG)
    words = (
        "--model",
        "veo_3_1-fast-remix",
        "--extend",
        "it's cold",
        "--reference",
        "fox.png",
        "--reference",
        A,
    )
    ran = program.run("generate", "x", *words, "--curl", "--dialect", "newapi")
    assert [line.strip(" \\") for line in ran.out.splitlines()] == [
        "curl -sS http://127.0.0.1:8080/newapi/v1/videos",
        '-H "Authorization: Bearer $FILMGATE_API_KEY"',
        "--form-string model=veo_3_1-fast-remix",
        "--form-string prompt=x",
        "--form-string 'prompt_extend=it'\"'\"'s cold'",
        "-F 'input_reference[]=@\"fox.png\"'",
        f"--form-string 'input_reference[]={A}'",
    ]


@pytest.mark.parametrize(
    ("dialect", "words", "options"),
    [
        ("laozhang", ("--model", "veo3", "--size", "9:16", "--upsample"), "--size, --upsample"),
        ("laozhang", ("--model", "veo3", "--image", A, "--last", B), "--image, --last"),
        ("laozhang", ("--model", "veo3", "--reference", A), "--reference"),
        ("unified", ("--model", "veo3.1", "--reference", A, "--no-sound"), "--no-sound"),
        ("unified", ("--model", "veo3.1", "--reference", A), "--reference"),
        ("unified", ("--model", "veo3.1-components", "--image", A), "--image"),
        ("newapi", ("--model", "veo_3_1-fast", "--image", A), "--image"),
        ("newapi", ("--model", "veo_3_1-fast-remix", "--extend", "y", "--seconds", "8"), "--seconds"),
        ("newapi", ("--model", "veo_3_1-fast-fl", "--reference", A), "--reference"),
        ("yishang", ("--extend", "y", "--enhance"), "--extend, --enhance"),
        ("openai", ("--image", A, "--last", B), "--last"),
    ],
)
def test_what_a_dialect_cannot_say_is_refused_before_anything_is_sent(
    gate: ScriptedGate, program: Program, dialect: str, words: tuple[str, ...], options: str
) -> None:
    ran = program.knows(gate).run("generate", "x", *words, "--dialect", dialect)
    assert (ran.code, ran.error["code"], gate.asked) == (2, "unsayable", [])
    assert f"no word for {options} with" in ran.error["message"]
