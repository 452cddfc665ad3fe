import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from typing import cast

import psutil
import pytest
import uvloop

from filmgate.media.child import (
    ChildFailedError,
    ChildKilledError,
    ChildLimits,
    ChildProtocolError,
    ChildTimeoutError,
    run,
)
from filmgate.media.messages import Message
from kit.families import Family

MIB = 1024 * 1024
LIMITS = ChildLimits(wall_s=60, cpu_s=10, memory_bytes=512 * MIB, file_bytes=MIB)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Give a function that makes a module of some lines and tells its name."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))

    def make(lines: str) -> str:
        (tmp_path / "a_program.py").write_text(textwrap.dedent(lines))
        return "a_program"

    return make


@pytest.fixture(autouse=True)
def _no_child_is_left():
    family = Family()
    yield
    left = family.new()
    assert [(child.pid, child.status(), child.cmdline()) for child in left] == []


async def heard(module: str, *arguments: str, limits=LIMITS, stdin=()) -> list[Message]:
    messages: list[Message] = []
    await run(module, *arguments, limits=limits, stdin=stdin, on_message=messages.append)
    return messages


ECHO = """
    import json, sys
    job = json.loads(sys.stdin.buffer.readline())
    rest = sys.stdin.buffer.read()
    print(json.dumps({"job": job, "arguments": sys.argv[1:]}), flush=True)
    sys.stdout.buffer.write(json.dumps({"payload_bytes": len(rest)}).encode() + b"\\n" + rest)
"""


async def test_a_child_reads_its_job_and_answers_in_messages(program):
    content = bytes(range(256)) * 20_000
    said = await heard(program(ECHO), "one", "two", stdin=[b'{"seed": 7}\n', content])
    assert said == [
        Message({"job": {"seed": 7}, "arguments": ["one", "two"]}),
        Message({"payload_bytes": len(content)}, content),
    ]


def test_a_child_is_the_same_under_uvloop(program):
    content = bytes(5 * MIB)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        said = runner.run(heard(program(ECHO), stdin=[b"{}\n", content]))
        with pytest.raises(ChildTimeoutError):
            runner.run(heard(program("import time; time.sleep(60)"), limits=replace(LIMITS, wall_s=0.3)))
    assert said == [Message({"job": {}, "arguments": []}), Message({"payload_bytes": len(content)}, content)]


async def test_messages_come_while_the_child_still_works(program):
    module = program("""
        import sys
        print('{"progress": 1}', flush=True)
        sys.stdin.read()
        print('{"progress": 2}', flush=True)
    """)
    first = asyncio.Event()
    said = []

    def hear(message: Message) -> None:
        said.append(message.value["progress"])
        first.set()

    running = asyncio.ensure_future(run(module, limits=LIMITS, on_message=hear))
    await first.wait()
    await running
    assert said == [1, 2]


async def test_a_child_inherits_no_secret(program, monkeypatch):
    monkeypatch.setenv("FILMGATE_SECRET", "canary")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    monkeypatch.setenv("TZ", "UTC")
    module = program("import json, os; print(json.dumps(dict(os.environ)))")
    [message] = await heard(module)
    assert set(message.value) - {"LC_CTYPE"} <= {
        "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "TZ"
    }  # fmt: skip
    assert "canary" not in str(message.value)


async def test_a_child_inherits_no_descriptor(program, tmp_path):
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)  # noqa: FBT003  It takes no names.
        module = program(
            'import json, os; print(json.dumps({"open": sorted(map(int, os.listdir("/proc/self/fd")))}))'
        )
        [message] = await heard(module)
    # The fourth is the folder that is being listed.
    assert message.value == {"open": [0, 1, 2, 3]}


async def test_a_child_lives_under_its_limits(program):
    module = program("""
        import ctypes, json, os, resource
        names = ("AS", "CPU", "FSIZE", "NOFILE", "NPROC", "CORE")
        limits = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name)) for name in names}
        death = ctypes.c_int()
        ctypes.CDLL(None).prctl(2, ctypes.byref(death))
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        print(json.dumps({
            **limits, "nice": os.nice(0), "death": death.value, "leads": os.getsid(0) == os.getpid(),
            "no_new_privileges": status["NoNewPrivs"].strip(),
        }))
    """)
    limits = ChildLimits(
        wall_s=20, cpu_s=7, memory_bytes=300 * MIB, file_bytes=5, open_files=9, processes=0, niceness=3
    )
    [message] = await heard(module, limits=limits)
    assert message.value == {
        "AS": [300 * MIB] * 2,
        "CPU": [7, 8],
        "FSIZE": [5, 5],
        "NOFILE": [9, 9],
        "NPROC": [0, 0],
        "CORE": [0, 0],
        "nice": os.nice(0) + 3,
        "death": signal.SIGKILL,
        "leads": True,
        "no_new_privileges": "1",
    }


