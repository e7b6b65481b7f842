# SPDX-License-Identifier: MIT
"""The driver against the simulated part, which was written from the data sheet without knowing the driver.

Both sides' register tables are compared through what they do: each of the driver's addresses must be the register the
part takes it for, and known quantities must come out as they went in.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
import types
from array import array
from pathlib import Path

import numpy as np
import pytest

import micropython
from evse import fixed
from evse.drivers import ade9000
from evse.drivers import ade9000_registers as reg
from hil.plant.interface import AfeReading
from hil.virtual_board.parts import ade9000 as dsp

MODULE = Path(__file__).parents[2] / "hil" / "virtual_board" / "modules" / "_part_ade9000.py"
SCALES = {"afe_voltage_full_mv": 700743, "afe_current_full_ma": 80353}
IN_SPI_FAULT, IN_AFE, IN_PERIOD, IN_ENERGY = 5, 64, 308, 336


class World:
    """What the virtual board's link gives the part: the inbox, virtual time and a way out."""

    def __init__(self) -> None:
        self.inbox = bytearray(400)
        self.inputs = types.SimpleNamespace(energy=[0] * 6, afe_sequence=0)
        self.now = 0
        self.written: list[tuple[int, int]] = []

    @property
    def synced(self) -> int:
        """The inputs are always up to now."""
        return self.now

    def queue_afe(self, now: int, address: int, value: int) -> None:
        self.written.append((address, value))


class Bench:
    """Driver, SPI side and DSP side wired together."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World()
        link = types.SimpleNamespace(world=self.world, IN_AFE=IN_AFE, IN_PERIOD=IN_PERIOD)
        monkeypatch.setitem(sys.modules, "_link", link)
        for pointer in ("ptr8", "ptr32"):
            monkeypatch.setattr(builtins, pointer, bytearray, raising=False)
        monkeypatch.setattr(builtins, "micropython", micropython, raising=False)
        spec = importlib.util.spec_from_file_location("_part_ade9000", MODULE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.part = module.Ade9000()
        self.dsp = dsp.Ade9000(SCALES["afe_voltage_full_mv"], SCALES["afe_current_full_ma"])
        monkeypatch.setattr(ade9000, "sleep_ms", self.sleep)
        spi = types.SimpleNamespace(write_readinto=self.part.exchange)
        self.afe = ade9000.Ade9000(spi, self.select, SCALES)

    def select(self, level: int) -> None:
        """Drive the chip select, as the board's pin does."""
        self.part.state[:2] = array("I", (1 - level, 0))

    def disturb(self, fault: int) -> None:
        """Disturb each transfer from now on; 0 ends it."""
        self.world.inbox[IN_SPI_FAULT] = fault

    def sleep(self, milliseconds: int) -> None:
        self.world.now += milliseconds * 1000

    def cycle(self) -> None:
        """One reading, 10 ms after the last."""
        self.world.now += 10_000
        self.afe.read()

    def recovers(self, seen: AfeReading | None = None) -> int:
        """Return after how many cycles it is believed again; what it shows then must be what is there."""
        seen = seen or reading()
        for cycles in range(1, 60):
            seen.voltage_v[0] = 229.9 + cycles * 0.01  # a live bus never stands still
            self.show(seen)
            self.cycle()
            if self.afe.ok:
                assert self.afe.phase_mv[0] == pytest.approx(seen.voltage_v[0] * 1000, rel=5e-5)
                return cycles
        raise AssertionError("it does not come back")

    def show(self, reading: AfeReading) -> None:
        """Let the part measure a reading."""
        for address, value in self.world.written:
            self.dsp.write(address, value)
        self.world.written.clear()
        message = bytearray(400)
        message[IN_SPI_FAULT] = self.world.inbox[IN_SPI_FAULT]
        self.dsp.encode(reading, np.frombuffer(message, np.uint8)[IN_AFE : IN_AFE + dsp.BLOCK])
        self.world.inbox[:] = message
        energy = message[IN_ENERGY:]
        for i in range(6):
            self.world.inputs.energy[i] = int.from_bytes(energy[8 * i : 8 * i + 8], "little", signed=True)
        self.world.inputs.afe_sequence = reading.sequence


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def reading(**changes) -> AfeReading:
    values = {
        "sequence": 1,
        "voltage_v": [229.9, 231.3, 228.4],
        "current_a": [31.9, 12.5, 0.75],
        "active_w": [7300.0, -2870.0, 120.0],
        "reactive_var": [-310.0, 90.0, 15.0],
        "line_period_s": [0.02, 1 / 50.04, 1 / 49.51],
    }
    return AfeReading(**{**values, **changes})


