# SPDX-License-Identifier: MIT
"""Each board folder: complete, legal on its chip, and the firmware runs on it unchanged."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from tiny import TinyPlant

from hil.virtual_board.board import read_pins

ROOT = Path(__file__).parents[2]
BOARDS = sorted(path.parent.name for path in ROOT.glob("boards/*/pins.py"))
SIGNALS = """
    gate_edge gate_arm gate_feedback contactor contactor_mirror rcd_trip rcd_test estop cable_lock lamp pilot_pwm
    pilot_high_adc pilot_low_adc proximity_adc board_temperature_adc connector_temperature_adc
    afe_sck afe_mosi afe_miso afe_cs fram_sda fram_scl inverter_tx inverter_rx
"""
# Reads every input of a board once, then drives every output and makes all safe again.
DRIVE = """
import time
from board.board import Board
class settings:
    inverter_kind = "sunspec_rtu"
    inverter_baud = 9600
    phases = 3
b = Board()
b.open(settings)
time.sleep_ms(20)
b.afe.read()
for _ in range(3):
    b.pilot.read()
    b.inputs.read()
i = b.inputs
print(b.afe.ok, b.afe.phase_mv, b.afe.phase_w)
print(b.pilot.high_mv, b.pilot.low_mv)
print(i.contactor_open, i.gate_up, i.rcd_tripped, i.estop, i.proximity_mv, i.board_cdeg, i.connector_cdeg)
print(b.reset_cause, b.rtc.read(), b.ratings.export_w)
b.rtc.write(1750000000)
time.sleep(5)
print(b.rtc.read())
b.pilot.duty(533)
b.outputs.gate_arm(1); b.outputs.contactor(1); b.outputs.rcd_test(1); b.outputs.lock(1); b.outputs.lamp(1)
b.outputs.gate_edge()
time.sleep_ms(20)
b.watchdog.feed()
time.sleep_ms(20)
b.safe()
time.sleep_ms(20)
"""


def test_the_reference_boards_are_there() -> None:
    assert {"virtual", "esp32s3_ref", "stm32h743_ref"} <= set(BOARDS)


@pytest.mark.parametrize("name", BOARDS)
def test_definition_is_complete(name) -> None:
    pins = read_pins(ROOT / "boards" / name / "pins.py")
    assert set(pins) == {"BOARD", "PINS", "BUSES", "SCALES", "RATINGS"}
    assert pins["BOARD"]["name"] == name
    assert set(str.split(SIGNALS)) <= set(pins["PINS"])
    assert len(set(pins["PINS"].values())) == len(pins["PINS"]), "two signals on one pin"
    folder = ROOT / "boards" / name
    assert {"board.py", "manifest.py", "board.json", "README.md"} <= {path.name for path in folder.iterdir()}
    assert json.loads((folder / "board.json").read_text())["name"] == name
    readme = (folder / "README.md").read_text()
    missing = [signal for signal, pin in pins["PINS"].items() if f"| {signal} | {pin} |" not in readme]
    assert not missing, f"wiring table lacks {missing}"


def test_the_virtual_board_is_wired_as_the_esp32s3_ref() -> None:
    """Its README says so, and what is proved on it counts for that board."""
    virtual, real = (read_pins(ROOT / "boards" / name / "pins.py") for name in ("virtual", "esp32s3_ref"))
    assert virtual.pop("BOARD") == {**real.pop("BOARD"), "name": "virtual"}
    assert virtual == real


@pytest.mark.parametrize("name", BOARDS)
def test_every_pin_can_do_its_job(output, name) -> None:
    """Opens each pin as what it is; the virtual board refuses what the chip cannot do."""
    lines = output(
        """
        from board.pins import PINS
        from machine import ADC, PWM, Pin
        for name, pin in PINS.items():
            if name.endswith("_adc"):
                ADC(Pin(pin))
            elif name.endswith("_pwm"):
                PWM(Pin(pin), freq=1000)
            else:
                Pin(pin)
        print("all", len(PINS))
        """,
        board=name,
    )
    assert lines == [f"all {len(read_pins(ROOT / 'boards' / name / 'pins.py')['PINS'])}"]


@pytest.mark.parametrize("name", BOARDS)
def test_hal_reads_and_drives(board, name) -> None:
    plant = TinyPlant()
    feel = plant.inputs
    feel.pilot_high_v, feel.pilot_low_v, feel.proximity_ohm = 6.0, -11.9, 220.0
    feel.board_c, feel.connector_c, feel.gate_up, feel.contactor_open = 41.0, -12.5, True, False
    feel.rcd_tripped, feel.estop = True, False
    one = board(DRIVE, plant=plant, board=name)
    driven = []
    one.hooks.append(lambda t_us, out, feel: driven.append((out.pilot_duty, out.contactor, out.gate_arm, out.lamp)))
    one.run(10)
    afe, pilot, digital, system, clock = one.console.text.splitlines()
    assert afe == "1 [229997, 230997, 231997] [2300, -2000, 1000]"
    assert [int(mv) for mv in pilot.split()] == pytest.approx([6000, -11900], abs=25)
    *bits, proximity_mv, board_cdeg, connector_cdeg = map(int, digital.split())
    assert bits == [0, 1, 1, 0]
    assert proximity_mv == pytest.approx(3300 * 220 / 1220, abs=3)
    assert board_cdeg == pytest.approx(4100, abs=60)
    assert connector_cdeg == pytest.approx(-1250, abs=60)
    assert system == f"power 0 {read_pins(one.board_path / 'pins.py')['RATINGS']['export_w']}"
    assert clock == "1750000005"
    assert (pytest.approx(0.533, abs=1e-4), True, True, 1) in driven
    assert driven[-1][:3] == (1.0, False, False)
    assert one.outputs.gate_edges == 1


def test_broken_thermistor_reads_too_hot(board) -> None:
    plant = TinyPlant()
    plant.inputs.connector_c = -100.0  # an open sensor
    one = board("from board.board import Board\nb = Board()\nprint(b.inputs.connector_cdeg)", plant=plant)
    one.run(1)
    assert int(one.console.text) >= 20000


@pytest.mark.parametrize("name", BOARDS)
def test_the_whole_firmware_boots_and_runs(board, name) -> None:
    one = board(None, board=name)
    one.run(3)
    assert "ready on " + name in one.console.text
    one.console_write("get cycles\r")
    one.run(1)
    cycles = [line for line in one.console.text.splitlines() if "cycles=" in line]
    assert cycles, one.console.text
    assert 290 <= int("".join(c for c in cycles[-1].split("cycles=")[1].split()[0] if c.isdigit())) <= 300
    assert "Traceback" not in one.console.text
    assert [cause for _, cause in one.resets] == ["power"]
    assert one.outputs.gate_edges >= 290 and not one.outputs.contactor


def test_board_files_hold_no_logic() -> None:
    for name in BOARDS:
        tree = ast.parse((ROOT / "boards" / name / "board.py").read_text())
        assert sum(isinstance(node, (ast.If, ast.For, ast.While)) for node in ast.walk(tree)) == 0
