# SPDX-License-Identifier: MIT
"""What the options of commands have in common: finite numbers, and places that can be written before work begins."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import click

from backfeed.errors import InputError


class Number(click.FloatRange):
    """A number of a range; click's own lets nan through, which is below and above nothing."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number that can be used.", param, ctx)
        return number


def ready_folder(folder: Path, option: str) -> Path:
    """Make a folder and return it; InputError now, not after a long run, where nothing can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{option} {folder}: cannot be made ({error.strerror}); give another place.") from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"{option} {folder}: cannot be written; give another place.")
    return folder
