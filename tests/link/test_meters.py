# SPDX-License-Identifier: MIT
"""Meter drivers on the MicroPython VM against pymodbus meters."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from pathlib import Path

import pytest
import sunspec_image as image
from modbus_peer import Line, Server

from backfeed import vm

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests" / "link" / "vm" / "meter_runs.py"
NONE = -0x3FFFFFFF


def read(first: int, registers: list[int], kind: str, sign: int = 1, fault=None, count: int = 2) -> dict:
    """Serve registers as unit 2 and let the VM read the meter."""
    line = Line(fault)
    server = Server({2: (first, registers)}, line.device, 9600)
    environment = dict(os.environ, MICROPYPATH=f"{ROOT / 'firmware'}:.frozen")
    command = [*vm.unix_vm(), str(RUNNER), line.master, kind, str(sign), str(count)]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    finally:
        server.close()
        line.close()
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


INTEGERS = {"PhVphA": 2301, "PhVphB": 2312, "PhVphC": 2299, "V_SF": -1, "Hz": 5002, "Hz_SF": -2, "W": -321,
            "WphA": -100, "WphB": -121, "WphC": -100, "W_SF": 1}  # fmt: skip
FLOATS = {"PhVphA": 230.1, "PhVphB": 231.2, "PhVphC": 229.9, "Hz": 50.02, "W": -3210.4, "WphA": -1000.0,
          "WphB": -1210.4, "WphC": -1000.0}  # fmt: skip


@pytest.mark.parametrize("model", [201, 203])
def test_integer_meter(model):
    report = read(40000, image.device([(1, {"Mn": "m"}), (model, INTEGERS)]), "sunspec")
    assert report["error"] == "" and report["ok"] == 1 and report["oks"] == 2
    assert report["power_w"] == -3210 and report["phase_w"] == [-1000, -1210, -1000]
    assert report["phase_mv"] == [230100, 231200, 229900] and report["frequency_uhz"] == 50020000
    assert report["phases"] == (1 if model == 201 else 3)


@pytest.mark.parametrize("model", [211, 213])
def test_float_meter(model):
    report = read(0, image.device([(1, {"Mn": "m"}), (model, FLOATS)]), "sunspec", sign=-1)
    assert report["power_w"] == 3210 and report["phase_w"] == [1000, 1210, 1000], "the sign is turned"
    assert report["phase_mv"] == pytest.approx([230100, 231200, 229900], abs=20)
    assert report["frequency_uhz"] == pytest.approx(50020000, abs=5)


@pytest.mark.parametrize("watts", [None, float("inf"), 3e9])
def test_a_float_that_is_no_power_is_not_believed(watts):
    values = dict(FLOATS, W=watts)
    report = read(40000, image.device([(1, {"Mn": "m"}), (213, values)]), "sunspec")
    assert report["ok"] == 0 and report["oks"] == 0 and report["power_w"] == 0


def test_a_meter_without_a_meter_model_is_named():
    report = read(40000, image.device([(1, {"Mn": "m"}), (701, {})]), "sunspec")
    assert "meter 2 has no meter model" in report["error"] and "701" in report["error"]


def eastron(**points: float) -> list[int]:
    registers = [0] * 0x60
    for name, value in points.items():
        address = int(name[1:], 16)
        raw = struct.pack(">f", value)
        registers[address : address + 2] = [int.from_bytes(raw[:2], "big"), int.from_bytes(raw[2:], "big")]
    return registers


def test_sdm230():
    registers = eastron(r00=230.25, r0C=-1234.6, r34=9999.0, r46=49.98)
    report = read(0, registers, "sdm230")
    assert report["power_w"] == -1235 and report["phase_mv"][0] == 230250 and report["phase_mv"][1] == NONE
    assert report["frequency_uhz"] == pytest.approx(49980000, abs=5)


def test_sdm630():
    registers = eastron(r00=230.0, r02=231.0, r04=232.0, r0C=100.0, r0E=-200.0, r10=300.0, r34=200.0, r46=50.0)
    report = read(0, registers, "sdm630")
    assert report["power_w"] == 200 and report["phase_w"] == [100, -200, 300]
    assert report["phase_mv"] == [230000, 231000, 232000]


def test_a_meter_that_is_not_there_is_named():
    report = read(0, [0] * 10, "sdm630", fault=lambda to_device, data: b"")
    assert report["error"] == "meter 2 (sdm630), register 0: no answer"


def test_a_lossy_line_gives_right_values_or_none():
    state = [0]

    def lossy(to_device, data):
        state[0] = (state[0] * 1103515245 + 12345) & 0x7FFFFFFF
        if to_device or state[0] >> 16 & 3:
            return data
        return bytes([data[0], data[1] ^ 1, *data[2:]]) if state[0] >> 20 & 1 else data[:7]

    registers = eastron(r00=230.0, r0C=-1500.0, r46=50.0)
    report = read(0, registers, "sdm230", fault=lossy, count=30)
    assert report["error"] == "" and 5 <= report["oks"] <= 30
    assert report["power_w"] == -1500
