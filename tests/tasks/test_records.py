# SPDX-License-Identifier: MIT
"""Energy, session and trip records of the whole firmware in closed loop: what the plant did is what FRAM says."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import comtrade
import pytest
from board_console import ask

from backfeed import firmware_ask
from backfeed.console_link import Answer
from backfeed.errors import PartError
from backfeed.trips import parse, write_comtrade, write_plot
from hil.plant.config import StationConfig
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

EXPORT_W = 4000


@dataclass
class Run:
    """What the board showed at each stage."""

    board: VirtualBoard
    station: Station
    fram: Path

    def ask(self, *lines: str, wait_s: float = 0.5) -> str:
        """Type lines; return what the console has shown for them."""
        return "".join([ask(self.board, line, wait_s) for line in lines])


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, f"{pattern} not in {text!r}"
    return float(found[1])


@pytest.fixture(scope="module")
def tripped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A session: plugged in, exports 4 kW for 60 s, the voltage rises to 285 V, the protection trips."""
    folder = tmp_path_factory.mktemp("records")
    fram = folder / "fram.bin"
    firmware_ask.write_settings(fram, {"profile": "uk_g98", "soc_taper_permille": 0})
    station = Station(StationConfig())
    with VirtualBoard(station, fram_path=fram) as board:
        run = Run(board, station, fram)
        board.run(3)
        run.ask("mode script", "time 1790000000")
        station.vehicle.plug()
        assert board.run_while(lambda: not board.outputs.contactor, 60)
        run.ask(f"setpoint -{EXPORT_W} 600")
        board.run(60)
        station.grid.set(voltage_v=285.0)
        board.run(6)
        station.grid.set(voltage_v=230.0)
        board.run(4)
        yield run


def test_energy_is_the_plants_own(tripped: Run) -> None:
    shown = tripped.ask("energy")
    exported_wh = number(r"OK import=\S+ kWh export=(\S+) kWh", shown) * 1000
    imported_wh = number(r"OK import=(\S+) kWh", shown) * 1000
    truth = tripped.station.truth.energy_wh
    out_wh, in_wh = truth["ac_export_wh"], truth["ac_import_wh"]
    assert exported_wh == pytest.approx(out_wh, abs=0.02 * out_wh + EXPORT_W / 3600)
    assert imported_wh == pytest.approx(in_wh, abs=0.02 * in_wh + 2)
    assert exported_wh > 40


def test_a_trip_is_drawn(tripped: Run) -> None:
    shown = tripped.ask("trips", "trip 1", wait_s=1)
    assert re.search(r"1 2026-\S+Z ov2 +L1 28\d\.\d V limit 273\.7 V open \d+ ms", shown), shown
    assert "OK trips=1 recorded=1 since_boot=1" in shown
    assert "OK trip=1 recording=500 rows" in shown
    assert re.search(r"-1 s +\^trip +\+1 s +\+2 s +\+3 s", shown)
    assert re.search(r"gate up #{19,21}\.{29,31}\r", shown)
    assert max(len(line) for line in shown.splitlines()) < 80
    assert re.search(r"picked up: .*ov2", shown)
    assert number(r"gate down: (\d+) ms after", shown) <= 70
    assert "*" in shown


def test_a_recording_holds_two_seconds_before_and_three_after(tripped: Run) -> None:
    shown = tripped.ask("trip 1 data", wait_s=1)
    packed = b"".join(bytes.fromhex(text) for text in re.findall(r"row ([0-9a-f]+)", shown))
    rows = list(struct.iter_unpack("<6h", packed))
    assert len(rows) == 500 and number(r"trip_row=(\d+)", shown) == 199
    volts = [row[0] * 0.02 for row in rows]
    watts = [row[1] for row in rows]
    assert volts[50] == pytest.approx(230, abs=6) and volts[199] == pytest.approx(285, abs=8)
    assert watts[20] == pytest.approx(-EXPORT_W, abs=200)
    assert all(abs(power) < 300 for power in watts[230:]), "power went on after the trip"
    assert rows[199][5] & 0xFFFE and rows[0][5] & 1 and not rows[230][5] & 1


