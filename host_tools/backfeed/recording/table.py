# SPDX-License-Identifier: MIT
"""A text table of numbers: delimiter, header, decimal comma, missing values and times."""

from __future__ import annotations

import csv
import datetime
import gzip
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backfeed.errors import InputError
from backfeed.recording.model import FloatArray

DATE_FORMATS = (
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S.%f",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M:%S.%f",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S.%f",
)
# How a column's name tells the unit of its time.
TIME_UNITS = (("_us", 1e-6), ("(us)", 1e-6), ("_ms", 1e-3), ("(ms)", 1e-3), ("_ns", 1e-9))
NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1b]")  # control characters: binary data, or UTF-16
NOT_RECORDED = {"", "nan", "na", "n/a", "null", "none", "-", "--", "bad", "?"}


@dataclass
class Table:
    """Header names (or "1", "2", ... without a header) and rows of text."""

    path: Path
    names: list[str]
    rows: list[list[str]]
    decimal_comma: bool

    def index(self, wanted: str) -> int:
        """Return the position of a column given by name (any case) or number from 1."""
        lowered = [name.lower() for name in self.names]
        if wanted.lower() in lowered:
            return lowered.index(wanted.lower())
        if wanted.isdigit() and 1 <= int(wanted) <= len(self.names):
            return int(wanted) - 1
        raise InputError(
            f"--columns {wanted}: not in {self.path.name}; its columns are {', '.join(self.names)}"
            f" (or a number 1..{len(self.names)})."
        )

    def numbers(self, column: int) -> FloatArray:
        """Return a column as floats; what is no number is NaN."""
        return np.array([self._number(row[column]) if column < len(row) else math.nan for row in self.rows])

    def times(self, column: int) -> FloatArray:
        """Return a time column in seconds from its first row."""
        first = next((row[column].strip() for row in self.rows if column < len(row) and row[column].strip()), "")
        if math.isnan(self._number(first)):
            seconds = np.array([_date(row[column]) if column < len(row) else math.nan for row in self.rows])
        else:
            name = self.names[column].lower()
            unit = next((unit for end, unit in TIME_UNITS if name.endswith(end)), 1.0)
            seconds = self.numbers(column) * unit
        known = np.flatnonzero(np.isfinite(seconds))
        if known.size == 0:
            raise InputError(
                f"{self.path.name}: column {self.names[column]} holds no time that can be read: '{first}'."
            )
        return seconds - seconds[known[0]]

    def _number(self, text: str) -> float:
        text = text.strip()
        if text.lower() in NOT_RECORDED:
            return math.nan
        try:
            return float(text.replace(",", ".") if self.decimal_comma else text)
        except ValueError:
            return math.nan


def _date(text: str) -> float:
    text = text.strip()
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except ValueError:
        pass
    for form in DATE_FORMATS:
        try:
            # Local times of a recording have no zone; UTC keeps their differences free of summer time.
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC).timestamp()
        except ValueError:
            continue
    return math.nan


def read_text(path: Path) -> str:
    """Return the text of a plain or gzip file in whatever of our encodings it is."""
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"FILE {path}: cannot be read: {error}; is the file whole?") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")  # takes any byte
    if NOT_TEXT.search(text):
        raise InputError(
            f"FILE {path}: no text; save it as CSV in UTF-8 or Latin-1, or give COMTRADE its .cfg or .dat."
        )
    return text


def read_table(path: Path) -> Table:
    """Read a CSV of any common delimiter, with or without a header."""
    lines = [line for line in read_text(path).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise InputError(f"FILE {path}: empty; it must hold rows of numbers.")
    delimiter = max(";\t,", key=lines[min(1, len(lines) - 1)].count)
    decimal_comma = delimiter != "," and "." not in lines[-1] and "," in lines[-1]
    rows = list(csv.reader(lines, delimiter=delimiter))
    table = Table(path, [str(i + 1) for i in range(len(rows[0]))], rows, decimal_comma)
    if all(math.isnan(table._number(cell)) for cell in rows[0]) or _is_header(rows[0]):
        table.names = [name.strip() for name in rows[0]]
        table.rows = rows[1:]
    while table.rows and all(math.isnan(table._number(cell)) and not _is_missing(cell) for cell in table.rows[0]):
        table.rows = table.rows[1:]  # a row of units under the header
    if not table.rows:
        raise InputError(f"FILE {path}: a header and no rows of numbers.")
    return table


def _is_header(cells: list[str]) -> bool:
    """Whether a first row names its columns: some cell starts with a letter and is no missing value or date."""
    return any(cell.strip()[:1].isalpha() and not _is_missing(cell) for cell in cells)


def _is_missing(cell: str) -> bool:
    return cell.strip().lower() in NOT_RECORDED
