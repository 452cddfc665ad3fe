"""What is private and stands nowhere else in its file was forgotten there."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def forgotten(source: str) -> list[str]:
    """Name what is private in a module and read nowhere in it; what a decorator hands on is read by that."""
    nodes = list(_walked(ast.parse(source)))
    read = {name for node in nodes for name in _read(node)}
    return sorted({name for node in nodes for name in _made(node)} - read)


def _walked(node: ast.AST) -> Iterator[ast.AST]:
    """Give all but the names of methods that a class may have instead of those of another."""
    yield node
    heir = isinstance(node, ast.ClassDef) and node.bases
    for child in ast.iter_child_nodes(node):
        if heir and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in ast.iter_child_nodes(child):
                yield from _walked(part)
        else:
            yield from _walked(child)


def _made(node: ast.AST) -> Iterator[str]:
    name = ""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.decorator_list:
        name = node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        name = node.id
    if name.startswith("_") and not name.startswith("__") and name != "_":
        yield name


def _read(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        # The type of a cast, or an annotation, in quotes.
        yield from node.value.replace("[", " ").replace("]", " ").split()


@pytest.mark.parametrize("folder", ["src", "tests", "bench", "tools"])
def test_nothing_private_was_forgotten(folder: str) -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in (ROOT / folder).rglob("*.py")
        if (names := forgotten(path.read_text("utf-8")))
    }
    assert found == {}


def test_a_private_function_that_nobody_calls_is_found() -> None:
    assert forgotten("_A = 1\n_B = 2\ndef _c(): return _A\nclass _D: ...\nx: '_D'\n") == ["_B", "_c"]
