"""The house itself: small files, short functions, plain names, and a reason beside every exception."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE_LINES = 400
FUNCTION_LINES = 50
BANNED = {
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "handler",
    "service",
    "data",
    "info",
    "base",
    "common",
    "misc",
}
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def python_files() -> list[Path]:
    return sorted(
        path for folder in ("src", "tests", "bench", "tools") for path in (ROOT / folder).rglob("*.py")
    )


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in python_files()
        if (count := len(path.read_text("utf-8").splitlines())) > FILE_LINES
    }
    assert long == {}


def test_no_function_is_longer_than_fifty_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{function.name}": length
        for path in python_files()
        for function in functions(ast.parse(path.read_text("utf-8")))
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    }
    assert long == {}


def test_no_name_is_a_word_that_says_nothing() -> None:
    empty = []
    for path in (ROOT / "src").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = [path.stem, *(node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef))]
        empty += [
            f"{path.name}: {name}" for name in names if {w.lower() for w in WORDS.findall(name)} & BANNED
        ]
    assert empty == []


def test_time_and_chance_are_handed_in() -> None:
    """Only `world` reads the clock and rolls dice; waiting inside process supervision is no reading of time."""
    reached = re.compile(
        r"datetime\.now\(|time\.time\(|(?<!np\.)\brandom\.|\bsecrets\.(token|rand|choice)|\buuid[14]\("
    )
    found = []
    for path in (ROOT / "src").rglob("*.py"):
        if path.name == "world.py":
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if reached.search(line) and "default_rng" not in line:
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert found == []


def test_every_exception_from_a_rule_has_its_reason() -> None:
    bare = []
    silent = re.compile(r"#\s*(noqa|type:\s*ignore)(?P<rest>.*)$")
    for path in python_files():
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            found = silent.search(line)
            if found and not re.match(r"(: [A-Z0-9, ]+|\[[a-z-, ]+\])\s+\S.*", found["rest"]):
                bare.append(f"{path.relative_to(ROOT)}:{number}")
    assert bare == []


def test_every_ignored_lint_rule_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    ruff = tomllib.loads(text)["tool"]["ruff"]["lint"]
    rules = [*ruff["ignore"], *(rule for some in ruff["per-file-ignores"].values() for rule in some)]
    for rule in rules:
        assert re.search(rf'"{rule}",\s*#.*\w|"{rule}".*\] # \w', text), rule


@pytest.mark.parametrize("word", ["subprocess.run(shell=True", "os.system(", 'print(f"DEBUG'])
def test_nothing_is_given_to_a_shell(word: str) -> None:
    assert [str(path) for path in (ROOT / "src").rglob("*.py") if word in path.read_text("utf-8")] == []


def test_the_repository_speaks_of_the_product_alone() -> None:
    """No path of a machine, and no host of a registry, stands in a file of ours."""
    foreign = re.compile(r"/root/|/home/\w+/|pypi\.org|registry\.npmjs|deb\.debian")
    found = []
    for path in ROOT.rglob("*"):
        hidden = any(part.startswith(".") and part != ".ci" for part in path.relative_to(ROOT).parts)
        if (
            hidden
            or not path.is_file()
            or path.suffix not in {".py", ".md", ".toml", ".js", ".css", ".html", ""}
        ):
            continue
        if path == Path(__file__) or "films" in path.parts:
            continue
        found += [str(path.relative_to(ROOT))] if foreign.search(path.read_text("utf-8", "ignore")) else []
    assert found == []
