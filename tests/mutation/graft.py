# SPDX-License-Identifier: MIT
"""Put a mutant into the running process: code, defaults and constants of one module, without importing anything.

What other firmware modules took from it by `from module import name` is changed too, so that the process is as if it
had imported the mutant. Functions and classes keep their identity; only their code changes.
"""

from __future__ import annotations

import ast
import sys
import types
from functools import cache
from pathlib import Path
from typing import Any

_PLAIN = (int, str, bytes, tuple)


def graft(module: types.ModuleType, source: str) -> None:
    """Make module behave as source says."""
    space: dict[str, Any] = {"__name__": module.__name__, "__file__": module.__file__, "__builtins__": __builtins__}
    exec(compile(source, str(module.__file__), "exec"), space)
    for name, new in space.items():
        old = module.__dict__.get(name)
        if isinstance(new, types.FunctionType) and new.__module__ == module.__name__:
            _function(old, new)
        elif isinstance(new, type) and new.__module__ == module.__name__:
            _class(old, new)
        elif isinstance(new, _PLAIN) and not name.startswith("__") and new != old:
            _constant(module, name, new)


def _function(old: Any, new: Any) -> None:
    old.__code__ = new.__code__
    old.__defaults__ = new.__defaults__


def _class(old: type, new: type) -> None:
    for name, attribute in new.__dict__.items():
        if isinstance(attribute, types.FunctionType):
            _function(old.__dict__[name], attribute)
        elif isinstance(attribute, property):
            _function(old.__dict__[name].fget, attribute.fget)
        elif isinstance(attribute, _PLAIN) and not name.startswith("__"):
            setattr(old, name, attribute)


def _constant(module: types.ModuleType, name: str, new: Any) -> None:
    """Change a constant here and wherever the firmware took it from here. Tests keep theirs."""
    setattr(module, name, new)
    for other, alias in takers(module.__name__).get(name, ()):
        setattr(sys.modules[other], alias, new)


@cache
def takers(module_name: str) -> dict[str, list[tuple[str, str]]]:
    """Return {name: [(firmware module, the name it has there)]} of `from module_name import name`."""
    found: dict[str, list[tuple[str, str]]] = {}
    for other in sorted(name for name in sys.modules if name.startswith("evse.")):
        file = getattr(sys.modules[other], "__file__", None)
        for node in ast.walk(ast.parse(Path(file).read_text())) if file else ():
            if isinstance(node, ast.ImportFrom) and node.module == module_name:
                for alias in node.names:
                    found.setdefault(alias.name, []).append((other, alias.asname or alias.name))
    return found
