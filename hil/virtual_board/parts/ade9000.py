# SPDX-License-Identifier: MIT
"""What the DSP of an ADE9000 measures, as register contents.

Sources: ADE9000 data sheet (full-scale codes, line period, gains), UG-1098 (energy accumulation, period range).
Independent of any driver. The SPI side of the part runs on the board: modules/_part_ade9000.py.
"""

from __future__ import annotations

import numpy as np

from hil.plant.interface import AfeReading
from hil.virtual_board.parts.ade9000_core import encode_registers

RMS_FULL_CODE = 52_702_092
POWER_FULL_CODE = 20_694_066
SAMPLE_HZ = 8000
PERIOD_HZ = 8000 * 65536  # f = 8000 * 2^16 / (xPERIOD + 1)
PERIOD_50 = 0x00A00000
PERIOD_60 = 0x00855554
PER_PHASE = 19  # registers of a phase from 0x680 on
LAGS = slice(268, 272)  # of a message's registers: ANGL_VA_VB, ANGL_VA_VC
COUNT_HZ = 1_024_000  # angles are times between zero crossings, in counts of this
BLOCK = 320  # bytes of a message that hold the registers
RUN, ACCMODE, CONFIG1 = 0x480, 0x492, 0x481
SELFREQ = 1 << 8
# Gain registers of phase A; B and C follow at 0x20: gain = 1 + register / 2^27.
IGAIN, VGAIN, PGAIN, GAIN_STRIDE = 0x000, 0x00B, 0x00E, 0x20


def _signed(value: int) -> int:
    return value - (1 << 32) if value & 1 << 31 else value


class Ade9000:
    """Turns an AfeReading into registers. full_mv, full_ma: RMS at the terminals for the full-scale code."""

    def __init__(self, full_mv: int, full_ma: int) -> None:
        volt_code = RMS_FULL_CODE * 1000 / full_mv
        amp_code = RMS_FULL_CODE * 1000 / full_ma
        watt_code = POWER_FULL_CODE / (full_mv * full_ma / 1e6)
        # Codes per V, A, W (and var), VA and Wh.
        self._full = np.array((volt_code, amp_code, watt_code, watt_code, 3600 * SAMPLE_HZ * watt_code))
        self._felt: tuple[float, tuple[float, float]] = (0.0, (0.0, 0.0))
        self._angles = np.zeros(4, np.uint8)
        self._reset()

    def _reset(self) -> None:
        self.running = False
        self._nominal_period = PERIOD_50
        self._gains = [{VGAIN: 1.0, IGAIN: 1.0, PGAIN: 1.0} for _ in range(3)]
        self._codes = np.array([self._full] * 3)

    def write(self, address: int, value: int) -> None:
        """Take a configuration register that the board wrote."""
        if address == RUN:
            self.running = bool(value & 1)
        elif address == CONFIG1 and value & 1:
            self._reset()
        elif address == ACCMODE:
            self._nominal_period = PERIOD_60 if value & SELFREQ else PERIOD_50
        else:
            phase, register = divmod(address, GAIN_STRIDE)
            if phase < 3 and register in (VGAIN, IGAIN, PGAIN):
                self._gains[phase][register] = 1 + _signed(value) / (1 << 27)
                self._correct(phase)

    def _lags(self, reading: AfeReading) -> np.ndarray:
        """Return the two angle registers, little endian; 0 without zero crossings."""
        period_s = float(reading.line_period_s[0])
        felt = (period_s, reading.lag_deg)
        if felt != self._felt:
            self._felt = felt
            codes = [round(lag / 360 * period_s * COUNT_HZ) for lag in reading.lag_deg]
            self._angles = np.array(codes, "<u2").view(np.uint8)
        return self._angles

    def _correct(self, phase: int) -> None:
        gains = self._gains[phase]
        power = gains[VGAIN] * gains[IGAIN]
        self._codes[phase] = self._full * np.array((gains[VGAIN], gains[IGAIN], power * gains[PGAIN], power, 1.0))

    def encode(self, reading: AfeReading, block: np.ndarray) -> None:
        """Write the registers that show `reading` into block: BLOCK bytes of a message."""
        if self.running:
            encode_registers(reading.row, self._codes, self._nominal_period, block)
            block[LAGS] = self._lags(reading)
        else:
            block[:] = 0