def test_a_recording_becomes_comtrade_and_a_page(tripped: Run, tmp_path: Path) -> None:
    lines = tripped.ask("trip 1 data", wait_s=1).replace("\r", "").splitlines()
    trip = parse(1, Answer(True, "", lines))
    path = write_comtrade(trip, tmp_path)
    record = comtrade.load(str(path), str(path.with_suffix(".dat")))
    assert record.total_samples == 500 and record.frequency == 50
    assert record.analog_channel_ids == ["V L1", "P L1", "Q L1", "f", "df/dt"]
    assert record.analog[0][50] == pytest.approx(230, abs=6) and record.analog[0][199] == pytest.approx(285, abs=8)
    assert record.analog[3][100] == pytest.approx(50, abs=0.05)
    assert record.trigger_time == pytest.approx(1.99, abs=0.001)
    gate = record.status[record.status_channel_ids.index("gate up")]
    element = record.status[record.status_channel_ids.index("ov2 picked up")]
    assert gate[100] == 1 and gate[230] == 0 and element[199] == 1 and element[100] == 0
    page = write_plot(trip, tmp_path).read_text()
    assert "Trip 1: ov2" in page and "cdn.plot.ly" not in page.split("<script")[0]


def test_a_recording_of_a_60_hz_grid_says_so(tmp_path: Path) -> None:
    head = "recording phases=1 period_ms=10 rows=2 trip_row=0 utc_s=0 element=1 crc=0"
    rows = "".join(struct.pack("<6h", 6000, 0, 0, frequency, 0, 1).hex() for frequency in (9990, 10010))
    path = write_comtrade(parse(1, Answer(True, "", [head, "row " + rows])), tmp_path)
    record = comtrade.load(str(path), str(path.with_suffix(".dat")))
    assert record.frequency == 60 and record.analog[3][0] == pytest.approx(59.99)


def test_a_recording_of_three_phases_has_all_channels(tmp_path: Path) -> None:
    head = "recording phases=3 period_ms=10 rows=2 trip_row=1 utc_s=1790000000 element=2 crc=0"
    row = struct.pack("<12h", 11500, 11501, 11502, -1, -2, -3, 4, 5, 6, -12, 700, 5).hex()
    path = write_comtrade(parse(1, Answer(True, "", [head, "row " + row, "row " + row])), tmp_path)
    record = comtrade.load(str(path), str(path.with_suffix(".dat")))
    names = [f"{name} L{phase}" for name in "VPQ" for phase in (1, 2, 3)]
    assert record.analog_channel_ids == [*names, "f", "df/dt"]
    shown = [channel[1] for channel in record.analog]
    assert shown == pytest.approx([230, 230.02, 230.04, -1, -2, -3, 4, 5, 6, 49.988, 0.7])
    assert record.status[0][1] == 1 and record.status[2][1] == 1 and record.status[1][1] == 0


def test_a_recording_that_is_not_whole_is_refused() -> None:
    with pytest.raises(PartError, match="no recording came"):
        parse(3, Answer(True, "trip=3 recording=none", []))
    head = "recording phases=1 period_ms=10 rows=2 trip_row=0 utc_s=0 element=1 crc=0"
    with pytest.raises(PartError, match="12 bytes came of 2 rows"):
        parse(3, Answer(True, "", [head, "row " + "00" * 12]))


def test_the_session_is_recorded_when_the_vehicle_leaves(tripped: Run) -> None:
    tripped.station.vehicle.unplug()
    tripped.board.run(3)
    shown = tripped.ask("sessions", "log 20")
    assert re.search(r"1 2026-\S+ +0:0\d:\d\d h import=\d+ Wh export=\d+ Wh", shown), shown
    assert re.search(r"soc=\S+\.\.\S+% trips=1 end=PowerQuality", shown), shown
    assert "session_end PowerQuality" in shown
    exported_wh = number(r"export=(\d+) Wh", shown)
    assert exported_wh == pytest.approx(tripped.station.truth.energy_wh["ac_export_wh"], abs=3)


def test_a_power_cut_costs_at_most_a_second_of_flow(tmp_path: Path) -> None:
    fram = tmp_path / "fram.bin"
    firmware_ask.write_settings(fram, {"profile": "uk_g98"})
    station = Station(StationConfig())
    with VirtualBoard(station, fram_path=fram) as board:
        run = Run(board, station, fram)
        station.vehicle.plug()
        assert board.run_while(lambda: not board.outputs.contactor, 60)
        board.run(30.37)
        power_w = station.truth.power_w
        assert power_w > 3000
        flowed_wh = station.truth.energy_wh["ac_import_wh"]
        board.power_cut(1.0)
        board.run(3)
        shown = run.ask("mode script", "energy", "sessions")
        kept_wh = number(r"OK import=(\S+) kWh", shown) * 1000
        assert flowed_wh * 0.995 - power_w / 3600 <= kept_wh <= flowed_wh * 1.005 + 0.1
        assert re.search(r"1 boot 1 +0:00:\d\d h import=\d+ Wh export=0 Wh\s+soc=.* end=PowerLoss", shown), shown
        print(f"lost {flowed_wh - kept_wh:.2f} Wh at {power_w:.0f} W")
