# SPDX-License-Identifier: MIT
"""What the DSP of an ADE9000 measures, as register contents.

Sources: ADE9000 data sheet (full-scale codes, line period, gains), UG-1098 (energy accumulation, period range).
Independent of any driver. The SPI side of the part runs on the board: modules/_part_ade9000.py.
"""

from __future__ import annotations

from struct import Struct

from hil.plant.interface import AfeReading

RMS_FULL_CODE = 52_702_092
POWER_FULL_CODE = 20_694_066
SAMPLE_HZ = 8000
PERIOD_HZ = 8000 * 65536  # f = 8000 * 2^16 / (xPERIOD + 1)
PERIOD_50 = 0x00A00000
PERIOD_60 = 0x00855554
PER_PHASE = 19  # registers of a phase from 0x680 on
RUN, ACCMODE, CONFIG1 = 0x480, 0x492, 0x481
SELFREQ = 1 << 8
# Gain registers of phase A; B and C follow at 0x20: gain = 1 + register / 2^27.
IGAIN, VGAIN, PGAIN, GAIN_STRIDE = 0x000, 0x00B, 0x00E, 0x20

_PHASE = Struct(">19i")
_PERIODS = Struct(">4i")
_TAIL = Struct("<III6q")  # sequence, lines, spare, energies


def _signed(value: int) -> int:
    return value - (1 << 32) if value & 1 << 31 else value


class Ade9000:
    """Turns an AfeReading into registers. full_mv, full_ma: RMS at the terminals for the full-scale code."""

    def __init__(self, full_mv: int, full_ma: int) -> None:
        self._volt_code = RMS_FULL_CODE * 1000 / full_mv
        self._amp_code = RMS_FULL_CODE * 1000 / full_ma
        self._watt_code = POWER_FULL_CODE / (full_mv * full_ma / 1e6)
        self._energy_code = 3600 * SAMPLE_HZ * self._watt_code  # per Wh
        self._words = [[0] * PER_PHASE for _ in range(3)]
        self._felt: list[tuple[float, ...]] = [(), (), ()]
        self.running = False
        self._nominal_period = PERIOD_50
        self._gains = [[1.0, 1.0, 1.0] for _ in range(3)]  # per phase: voltage, current, power
        self._plain = True

    def write(self, address: int, value: int) -> None:
        """Take a configuration register that the board wrote."""
        self._felt = [(), (), ()]
        if address == RUN:
            self.running = bool(value & 1)
        elif address == CONFIG1 and value & 1:
            self.running = False
            self._nominal_period = PERIOD_50
            self._gains = [[1.0, 1.0, 1.0] for _ in range(3)]
            self._plain = True
        elif address == ACCMODE:
            self._nominal_period = PERIOD_60 if value & SELFREQ else PERIOD_50
        else:
            phase, register = divmod(address, GAIN_STRIDE)
            if phase < 3 and register in (VGAIN, IGAIN, PGAIN):
                self._gains[phase][(VGAIN, IGAIN, PGAIN).index(register)] = 1 + _signed(value) / (1 << 27)
                self._plain = all(gain == 1.0 for row in self._gains for gain in row)

    def encode(self, reading: AfeReading, message: bytearray, at: int) -> None:
        """Write the register block of `reading` into message from offset `at`."""
        if not self.running:
            message[at : at + 320] = bytes(320)
            return
        periods = []
        lines = 0
        for phase in range(3):
            felt = (
                reading.voltage_v[phase],
                reading.current_a[phase],
                reading.active_w[phase],
                reading.reactive_var[phase],
            )
            if felt != self._felt[phase]:
                self._felt[phase] = felt
                self._encode_phase(phase, *felt)
            _PHASE.pack_into(message, at + phase * 4 * PER_PHASE, *self._words[phase])
            period_s = reading.line_period_s[phase]
            # Outside 40..70 Hz, or without zero crossings, the part shows the nominal period.
            if 1 / 70 <= period_s <= 1 / 40:
                periods.append(int(period_s * PERIOD_HZ + 0.5) - 1)
                lines |= 1 << phase
            else:
                periods.append(self._nominal_period)
        _PERIODS.pack_into(message, at + 244, *periods, periods[0])
        code = self._energy_code
        taken, given = reading.import_wh, reading.export_wh
        _TAIL.pack_into(
            message,
            at + 260,
            reading.sequence & 0xFFFFFFFF,
            lines,
            0,
            int(taken[0] * code),
            int(given[0] * code),
            int(taken[1] * code),
            int(given[1] * code),
            int(taken[2] * code),
            int(given[2] * code),
        )

    def _encode_phase(self, phase: int, volts: float, amps: float, watts: float, vars_: float) -> None:
        if not self._plain:
            gain_v, gain_i, gain_p = self._gains[phase]
            volts, amps = volts * gain_v, amps * gain_i
            watts, vars_ = watts * gain_v * gain_i * gain_p, vars_ * gain_v * gain_i * gain_p
        watt_code = self._watt_code
        words = self._words[phase]
        words[2] = words[13] = words[15] = words[17] = int(amps * self._amp_code + 0.5)
        words[3] = words[14] = words[16] = words[18] = int(volts * self._volt_code + 0.5)
        words[4] = words[11] = int(watts * watt_code)
        words[5] = words[12] = int(volts * amps * watt_code)
        words[6] = words[7] = int(vars_ * watt_code)