async def test_a_file_named_like_a_library_in_the_current_folder_is_not_run(program, tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "json.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(folder)
    assert await heard(program("print('{}')")) == [Message({})]


async def test_a_child_is_killed_at_its_wall_limit_with_all_of_its_group(program, tmp_path):
    module = program(f"""
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        open({str(tmp_path / "grandchild")!r}, "w").write(str(child.pid))
        print("last words", file=sys.stderr, flush=True)
        time.sleep(60)
    """)
    started = time.monotonic()
    with pytest.raises(ChildTimeoutError) as ended:
        await heard(module, limits=replace(LIMITS, wall_s=2.0))
    assert str(ended.value) == "a_program took longer than 2 s: last words"
    assert time.monotonic() - started < 10
    await gone(int((tmp_path / "grandchild").read_text()))


async def gone(pid: int) -> None:
    """Wait until a process that is no child of ours has been killed: whoever adopts it may be slow to reap it."""
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{pid} lives on")


async def test_a_child_that_takes_too_much_memory_is_denied_it(program):
    with pytest.raises(ChildFailedError) as ended:
        await heard(program(f"bytearray({600 * MIB})"))
    assert ended.value.status == 1
    assert ended.value.stderr_tail.endswith("MemoryError")


async def test_a_child_that_never_stops_computing_is_ended_by_the_kernel(program):
    with pytest.raises(ChildKilledError) as ended:
        await heard(program("while True: pass"), limits=replace(LIMITS, cpu_s=1))
    assert (ended.value.signal, str(ended.value)) == (signal.SIGXCPU, "a_program was ended by SIGXCPU")


async def test_a_child_that_fails_leaves_its_last_words_and_no_more(program):
    module = program("import sys; sys.stderr.write('x' * 100_000 + 'the end'); sys.exit(3)")
    with pytest.raises(ChildFailedError) as ended:
        await heard(module)
    assert (ended.value.status, len(ended.value.stderr_tail)) == (3, 8192)
    assert ended.value.stderr_tail.endswith("xthe end")


async def test_a_child_that_babbles_is_killed(program):
    module = program("import time; print('Loading model...', flush=True); time.sleep(60)")
    with pytest.raises(
        ChildProtocolError, match=r"wrote no message: 'Loading model\.\.\.' is no JSON object"
    ):
        await heard(module)


async def test_a_child_that_floods_its_stdout_is_killed(program):
    with pytest.raises(ChildProtocolError, match="a line is longer than"):
        await heard(program("import sys\nwhile True: sys.stdout.write('x' * 65536)"))


async def test_what_the_listener_raises_kills_the_child(program):
    def refuse(message: Message) -> None:
        raise LookupError(message.value["n"])

    module = program("import time\nprint('{\"n\": 1}', flush=True)\ntime.sleep(60)")
    with pytest.raises(LookupError, match="1"):
        await run(module, limits=LIMITS, on_message=refuse)


async def test_a_child_that_reads_nothing_does_not_hold_up_its_end(program):
    assert await heard(program("print('{}')"), stdin=[bytes(20 * MIB)]) == [Message({})]
    with pytest.raises(ChildTimeoutError):
        await heard(
            program("import time; time.sleep(60)"),
            limits=replace(LIMITS, wall_s=0.5),
            stdin=[bytes(20 * MIB)],
        )


async def test_cancelling_kills_the_whole_group_before_it_goes_on(program, tmp_path):
    module = program("""
        import json, os, subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(json.dumps({"pids": [os.getpid(), child.pid]}), flush=True)
        time.sleep(60)
    """)
    told: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    running = asyncio.ensure_future(run(module, limits=LIMITS, on_message=told.set_result))
    child, grandchild = cast("list[int]", (await told).value["pids"])
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not psutil.pid_exists(child)
    await gone(grandchild)


async def test_cancelling_at_any_moment_leaves_nothing(program):
    family = Family()
    module = program("import time; time.sleep(60)")
    for delay in (0, 0.0001, 0.001, 0.003, 0.01, 0.02, 0.03):
        running = asyncio.ensure_future(run(module, limits=LIMITS))
        await asyncio.sleep(delay)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    for _ in range(100):
        if not family.new():
            break
        await asyncio.sleep(0.01)


async def test_children_do_not_hold_up_the_loop(program):
    module = program("import json\nfor n in range(200): print(json.dumps({'n': n, 'text': 'x' * 10_000}))")
    slowest, stop = 0.0, False

    async def watch() -> None:
        nonlocal slowest
        while not stop:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            slowest = max(slowest, time.monotonic() - before)

    watching = asyncio.ensure_future(watch())
    await asyncio.gather(*(heard(module) for _ in range(4)))
    stop = True
    await watching
    assert slowest < 0.5


def test_a_child_dies_with_a_parent_that_was_killed(program, tmp_path):
    module = program(f"""
        import os, time
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        time.sleep(60)
    """)
    lines = f"""if True:
        import asyncio
        from filmgate.media.child import ChildLimits, run
        limits = ChildLimits(wall_s=60, cpu_s=9, memory_bytes=2**29, file_bytes=999)
        asyncio.run(run({module!r}, limits=limits))
    """
    parent = subprocess.Popen([sys.executable, "-c", lines])
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert parent.poll() is None
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    asyncio.run(gone(int((tmp_path / "pid").read_text())))


def test_a_child_whose_parent_is_gone_already_does_not_begin():
    limits = dict.fromkeys(("cpu_s", "memory_bytes", "file_bytes", "open_files", "processes", "niceness"))
    command = [
        sys.executable,
        "-m",
        "filmgate.media.limits",
        json.dumps({**limits, "parent": 1}),
        "json.tool",
    ]
    ended = subprocess.run(command, input=b"{}", capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, b"", b"the parent is gone\n")
