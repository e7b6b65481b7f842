# SPDX-License-Identifier: MIT
"""`bringup` on the virtual board: a healthy board has nothing wrong, and each fault has its own sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "drivers"))

from charger import Charger  # noqa: E402

from backfeed.bringup import PARTS, Finding
from backfeed.console_link import Answer
from hil.plant import sunspec_old
from hil.plant.config import StationConfig
from hil.plant.station import Station
from hil.plant.sunspec_map import BASE, SunSpecMap
from hil.plant.sunspec_values import power_up
from hil.virtual_board import VirtualBoard
from hil.virtual_board.faults import SPI_NOISE

MAP = SunSpecMap(power_up(StationConfig()))
Spoil = Callable[[Station, VirtualBoard], None]


def ask(board: VirtualBoard, part: str) -> Finding:
    """Type the verb and return what the host tool makes of the answer."""
    board.console.write(b"mode script\r")
    board.run(0.3)
    start = len(board.console.text)
    board.console.write(f"bringup {part}\r".encode())
    board.run(3)
    lines = [line.strip("\r") for line in board.console.text[start:].split("\n")]
    end = next(at for at, line in enumerate(lines) if line.startswith(("OK", "ERR")))
    word, _, rest = lines[end].partition(" ")
    return Finding.of(part, Answer(word == "OK", rest, lines[:end]))


def board_with(spoil: Spoil | None = None) -> VirtualBoard:
    station = Station()
    board = VirtualBoard(station, board="virtual")
    if spoil:
        spoil(station, board)
    return board


def test_a_healthy_board_has_nothing_wrong() -> None:
    with board_with() as board:
        board.run(8)
        findings = {part: ask(board, part) for part in PARTS if part != "meter"}
        assert not board.outputs.contactor
        assert not board.outputs.gate_arm
    assert {part: found.wrong for part, found in findings.items() if found.wrong} == {}
    assert findings["afe"].values["version"].startswith("0x")
    assert findings["inverter"].values["model"] == "Simulated bidirectional inverter"
    assert findings["memory"].values["write_and_read"] == "ok"
    assert findings["pilot"].values["state"] == "A"


def plant_fault(name: str, value: object = None) -> Spoil:
    return lambda station, board: station.faults.set(name, value)


def stuck(name: str, level: int) -> Spoil:
    return lambda station, board: board.faults.stuck_inputs.__setitem__(name, level)


def noisy_spi(station: Station, board: VirtualBoard) -> None:
    station.at(5_000_000, setattr, board.faults, "spi", SPI_NOISE)


def frozen(station: Station, board: VirtualBoard) -> None:
    station.at(5_000_000, setattr, board.faults, "afe_frozen", True)


def not_sunspec(station: Station, board: VirtualBoard) -> None:
    station.inverter.map.registers[0:2] = [0x1234, 0x5678]


def put(point: str, value: int) -> Spoil:
    """The inverter's registers say something impossible."""
    return lambda station, board: station.inverter.map.set_raw(point, value)


def without(model: int) -> Spoil:
    """The inverter lacks a model: a maker's own stands in its place."""

    def spoil(station: Station, board: VirtualBoard) -> None:
        inverter = station.inverter.map
        inverter.registers[inverter.models[model]] = 64900

    return spoil


def old(change: Callable[[sunspec_old.OldInverter], object]) -> Spoil:
    return lambda station, board: change(sunspec_old.install(station))


def register(point: str) -> str:
    """Return how a sentence names a register of the simulated inverter."""
    path = point if "." in point else f"{point}.ID"
    return f"register {BASE + MAP.points[path].address}: "


def wrong_speed(station: Station, board: VirtualBoard) -> None:
    """The device's bytes come at another speed: as many, and none right."""
    board.line.disturb = lambda to_board, data: bytes(byte ^ 0xA5 for byte in data) if to_board else data


def reversed_ct(station: Station, board: VirtualBoard) -> None:
    """A current transformer on another wire: current behind an open contactor."""

    def hook(t_us, outputs, inputs) -> None:
        inputs.afe.current_a[0] = 6.0

    board.hooks.append(hook)


