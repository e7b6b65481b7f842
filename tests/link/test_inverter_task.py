# SPDX-License-Identifier: MIT
"""The inverter task on the MicroPython VM against a pymodbus device whose registers pysunspec2's models describe."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sunspec_image as image
from modbus_peer import Line, Server

from backfeed import vm

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests" / "link" / "vm" / "inverter_runs.py"
ALLOWED = {"inverter_enable": 1, "lease_ok": 1}


def run(path: str, script: list, baud: int = 115200) -> list[dict]:
    """Run the task through a script of [at_ms, outputs]; return the sample at each entry."""
    environment = dict(os.environ, MICROPYPATH=f"{ROOT / 'firmware'}:.frozen")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(script, file)
        file.flush()
        command = [*vm.unix_vm(), str(RUNNER), path, str(baud), file.name]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)["samples"]


class Rig:
    """A line with a SunSpec device on it."""

    def __init__(self, models: list, base: int = 40000):
        self.line = Line()
        self.base = base
        self.image = image.device(models)
        self.server = Server({1: (base, self.image)}, self.line.device)

    def address(self, model: int, point: str) -> int:
        return self.base + image.start_of(self.image, model) + image.offset(model, point)

    def value(self, model: int, point: str, registers: int = 1, signed: bool = True) -> int:
        at = self.address(model, point) - self.base
        raw = b"".join(word.to_bytes(2, "big") for word in self.server.registers[1][at : at + registers])
        return int.from_bytes(raw, "big", signed=signed)

    def written(self, model: int, point: str) -> list[list[int]]:
        """Values from `point` on of every write that covered it."""
        address = self.address(model, point)
        return [
            values[address - start :]
            for _, start, values in self.server.writes
            if start <= address < start + len(values)
        ]

    def close(self) -> None:
        self.server.close()
        self.line.close()


def models(**changes: dict) -> list:
    """The standard inverter with changed points: models(m713={"SoC": None})."""
    changed = copy.deepcopy(image.INVERTER)
    for name, points in changes.items():
        next(values for number, values in changed if number == int(name[1:])).update(points)
    return changed


@pytest.fixture
def rigs() -> Iterator:
    made: list[Rig] = []

    def make(*args, **kwargs) -> Rig:
        made.append(Rig(*args, **kwargs))
        return made[-1]

    yield make
    for rig in made:
        rig.close()


@pytest.mark.parametrize("base", [40000, 0, 50000])
def test_it_finds_the_device_and_reads_it_in_our_sign(rigs, base):
    rig = rigs(image.INVERTER, base)
    last = run(rig.line.master, [[0, ALLOWED], [2500, {}]])[-1]
    assert last["online"] == 1 and last["error"] == "" and last["model"] == "Test inverter"
    box = last["inverter"]
    assert (box["power_w"], box["reactive_var"]) == (3000, -25), "SunSpec +W is export, +Var is injected"
    assert (box["state"], box["connected"], box["alarms"]) == (3, 1, 0)
    assert (box["charge_w"], box["discharge_w"]) == (7360, 5000), "the smaller of nameplate and setting"
    assert last["driver"]["own_anti_islanding"] == 1 and last["driver"]["reactive_max_var"] == 2000
    battery = last["battery"]
    assert (battery["soc_ok"], battery["soc_permille"], battery["cdeg"]) == (1, 553, 2510)
    assert last["inverter_age_ms"] < 300
    assert box["sequence"] % 2 == 0


def test_models_are_found_wherever_they_stand(rigs):
    order = [image.INVERTER[i] for i in (0, 6, 4, 3, 2, 5, 1)]
    order.insert(3, (712, {"NPt": 0, "NCrv": 0}))
    rig = rigs(order)
    last = run(rig.line.master, [[0, ALLOWED], [2500, {}]])[-1]
    assert last["online"] == 1 and last["inverter"]["power_w"] == 3000 and last["battery"]["soc_permille"] == 553


def test_setpoint_goes_out_at_10_hz_in_their_sign(rigs):
    rig = rigs(image.INVERTER)
    run(rig.line.master, [[0, dict(ALLOWED, inverter_w=-1500, inverter_var=70)], [3500, {}]])
    assert rig.value(704, "WSet", 2) == 1500, "our export is their generation"
    assert rig.value(704, "VarSet", 2) == -70
    assert (rig.value(704, "WSetEna"), rig.value(704, "WSetMod"), rig.value(704, "WSetRvrt", 2)) == (1, 1, 0)
    assert (rig.value(704, "WSetRvrtTms", 2), rig.value(704, "WSetEnaRvrt")) == (4, 1)
    assert rig.value(715, "OpCtl") == 1
    assert len(rig.written(704, "WSet")) >= 22, "2.5 s or more at 10 Hz"


def test_boot_is_zero_even_for_an_inverter_left_running(rigs):
    rig = rigs(models(m704={"WSetEna": 1, "WSetMod": 1, "WSet": 5000}))
    run(rig.line.master, [[0, {"inverter_w": -3000}], [2500, {}]])
    assert rig.value(704, "WSet", 2) == 0
    assert all(values[:2] == [0, 0] for values in rig.written(704, "WSet")), "no permission, no power"
    assert rig.written(704, "WSet")[0][:2] == [0, 0] and rig.value(715, "OpCtl") == 0


def test_heartbeat_and_lease_are_renewed_only_with_permission(rigs):
    rig = rigs(image.INVERTER)
    script = [[0, dict(ALLOWED, inverter_w=2000)], [3500, {"lease_ok": 0}], [6500, {}]]
    beats_with = []

    def watch():
        time.sleep(3.9)
        beats_with.append(len(rig.written(715, "ControllerHb")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    run(rig.line.master, script)
    watcher.join()
    beats = rig.written(715, "ControllerHb")
    assert [values[1] for values in beats] == list(range(1, len(beats) + 1)), "counts up by one"
    assert 3 <= beats_with[0] <= 5
    assert len(beats) <= beats_with[0] + 1, "no heartbeat after permission ended"
    assert rig.value(704, "WSet", 2) == 0, "without permission the setpoint is zero"


def test_a_trip_is_written_at_once(rigs):
    rig = rigs(image.INVERTER)
    stamps: list[tuple[float, list[int]]] = []
    wset = rig.address(704, "WSet")
    rig.server.before = lambda unit, function, address, count, values: stamps.append(
        (time.monotonic(), list(values))
    ) if values and address == wset else None  # fmt: skip
    script = [[0, dict(ALLOWED, inverter_w=-3000)]]
    for number in range(10):  # between two regular commands, at ten different phases
        at_ms = 2000 + number * 333
        script.append([at_ms, {"inverter_w": 0 if number % 2 == 0 else -3000, "urgent": number + 1}])
    script.append([6000, {}])
    run(rig.line.master, script)
    changes = [at for (at, values), (_, before) in zip(stamps[1:], stamps[:-1], strict=True) if values != before]
    assert len(changes) == 10
    gaps_ms = [round(1000 * (b - a)) for a, b in zip(changes[:-1], changes[1:], strict=True)]
    print(f"between trips, scripted 333 ms apart: {gaps_ms}")
    off_ms = sorted(abs(gap - 333) for gap in gaps_ms)
    assert off_ms[len(off_ms) // 2] <= 60, "a regular command would be up to 100 ms late"


def test_unknown_charge_and_temperature_are_not_numbers(rigs):
    rig = rigs(models(m713={"SoC": None}, m714={"Tmp_SF": None, "Prt": [{"PrtTyp": 2, "Tmp": None}]}))
    battery = run(rig.line.master, [[0, ALLOWED], [3000, {}]])[-1]["battery"]
    assert (battery["received"], battery["soc_ok"], battery["soc_permille"], battery["cdeg"]) == (1, 0, 0, -27315)


def test_storage_in_error_is_not_believed(rigs):
    rig = rigs(models(m713={"Sta": 2}))
    battery = run(rig.line.master, [[0, ALLOWED], [3000, {}]])[-1]["battery"]
    assert (battery["soc_ok"], battery["soc_permille"]) == (0, 0)


def test_alarms_and_disconnection_reach_the_mailbox(rigs):
    rig = rigs(models(m701={"Alrm": 1 << 4 | 1 << 10, "ConnSt": 0, "InvSt": 6}))
    box = run(rig.line.master, [[0, ALLOWED], [2000, {}]])[-1]["inverter"]
    assert (box["alarms"], box["connected"], box["state"]) == (1 << 4 | 1 << 10, 0, 6)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param([row for row in image.INVERTER if row[0] != 704], ["no model 704", "701"], id="no 704"),
        pytest.param(models(m704={"WSet_SF": 77}), ["scale factor 0x004D"], id="impossible factor"),
        pytest.param(models(m704={"WSet_SF": -9}), ["setpoint scale factor -9"], id="factor too fine"),
        pytest.param(
            models(m702=dict.fromkeys(
                ("WMaxRtg", "WMax", "WChaRteMaxRtg", "WChaRteMax", "WDisChaRteMaxRtg", "WDisChaRteMax"))),
            ["no power rating"], id="no rating",
        ),
        pytest.param(
            models(m702={"WMaxRtg": 65000, "WMax": 65000, "WChaRteMaxRtg": 65000, "WChaRteMax": 65000, "W_SF": 3}),
            ["65000000 W is impossible"], id="impossible rating",
        ),
    ],
)  # fmt: skip
def test_a_device_that_cannot_be_used_is_named(rigs, changed, words):
    rig = rigs(changed)
    last = run(rig.line.master, [[0, ALLOWED], [1500, {}]])[-1]
    assert last["online"] == 0 and last["inverter"]["received"] == 0
    assert "inverter 1" in last["error"] and all(word in last["error"] for word in words), last["error"]
    assert not rig.written(701, "W")


def test_a_device_that_is_not_sunspec_is_named(rigs):
    line = Line()
    server = Server({1: (40000, [0x1234] * 50)}, line.device)
    try:
        last = run(line.master, [[0, ALLOWED], [1500, {}]])[-1]
    finally:
        server.close()
        line.close()
    assert "not SunSpec" in last["error"] and "register 40000 reads 1234 1234" in last["error"]


def test_loss_is_noticed_and_the_device_comes_back_by_itself(rigs):
    rig = rigs(image.INVERTER)
    gone = threading.Event()
    rig.line.fault = lambda to_device, data: b"" if gone.is_set() else data

    def cut():
        time.sleep(2.0)
        gone.set()
        time.sleep(4.0)
        gone.clear()

    cutter = threading.Thread(target=cut)
    cutter.start()
    samples = run(rig.line.master, [[0, ALLOWED], [1800, {}], [5500, {}], [12000, {}]])
    cutter.join()
    assert samples[1]["online"] == 1
    assert samples[2]["online"] == 0 and samples[2]["inverter_age_ms"] > 2000, "what is stale keeps its age"
    assert samples[3]["online"] == 1 and samples[3]["reconnects"] >= 1 and samples[3]["inverter_age_ms"] < 300


@pytest.mark.parametrize("baud", [9600, 19200])
def test_slow_lines_keep_the_command_rate(rigs, baud):
    rig = rigs(image.INVERTER)
    last = run(rig.line.master, [[0, dict(ALLOWED, inverter_w=-100)], [5000, {}]], baud)[-1]
    assert last["online"] == 1 and last["errors"] == 0
    rate_hz = len(rig.written(704, "WSet")) / 4
    print(f"{baud} Bd: {rate_hz} commands a second, status {last['inverter_age_ms']} ms old")
    assert rate_hz >= 8
    assert last["inverter_age_ms"] < 700
