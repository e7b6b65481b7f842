# SPDX-License-Identifier: MIT
"""A progress bar for a person at a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress


def progress_on(console: Console) -> Progress:
    """Return a bar that leaves nothing behind, and that prints nothing at all into a file or a pipe."""
    return Progress(console=console, transient=True, disable=not console.is_terminal)
