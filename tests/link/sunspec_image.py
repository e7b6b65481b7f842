# SPDX-License-Identifier: MIT
"""Build a SunSpec register image from pysunspec2's model definitions, independently of the firmware's offsets."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import sunspec2

MODELS = Path(sunspec2.__file__).parent / "models" / "json"
NOT_IMPLEMENTED = {
    "int16": 0x8000, "uint16": 0xFFFF, "enum16": 0xFFFF, "bitfield16": 0xFFFF, "sunssf": 0x8000, "pad": 0x8000,
    "int32": 0x80000000, "uint32": 0xFFFFFFFF, "bitfield32": 0xFFFFFFFF, "acc32": 0, "uint64": (1 << 64) - 1,
    "float32": 0x7FC00000, "count": 0xFFFF,
}  # fmt: skip


def _encode(point: dict, value: object) -> list[int]:
    size = point["size"]
    if point["type"] == "string":
        raw = str(value or "").encode().ljust(2 * size, b"\0")[: 2 * size]
    elif point["type"] == "float32" and value is not None:
        raw = struct.pack(">f", value)
    else:
        number = NOT_IMPLEMENTED[point["type"]] if value is None else int(value)
        raw = (number & ((1 << 16 * size) - 1)).to_bytes(2 * size, "big")
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, 2 * size, 2)]


def _group(group: dict, values: dict) -> list[int]:
    registers: list[int] = []
    for point in group["points"]:
        registers += _encode(point, values.get(point["name"], point.get("value")))
    for inner in group.get("groups", []):
        for inner_values in values.get(inner["name"], []):
            registers += _group(inner, inner_values)
    return registers


def model(number: int, values: dict | None = None, extra: int = 0) -> list[int]:
    """Registers of one model, ID and L included; points not in values are not implemented."""
    definition = json.loads((MODELS / f"model_{number}.json").read_text())
    registers = _group(definition["group"], dict(values or {}, ID=number)) + [0x8000] * extra
    registers[1] = len(registers) - 2
    return registers


def device(models: list[tuple[int, dict]]) -> list[int]:
    """Registers of a whole device, from the mark to the end model."""
    registers = [0x5375, 0x6E53]
    for number, values in models:
        registers += model(number, values)
    return [*registers, 0xFFFF, 0]


def offset(number: int, name: str) -> int:
    """Offset of a point from its model's ID register."""
    at = 0
    for point in json.loads((MODELS / f"model_{number}.json").read_text())["group"]["points"]:
        if point["name"] == name:
            return at
        at += point["size"]
    raise KeyError(name)


def start_of(registers: list[int], number: int) -> int:
    """Index of a model's ID register in a device's registers."""
    at = 2
    while registers[at] != number:
        at += 2 + registers[at + 1]
    return at


INVERTER: list[tuple[int, dict]] = [
    (1, {"Mn": "Backfeed", "Md": "Test inverter", "SN": "0001", "DA": 1}),
    (701, {"St": 1, "InvSt": 3, "ConnSt": 1, "Alrm": 0, "W": -300, "Var": 25, "W_SF": 1, "Var_SF": 0, "Hz": 50000}),
    (702, {"WMaxRtg": 740, "WChaRteMaxRtg": 736, "WDisChaRteMaxRtg": 700, "WMax": 740, "WChaRteMax": 736,
           "WDisChaRteMax": 500, "VarMaxAbsRtg": 200, "W_SF": 1, "Var_SF": 1}),
    (704, {"WSetEna": 0, "WSetMod": 0, "WSet": 0, "WSetRvrt": 5000, "WSetPct": 0, "WSetPctRvrt": 0, "WSetEnaRvrt": 0,
           "WSetRvrtTms": 0, "VarSetEna": 0, "VarSetMod": 0, "VarSetPri": 0, "VarSet": 0, "AntiIslEna": 1,
           "WSet_SF": 0, "WSetPct_SF": -1, "VarSet_SF": 0, "VarSetPct_SF": -1}),
    (713, {"WHRtg": 620, "WHAvail": 300, "SoC": 553, "SoH": 990, "Sta": 0, "WH_SF": 2, "Pct_SF": -1}),
    (714, {"NPrt": 1, "DCA": 10, "DCW": 300, "Tmp_SF": -1, "DCA_SF": 0, "DCV_SF": 0, "DCW_SF": 0,
           "Prt": [{"PrtTyp": 2, "ID": 1, "DCA": 10, "DCV": 400, "DCW": 300, "Tmp": 251}]}),
    (715, {"LocRemCtl": 0, "DERHb": 7, "ControllerHb": 0, "AlarmReset": 0, "OpCtl": 0}),
]  # fmt: skip