@pytest.mark.parametrize("phases", [1, 3])
def test_what_goes_in_comes_out(bench, phases):
    bench.afe.start(phases)
    bench.show(reading())
    bench.afe.read()
    afe = bench.afe
    assert afe.ok == 1 and afe.crc_checked == 1
    for phase in range(phases):
        assert afe.phase_mv[phase] == pytest.approx(reading().voltage_v[phase] * 1000, rel=5e-5)
        assert afe.phase_ma[phase] == pytest.approx(reading().current_a[phase] * 1000, rel=5e-5, abs=1)
        assert afe.phase_w[phase] == pytest.approx(reading().active_w[phase], rel=5e-5, abs=1)
        assert afe.phase_var[phase] == pytest.approx(reading().reactive_var[phase], rel=5e-5, abs=1)
        hertz = fixed.line_period_to_uhz(afe.phase_period[phase]) / 1e6
        assert hertz == pytest.approx(1 / reading().line_period_s[phase], rel=1e-6)


def test_the_part_takes_each_register_for_what_the_driver_means(bench):
    bench.afe.start(3, 60)
    written = dict(bench.world.written)
    assert written[dsp.RUN] == 1 and reg.RUN == dsp.RUN
    assert written[dsp.ACCMODE] == dsp.SELFREQ and reg.ACCMODE == dsp.ACCMODE
    assert written[dsp.CONFIG1] == reg.CONFIG1_BURST_EN and reg.CONFIG1 == dsp.CONFIG1
    assert (reg.VGAIN, reg.IGAIN, reg.PGAIN, reg.GAIN_STRIDE) == (dsp.VGAIN, dsp.IGAIN, dsp.PGAIN, dsp.GAIN_STRIDE)
    assert reg.BURST_STRIDE == dsp.PER_PHASE
    assert (ade9000.RMS_FULL_CODE, ade9000.POWER_FULL_CODE) == (dsp.RMS_FULL_CODE, dsp.POWER_FULL_CODE)
    assert ade9000.SAMPLE_HZ == dsp.SAMPLE_HZ


def test_gains_reach_the_measurement(bench):
    bench.afe.start(3)
    bench.afe.set_gain(1, reg.VGAIN, 20000)
    bench.afe.set_gain(2, reg.IGAIN, -30000)
    bench.show(reading())
    bench.afe.read()
    assert bench.afe.phase_mv == pytest.approx([229900, 231300 * 1.02, 228400], rel=1e-4)
    assert bench.afe.phase_ma == pytest.approx([31900, 12500, 750 * 0.97], rel=1e-4, abs=1)


def test_energy_goes_both_ways_and_adds_up(bench):
    bench.afe.start(3)
    for step in range(4000):
        bench.show(
            reading(
                sequence=step,
                voltage_v=[229.9 + step % 7 * 0.01, 231.3, 228.4],  # a live bus never stands still
                import_wh=[step * 0.02, 0.0, step * 0.005],
                export_wh=[0.0, step * 0.01, 0.0],
            )
        )
        bench.afe.read()
    assert bench.afe.energy_jumps == 0
    assert bench.afe.import_wh == pytest.approx([79.9, 0, 19.9], abs=1.1)
    assert bench.afe.export_wh == pytest.approx([0, 39.9, 0], abs=1.1)


@pytest.mark.parametrize("fault", [1, 2, 3])
def test_a_disturbed_bus_is_noticed(bench, fault):
    bench.afe.start(1)
    bench.show(reading())
    bench.afe.read()
    assert bench.afe.ok == 1
    bench.disturb(fault)
    for _ in range(200):
        bench.cycle()
        assert bench.afe.ok == 0
    bench.disturb(0)
    bench.recovers()


@pytest.mark.parametrize(("spoiled", "believed"), [(2, True), (3, False)])
def test_a_part_that_may_have_frozen_while_disturbed_has_to_move(bench, spoiled, believed):
    bench.afe.start(1)
    bench.show(reading())
    bench.cycle()
    assert bench.afe.ok == 1
    bench.disturb(3)
    bench.show(reading(sequence=2, voltage_v=[229.0, 0.0, 0.0]))  # its last refresh
    for _ in range(spoiled):
        bench.cycle()
        assert bench.afe.ok == 0
    bench.disturb(0)
    before = bench.afe.sequence
    for _ in range(20):
        bench.cycle()
        assert bench.afe.sequence == before + believed, "what it shows may be as old as the disturbance"
    assert bench.recovers() <= 15, "three in a row without our configuration set it up anew, which takes some"


def test_a_part_that_has_reset_is_never_believed_and_comes_back(bench):
    """A brown-out clears RUN, burst mode and gains: it shows a dead bus, which is not to pass for a loss of mains."""
    bench.afe.start(3)
    bench.afe.set_gain(1, reg.VGAIN, 20000)
    bench.show(reading())
    bench.afe.read()
    assert bench.afe.ok == 1
    bench.part._reset()
    bench.dsp.write(dsp.CONFIG1, 1)
    cycles = bench.recovers(reading(sequence=2))
    assert cycles <= 35, "10 ms each"
    assert bench.afe.restarts == 1
    assert bench.afe.phase_mv[1] == pytest.approx(231300 * 1.02, rel=1e-4), "its gains too"
