"""The program with a terminal before it, as a person sees it."""

import os
import pty
import re
import subprocess
import sys

from cli.scripted import Program

_STYLE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def in_terminal(program: Program, *words: str, columns: int = 100, typed: str = "") -> str:
    """Run the program with a terminal, and give all that it wrote there; what is typed answers its question."""
    leader, follower = pty.openpty()
    program.env = {"TERM": "xterm-256color"} | {**program.env, "COLUMNS": str(columns)}
    process = subprocess.Popen(
        [sys.executable, "-m", "filmgate", *words],
        cwd=program.folder,
        env=program.env,
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
        if typed and b"[y/N]" in shown:
            os.write(leader, typed.encode())
            typed = ""
    os.close(leader)
    process.wait(30)
    return shown.decode()


def lines_of(shown: str) -> list[str]:
    """Give what stands there without its colours, line by line."""
    return [line.rstrip() for line in _STYLE.sub("", shown).replace("\r", "").splitlines()]
