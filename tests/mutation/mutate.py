# SPDX-License-Identifier: MIT
"""Make mutants of a source file with the standard library's ast.

Kinds: comparison flipped, bound moved, named number doubled, sign flipped, and/or swapped, `not` dropped, min/max
swapped, statement dropped. A mutant is the whole source again, with one thing wrong; it is written out only when asked
for, so that listing all of them is quick.
"""

from __future__ import annotations

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

FLIPS = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
SIGNS = {ast.Add: ast.Sub, ast.Sub: ast.Add}
DROPPED = (ast.Assign, ast.AugAssign, ast.Expr, ast.Return, ast.If, ast.For, ast.While)


@dataclass(frozen=True)
class Mutant:
    """One wrong version of a file."""

    path: str
    line: int
    kind: str
    text: str  # the line as it stands in the original
    where: str  # the function it stands in, "" = the module
    again: int  # 2, 3...: so manieth mutant of this kind in this text and place
    make: Callable[[], str]

    @property
    def name(self) -> str:
        again = f" ({self.again})" if self.again > 1 else ""
        return f"{self.path}:{self.where}:{self.kind}{again}:{self.text}"

    @property
    def source(self) -> str:
        """The whole file with this one thing wrong."""
        return self.make()


def mutants(path: str, source: str) -> list[Mutant]:
    """Return every mutant of a file, in a fixed order."""
    tree = ast.parse(source)
    lines = source.splitlines()
    places = _places(tree)
    seen: Counter = Counter()
    made = []
    changes = (
        (line, kind, number, change)
        for number, node in enumerate(ast.walk(tree))
        for kind, change, line in _changes(node)
    )
    for line, kind, number, change in sorted(changes, key=lambda row: row[:3]):
        text = lines[line - 1].strip()
        key = (places.get(line, ""), kind, text)
        seen[key] += 1
        made.append(Mutant(path, line, kind, text, key[0], seen[key], partial(_written, tree, number, change)))
    return made


def _places(tree: ast.AST) -> dict[int, str]:
    """Return {line: name of the innermost function}."""
    found = {}
    for node in ast.walk(tree):  # outer ones first
        if isinstance(node, ast.FunctionDef):
            found.update(dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), node.name))
    return found


def _written(tree: ast.AST, number: int, change: Callable) -> str:
    other = copy.deepcopy(tree)
    change(_nth(other, number))
    return ast.unparse(ast.fix_missing_locations(other))


def _nth(tree: ast.AST, number: int) -> ast.AST:
    for index, node in enumerate(ast.walk(tree)):
        if index == number:
            return node
    raise IndexError(number)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable, int]]:
    """Yield (kind, function that changes the same node of a copy, line)."""
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in SIGNS:
        yield "sign", lambda n: setattr(n, "op", SIGNS[type(n.op)]()), node.lineno
    elif isinstance(node, ast.BoolOp):
        yield "and/or", lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And()), node.lineno
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
        yield "min/max", lambda n: setattr(n.func, "id", "max" if n.func.id == "min" else "min"), node.lineno
    elif isinstance(node, ast.Module):
        yield from _bounds(node)
    negation = isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub))
    if negation and not isinstance(node.operand, ast.Constant):
        yield "not/minus dropped", _plain, node.lineno
    for field in ("body", "orelse"):
        block = getattr(node, field, None)
        if isinstance(block, list) and not isinstance(node, (ast.Module, ast.ClassDef)):
            yield from _drops(field, block, getattr(node, "name", "") == "__init__")


def _plain(node: ast.UnaryOp) -> None:
    """Turn `-x` into `+x` and `not x` into `not not x`."""
    if isinstance(node.op, ast.USub):
        node.op = ast.UAdd()
    else:
        node.operand = ast.UnaryOp(ast.Not(), node.operand)


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, Callable, int]]:
    for place, operator in enumerate(node.ops):
        for flipped in FLIPS.get(type(operator), ()):
            kind = f"{type(operator).__name__} to {flipped.__name__}"
            yield kind, lambda n, p=place, f=flipped: n.ops.__setitem__(p, f()), node.lineno
    for place, side in enumerate(node.comparators):
        if isinstance(side, ast.Constant) and isinstance(side.value, int):
            yield "bound + 1", lambda n, p=place: _grow(n.comparators[p]), side.lineno


def _bounds(node: ast.Module) -> Iterator[tuple[str, Callable, int]]:
    """Numbers with a name are bounds too: a good way off, so that one cycle of 10 ms does not hide it."""
    for place, statement in enumerate(node.body):
        if not isinstance(statement, ast.Assign):
            continue
        labels, values = _numbers(statement)
        for index, (label, value) in enumerate(zip(labels, values, strict=False)):
            if isinstance(value, ast.Constant) and isinstance(value.value, int):
                name = f"{ast.unparse(label)} doubled"
                yield name, lambda n, p=place, i=index: _double(_numbers(n.body[p])[1][i]), statement.lineno


def _numbers(statement: ast.Assign) -> tuple[list[ast.expr], list[ast.expr]]:
    """Return targets and values, of `A = 1` and of `A, B = 1, 2`."""
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return target.elts, value.elts
    return [target], [value]


def _grow(node: ast.Constant) -> None:
    node.value += 1


def _double(node: ast.Constant) -> None:
    node.value = node.value * 2 + 1


def _is_first_value(statement: ast.stmt) -> bool:
    """Return whether a statement only creates an attribute; that the cycle allocates nothing is tests/alloc's part."""
    return isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Constant, ast.UnaryOp))


def _drops(field: str, block: list[ast.stmt], making: bool) -> Iterator[tuple[str, Callable, int]]:
    for place, statement in enumerate(block):
        documentation = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not isinstance(statement, DROPPED) or documentation or (making and _is_first_value(statement)):
            continue
        yield "dropped", lambda n, p=place: getattr(n, field).__setitem__(p, ast.Pass()), statement.lineno
