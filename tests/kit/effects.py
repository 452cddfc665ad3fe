"""Reads from the source where two effects stand in a row with no failpoint between them.

It walks every path of every function of a room, into the functions that it calls, and keeps one thing in mind:
whether an effect has happened since the last failpoint. Loops are walked twice, an `except` may be reached from
anywhere in its `try`.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
States: TypeAlias = frozenset[str]
"""Each is the effect that happened last, or empty where a failpoint came after it."""

NOTHING: States = frozenset()
CLEAN: States = frozenset([""])


@dataclass(frozen=True, slots=True)
class Rules:
    """What is an effect: a call of any method on these receivers, except one that only reads, and these calls."""

    receivers: frozenset[str]
    reads: frozenset[str]
    calls: frozenset[str]


@dataclass(slots=True)
class _Path:
    """What is known within one function while it is walked."""

    here: States
    ended: States = NOTHING
    """Where it returned."""
    seen: States = NOTHING
    """What an error may be raised from."""
    left: States = NOTHING
    """Where a loop was left, or begun again."""

    def at(self, states: States) -> None:
        self.here = states
        self.seen |= states


@dataclass(slots=True)
class Walk:
    """`pairs` are the effects that follow one another, as `file.function: first, second`."""

    rules: Rules
    functions: Mapping[str, Function]
    """By file and name."""
    imported: Mapping[str, str]
    """What a name means in a file, both by file and name."""
    pairs: set[str] = field(default_factory=set)
    _known: dict[tuple[str, States], tuple[States, States]] = field(default_factory=dict)
    _name: str = ""

    def all(self) -> set[str]:
        for name in self.functions:
            self.function(name, CLEAN)
        return self.pairs

    def function(self, name: str, entry: States) -> tuple[States, States]:
        """Give the states in which it ends, and all that it passes."""
        known = self._known.get((name, entry))
        if known is not None:
            return known
        # One that calls itself is taken to change nothing there.
        self._known[name, entry] = entry, entry
        outer, self._name = self._name, name
        path = _Path(entry, seen=entry)
        self._block(self.functions[name].body, path)
        self._name = outer
        self._known[name, entry] = path.ended | path.here, path.seen
        return self._known[name, entry]

    def _block(self, statements: Sequence[ast.stmt], path: _Path) -> None:
        for statement in statements:
            if path.here:
                self._statement(statement, path)

    def _statement(self, statement: ast.stmt, path: _Path) -> None:
        match statement:
            case ast.If(test=test, body=body, orelse=orelse):
                self._calls(test, path)
                self._branches([body, orelse], path)
            case ast.Match(subject=subject, cases=cases):
                self._calls(subject, path)
                self._branches([*(case.body for case in cases), []], path)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(statement, path)
            case ast.Try():
                self._try(statement, path)
            case ast.With(items=items, body=body) | ast.AsyncWith(items=items, body=body):
                for item in items:
                    self._calls(item.context_expr, path)
                self._block(body, path)
            case ast.Return() | ast.Raise():
                self._calls(statement, path)
                path.ended |= path.here if isinstance(statement, ast.Return) else NOTHING
                path.here = NOTHING
            case ast.Break() | ast.Continue():
                path.left |= path.here
                path.here = NOTHING
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return
            case _:
                self._calls(statement, path)

    def _branches(self, blocks: Sequence[Sequence[ast.stmt]], path: _Path) -> None:
        entry, after = path.here, NOTHING
        for block in blocks:
            path.here = entry
            self._block(block, path)
            after |= path.here
        path.here = after

    def _loop(self, loop: ast.For | ast.AsyncFor | ast.While, path: _Path) -> None:
        outside, path.left = path.left, NOTHING
        self._calls(loop.test if isinstance(loop, ast.While) else loop.iter, path)
        after = path.here
        for _ in range(2):
            self._block(loop.body, path)
            path.here |= path.left
            after |= path.here
            if isinstance(loop, ast.While):
                self._calls(loop.test, path)
        path.here, path.left = after | path.here, outside
        self._block(loop.orelse, path)

    def _try(self, tried: ast.Try, path: _Path) -> None:
        outside, path.seen = path.seen, path.here
        self._block(tried.body, path)
        thrown, path.seen = path.seen, outside | path.seen
        self._block(tried.orelse, path)
        after = path.here
        for handler in tried.handlers:
            path.here = thrown
            self._block(handler.body, path)
            after |= path.here
        path.here = after
        self._block(tried.finalbody, path)

    def _calls(self, node: ast.AST, path: _Path) -> None:
        for call in _in_order(node):
            name = ast.unparse(call.func)
            last = name.rpartition(".")[2]
            if last == "failpoint":
                path.at(CLEAN)
            elif self._is_effect(name):
                self.pairs |= {f"{self._name}: {before}, {last}" for before in path.here if before}
                path.at(frozenset([last]))
            elif (callee := self._callee(name)) is not None:
                after, seen = self.function(callee, path.here)
                path.seen |= seen
                path.at(after)

    def _callee(self, name: str) -> str | None:
        here = f"{self._name.partition('.')[0]}.{name.removeprefix('self.')}"
        found = self.imported.get(here, here)
        return found if found in self.functions else None

    def _is_effect(self, name: str) -> bool:
        receiver, _, method = name.rpartition(".")
        if name in self.rules.calls:
            return True
        return receiver.rpartition(".")[2] in self.rules.receivers and method not in self.rules.reads


def _in_order(node: ast.AST) -> Iterator[ast.Call]:
    """Give the calls of an expression as they happen; what a lambda does is done by whom it is given to."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.Lambda):
            yield from _in_order(child)
    if isinstance(node, ast.Call):
        yield node


def walk(rules: Rules, folder: Path) -> set[str]:
    """Walk all that a room does; give the pairs."""
    functions: dict[str, Function] = {}
    imported: dict[str, str] = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    functions.setdefault(f"{path.stem}.{node.name}", node)
                case ast.ImportFrom(module=str(module)):
                    other = module.rpartition(".")[2]
                    imported |= {f"{path.stem}.{name.name}": f"{other}.{name.name}" for name in node.names}
    return Walk(rules, functions, imported).all()


def failpoints_of(folder: Path) -> list[str]:
    """Give the name of each failpoint as it stands in the source."""
    return [
        ast.literal_eval(node.args[0])
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint"
    ]
