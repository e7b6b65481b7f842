# SPDX-License-Identifier: MIT
"""Put a mutant into the running process: code, defaults and constants of one module, without importing anything.

What other modules took from it by `from module import name` is changed too, so that the process is as if it had
imported the mutant. Functions and classes keep their identity; only their code changes.
"""

from __future__ import annotations

import sys
import types
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
            _constant(module, name, old, new)


def _function(old: Any, new: types.FunctionType) -> None:
    old.__code__ = new.__code__
    old.__defaults__ = new.__defaults__


def _class(old: type, new: type) -> None:
    for name, attribute in new.__dict__.items():
        if isinstance(attribute, types.FunctionType):
            _function(old.__dict__[name], attribute)
        elif isinstance(attribute, _PLAIN) and not name.startswith("__"):
            setattr(old, name, attribute)


def _constant(module: types.ModuleType, name: str, old: Any, new: Any) -> None:
    """Change a constant here and wherever the firmware holds a copy of it. Tests keep theirs."""
    setattr(module, name, new)
    for other in list(sys.modules.values()):
        space = getattr(other, "__dict__", {})
        if getattr(other, "__name__", "").startswith("evse.") and space.get(name) is old and other is not module:
            setattr(other, name, new)