@pytest.mark.parametrize(
    ("part", "spoil", "sentence"),
    [
        pytest.param("afe", plant_fault("afe_no_voltage"), "L1 has no voltage", id="no voltage"),
        pytest.param("afe", plant_fault("afe_gain_v", 1.5), "check afe_voltage_full_mv", id="wrong divider"),
        pytest.param("afe", noisy_spi, "the SPI is disturbed", id="SPI noise"),
        pytest.param("afe", frozen, "the front end is frozen", id="frozen"),
        pytest.param("afe", reversed_ct, "carries 6", id="transformer on another wire"),
        pytest.param("inverter", plant_fault("modbus_silent"), "nothing answers at address 1 at 11", id="silent"),
        pytest.param("inverter", not_sunspec, "register 40000 reads 1234 5678", id="not SunSpec"),
        pytest.param("inverter", without(702), "inverter 1 has no model 702; it has 1 at 40002, 701 at ", id="no 702"),
        pytest.param("inverter", without(704), "inverter 1 has no model 704; it has 1 at 40002, 701 at ", id="no 704"),
        pytest.param(
            "inverter", put("701.L", 0), register("701") + "model 701 of length 0; not a SunSpec", id="broken chain"
        ),
        pytest.param("inverter", put("702.L", 20), "not a SunSpec chain", id="a length that leads nowhere"),
        pytest.param(
            "inverter", put("701.W_SF", 11), register("701.W_SF") + "scale factor 0x000B is not -10..10", id="W_SF"
        ),
        pytest.param(
            "inverter", put("704.WSet_SF", -9), register("704.WSet_SF") + "setpoint scale factor -9", id="WSet_SF"
        ),
        pytest.param(
            "inverter", put("702.W_SF", 5), register("702.WChaRteMaxRtg") + "rating of 740000000 W", id="rating"
        ),
        pytest.param(
            "inverter", old(lambda bank: bank.map.set_raw("120.WRtg_SF", 9)), "rating of 740 x 10^9 W", id="old rating"
        ),
        pytest.param(
            "inverter", old(lambda bank: bank.map.set_raw("124.InOutWRte_SF", 3)), "of a percentage", id="old factor"
        ),
        pytest.param("inverter", wrong_speed, "another speed or parity", id="wrong speed"),
        pytest.param("inverter", plant_fault("modbus_unit"), "no whole frame for us", id="wrong address"),
        pytest.param("pilot", plant_fault("pilot_short"), "shorted to earth, or its generator", id="short"),
        pytest.param("pilot", plant_fault("pilot_supply", 10.5), "check the +12 V supply", id="pilot supply"),
        pytest.param("inputs", plant_fault("mirror_broken"), "no 24 V at the mirror contact", id="no 24 V"),
        pytest.param("inputs", plant_fault("rcd_stuck"), "the RCD input is low", id="RCD"),
        pytest.param("inputs", plant_fault("estop"), "the emergency stop input is low", id="emergency stop"),
        pytest.param("temperatures", plant_fault("board_hot", 120.0), "the board sensor reads", id="hot"),
        pytest.param("temperatures", plant_fault("connector_hot", 70.0), "one sensor is wrong", id="apart"),
        pytest.param("gate", plant_fault("gate_stuck_up"), "the gate is up although its arm", id="gate stuck"),
    ],
)
def test_each_fault_has_its_sentence(part: str, spoil: Spoil, sentence: str) -> None:
    with board_with(spoil) as board:
        board.run(4 if part == "inverter" else 8)
        found = ask(board, part)
    assert any(sentence in text for text in found.wrong), found


@pytest.mark.parametrize("order", ["L1-L2-L3", "L1-L3-L2"])
def test_the_order_of_the_phases_is_told(tmp_path: Path, order: str) -> None:
    station = Station(StationConfig(phases=3))
    station.grid.order(order)
    with Charger(tmp_path, station, {"phases": 3}) as charger:
        charger.run(4)
        charger.ask("bringup afe")
        charger.run(1)
        shown = str(charger.board.console.text)
    lags = "lag_behind_l1=120 240" if order == "L1-L2-L3" else "lag_behind_l1=240 120"
    assert lags in shown, shown[-600:]
    assert ("wrong: the phases turn L1-L3-L2" in shown) == (order == "L1-L3-L2")


def test_the_host_tool_on_a_pseudo_terminal() -> None:
    """The whole way: command line, PTY, running firmware, a fault, exit code 1; then a healthy part and exit code 0."""
    station = Station()
    station.faults.set("mirror_broken")
    with VirtualBoard(station, board="virtual", realtime=True) as board:
        board.run(3)
        code, findings = on_the_command_line(board, "inputs")
        assert code == 1, findings
        assert "no 24 V at the mirror contact" in findings[0]["wrong"][0]
        code, findings = on_the_command_line(board, "memory")
        assert code == 0, findings
        assert findings[0]["values"]["write_and_read"] == "ok"


def on_the_command_line(board: VirtualBoard, part: str) -> tuple[int, list[dict]]:
    """Run `backfeed bringup PART PORT --json` while the board lives on."""
    command = [sys.executable, "-m", "backfeed.cli", "bringup", part, board.console.port, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(300):
        board.run(0.1)
        if process.poll() is not None:
            break
    else:
        process.kill()
    out, err = process.communicate()
    assert out, err
    return process.returncode, json.loads(out)


def test_an_unknown_part_is_refused() -> None:
    with board_with() as board:
        board.run(4)
        with pytest.raises(Exception, match="afe|inputs"):
            ask(board, "nonsense")


@pytest.mark.parametrize(
    ("charger_w", "meter_w", "sentence"),
    [
        (480, 500, ""),
        (480, -500, "it counts the other way"),
        (480, 20, "it does not see the charger"),
        (480, 1500, "wrong transformer ratio"),
        (100, -500, "the meter is not judged"),
    ],
)
def test_the_meter_moved_by_500_w(charger_w: int, meter_w: int, sentence: str) -> None:
    from evse.tasks.bringup import Findings
    from evse.tasks.bringup_meter import _judge

    found = Findings()
    _judge(found, 500, charger_w, meter_w)
    said = [line for line in found.lines if line.startswith("wrong: ")]
    assert bool(said) == bool(sentence)
    assert not sentence or sentence in said[0]


@pytest.mark.parametrize(
    ("power_w", "reactive_var", "inverter_w", "sentence"),
    [
        (2300, 0, 2300, ""),
        (-2300, 0, -2300, ""),
        (-2300, 0, 2300, "is the wrong way round"),
        (2300, 0, -2300, "is the wrong way round"),
        (-1150, 1990, 2300, "voltage and current are of different phases"),
    ],
)
def test_current_transformers_under_load(power_w: int, reactive_var: int, inverter_w: int, sentence: str) -> None:
    from types import SimpleNamespace

    from evse.tasks.bringup import Findings
    from evse.tasks.bringup_afe import _direction

    seen = SimpleNamespace(
        phase_mv=[230000], phase_ma=[10000], phase_w=[power_w], phase_var=[reactive_var], inverter_ok=1,
        inverter_w=inverter_w,
    )  # fmt: skip
    found = Findings()
    _direction(SimpleNamespace(image=SimpleNamespace(inputs=seen)), found, 0)
    assert (found.wrongs > 0) == bool(sentence)
    assert not sentence or sentence in " ".join(found.lines)
