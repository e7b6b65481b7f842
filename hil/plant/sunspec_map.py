# SPDX-License-Identifier: MIT
"""A SunSpec register map, built from the model definitions that pysunspec2 ships.

Every point of every model is placed by the JSON: fixed and repeated groups (their count is a number
or another point of the model), strings, scale factors. Points that are given no value hold the
"not implemented" word of their type. Nothing here knows what a point means.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

BASE = 40000
_END = (0xFFFF, 0)
_SIZES = {"16": 1, "32": 2, "64": 4}
_SIGNED = ("int16", "int32", "int64", "sunssf")


def _width(kind: str, size: int | None) -> int:
    if kind in ("string", "ipv6addr", "eui48"):
        return int(size or 1)
    return _SIZES.get(kind[-2:], 1)


def _unimplemented(kind: str, width: int) -> int:
    if kind in _SIGNED or kind == "pad":
        return 1 << (16 * width - 1)
    if kind == "string" or kind.startswith(("acc", "ipaddr")):
        return 0
    return (1 << 16 * width) - 1


def _range(kind: str, width: int) -> tuple[int, int]:
    """Return the least and the greatest raw value that a point may be given."""
    bits = 16 * width
    return (-(1 << bits - 1) + 1, (1 << bits - 1) - 1) if kind in _SIGNED else (0, (1 << bits) - 1)


@dataclass
class Point:
    """One point at its place: address is the first register, from 0 at the "SunS" marker."""

    path: str  # "704.WSet", "705.Crv[0].Pt[1].V"
    address: int
    width: int
    kind: str
    writable: bool
    scale: str | None  # path of the scale factor point
    low: int  # of its raw value; the word below (signed) or above means "not implemented"
    high: int
    choices: tuple[int, ...] = field(default=())
    implemented: bool = False


@lru_cache(maxsize=32)
def definition(model: int) -> dict:
    """Return the JSON definition of a model."""
    text = (files("sunspec2") / "models" / "json" / f"model_{model}.json").read_text(encoding="utf-8")
    return json.loads(text)["group"]


class SunSpecMap:
    """Registers of a device: `values` is {model: {point path in the model: value}}, in order."""

    def __init__(self, values: dict[int, dict[str, float | str]]):
        self.registers: list[int] = [0x5375, 0x6E53]
        self.points: dict[str, Point] = {}
        self.by_address: dict[int, Point] = {}
        self.models: dict[int, int] = {}  # model id -> address of its ID register
        self._factors: dict[str, float] = {}  # scale factor's path -> 10^it, once it has been asked for
        for model, given in values.items():
            self._add_model(model, given)
        self.registers.extend(_END)

    def _add_model(self, model: int, given: dict[str, float | str]) -> None:
        start = len(self.registers)
        self.models[model] = start
        self._add_group(model, "", definition(model), given)
        self.set_raw(f"{model}.ID", model)
        self.set_raw(f"{model}.L", len(self.registers) - start - 2)
        unknown = [name for name in given if f"{model}.{name}" not in self.points]
        if unknown:
            raise ValueError(f"SunSpec model {model} has no point {unknown[0]}")
        for name in sorted(given, key=lambda n: not n.endswith("_SF")):
            self.set(f"{model}.{name}", given[name])

    def _add_group(self, model: int, prefix: str, group: dict, given: dict[str, float | str]) -> None:
        for point in group["points"]:
            self._add_point(model, prefix, point)
        for child in group.get("groups", ()):
            count = child.get("count", 1)
            if isinstance(count, str):
                for place in range(int(given[count])):
                    self._add_group(model, f"{prefix}{child['name']}[{place}].", child, given)
            else:
                self._add_group(model, f"{prefix}{child['name']}.", child, given)

    def _add_point(self, model: int, prefix: str, row: dict) -> None:
        kind = row["type"]
        width = _width(kind, row.get("size"))
        scale = row.get("sf")
        low, high = _range(kind, width)
        point = Point(
            path=f"{model}.{prefix}{row['name']}",
            address=len(self.registers),
            width=width,
            kind=kind,
            writable=row.get("access") == "RW",
            scale=f"{model}.{scale}" if isinstance(scale, str) else None,
            low=low,
            high=high,
            choices=tuple(s["value"] for s in row.get("symbols", ())) if kind.startswith("enum") else (),
        )
        self.points[point.path] = point
        self.by_address.update(dict.fromkeys(range(point.address, point.address + width), point))
        self.registers.extend([0] * width)
        self._place(point, _unimplemented(kind, width))

    def _place(self, point: Point, value: int) -> None:
        """Put a raw value into a point's registers, most significant word first."""
        at = point.address + point.width
        for _ in range(point.width):
            at -= 1
            self.registers[at] = value & 0xFFFF
            value >>= 16
        if point.kind == "sunssf":
            self._factors.clear()

    def raw(self, path: str) -> int:
        """Return the raw integer of a point, signed by its type."""
        point = self.points[path]
        value = 0
        for word in self.registers[point.address : point.address + point.width]:
            value = value << 16 | word
        if point.kind in _SIGNED and value >> (16 * point.width - 1):
            value -= 1 << 16 * point.width
        return value

    def set_raw(self, path: str, value: int) -> None:
        """Write the raw integer of a point, saturated to its type."""
        self._saturate(self.points[path], int(value))

    def _saturate(self, point: Point, value: int) -> None:
        self._place(point, point.low if value < point.low else point.high if value > point.high else value)
        point.implemented = True

    def blank(self, path: str) -> None:
        """Make a point read as not implemented."""
        point = self.points[path]
        self._place(point, _unimplemented(point.kind, point.width))
        point.implemented = False

    def factor(self, path: str) -> float:
        """Return 10^scale of a point."""
        return self._factor(self.points[path])

    def _factor(self, point: Point) -> float:
        if point.scale is None:
            return 1.0
        if point.scale not in self._factors:
            self._factors[point.scale] = 10.0 ** self.raw(point.scale)
        return self._factors[point.scale]

    def set(self, path: str, value: float | str) -> None:
        """Write a point in its own unit (scaled), or a string."""
        point = self.points[path]
        if isinstance(value, str):
            data = value.encode("ascii").ljust(2 * point.width, b"\0")[: 2 * point.width]
            self._place(point, int.from_bytes(data, "big"))
            point.implemented = True
            return
        self._saturate(point, round(value / self._factor(point)))

    def get(self, path: str) -> float:
        """Return a point in its own unit."""
        return self.raw(path) * self.factor(path)
