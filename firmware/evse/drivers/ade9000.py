# SPDX-License-Identifier: MIT
"""ADE9000 three-phase metering front end on SPI: sense reads it once a cycle.

Sources: ADE9000 data sheet (registers, nominal full-scale codes) and UG-1098 technical reference manual (SPI
protocol, energy accumulation). Register names and addresses: `ade9000_registers`.

`read()` makes one SPI burst (per phase P, Q, one-cycle RMS of I and V, refreshed each half cycle), one read of the
line period per phase and, every ENERGY_EVERY reads, one energy register. It allocates nothing: 32-bit registers are
put together only when their top byte shows that the value fits 29 bits; anything else is out of range and makes the
reading not ok. `sequence` counts refreshes, so that a frozen part shows as a sequence that stands still.
"""

from time import sleep_ms

from evse.drivers import ade9000_registers as reg
from evse.link import crc

RMS_FULL_CODE = 52702092  # xIRMS, xVRMS, xIRMSONE, xVRMSONE at full scale: data sheet, "RMS"
POWER_FULL_CODE = 20694066  # xWATT, xVAR at full scale: data sheet, "Total Active Power"
SAMPLE_HZ = 8000  # DSP rate
GAIN_ONE = 1 << 27  # xVGAIN and the like: gain = 1 + register / 2^27
ENERGY_EVERY = 8  # reads from one energy register to the next phase's
ENERGY_SAMPLES = 160  # the part adds to its energy registers every 20 ms
ENERGY_JUMP_CODES = 1 << 24  # more than 3 x full scale in the longest gap between reads: a reset, not energy

RESET_MS = 60  # > 46 ms from software reset to ready: data sheet, "Power-Up"
WORD = 4
HEAD = 2  # command header bytes before the data
RMS_TOP = 0x08  # top byte from which an RMS code is impossible: 2.5 x full scale
POWER_TOP = 0x10  # same for a power's magnitude


class AfeError(OSError):
    """The front end cannot be used; the message names the register, what was read and what was expected."""


class Scale:
    """code -> value by two 30-bit products: value = code * factor / 2^shift, rounded."""

    def __init__(self, full_value: int, full_code: int):
        """full_value: value at full_code, 1..full_code."""
        if not 0 < full_value <= full_code:
            raise ValueError("AFE scale %d is not within 1..%d; check SCALES in pins.py" % (full_value, full_code))
        shift = 14
        while shift < 28 and (full_value << (shift + 1)) // full_code < 32768:
            shift += 1
        self.factor = ((full_value << shift) + full_code // 2) // full_code
        self.shift = shift - 14
        self.half = (1 << self.shift) >> 1


class Ade9000:
    """Driver of one ADE9000. spi: machine.SPI, mode 0 or 3, <= 20 MHz; cs: machine.Pin, high when idle.

    scales: `afe_voltage_full_mv` and `afe_current_full_ma`, RMS at the terminals that give the full-scale code, by the
    board's divider and current transformer (0.7071 V at the pin).
    """

    def __init__(self, spi, cs, scales):
        self._transfer = spi.write_readinto
        self._cs = cs
        self._voltage = Scale(scales["afe_voltage_full_mv"], RMS_FULL_CODE)
        self._current = Scale(scales["afe_current_full_ma"], RMS_FULL_CODE)
        full_w = scales["afe_voltage_full_mv"] * scales["afe_current_full_ma"] // 1000000
        self._power = Scale(full_w, POWER_FULL_CODE)
        # One count of xWATTHR_HI is 2^13 power codes x samples.
        self.codes_per_wh = 3600 * SAMPLE_HZ * POWER_FULL_CODE // (full_w * 8192)
        self.phases = 0
        self.version = 0
        self.crc_checked = 0  # 1: the part appends its CRC to single reads in burst mode too
        self.ok = 0  # 1: the last read was whole and in range
        self.sequence = 0  # refreshes seen
        self.crc_errors = 0
        self.range_errors = 0
        self.energy_jumps = 0
        self.phase_mv = [0, 0, 0]
        self.phase_ma = [0, 0, 0]
        self.phase_w = [0, 0, 0]
        self.phase_var = [0, 0, 0]
        self.phase_period = [0, 0, 0]
        self.import_wh = [0, 0, 0]  # since start(); the remainders stay in codes, nothing is lost
        self.export_wh = [0, 0, 0]
        self._import_codes = [0, 0, 0]
        self._export_codes = [0, 0, 0]
        self._energy_high = [-1, -1, -1]
        self._energy_low = [0, 0, 0]
        self._energy_phase = 0
        self._energy_wait = 0
        self._valid = 0
        self._signature = -1
        self._tx = bytearray(HEAD)
        self._rx = bytearray(HEAD)
        self._single_tx = bytearray(HEAD + WORD + 2)
        self._single_rx = bytearray(HEAD + WORD + 2)
        self._half_tx = bytearray(HEAD + 2 + 2)
        self._half_rx = bytearray(HEAD + 2 + 2)

    def energy_mwh(self, phase: int, exported: int) -> int:
        """Return what phase 0..2 imported (exported 1: exported) since start(), in mWh. For tasks: it allocates."""
        watt_hours = self.export_wh if exported else self.import_wh
        codes = self._export_codes if exported else self._import_codes
        while True:
            whole_wh = watt_hours[phase]
            rest = codes[phase]
            if whole_wh == watt_hours[phase]:  # no cycle came between the two
                return whole_wh * 1000 + rest * 1000 // self.codes_per_wh

    # --- set-up: may block, may raise, never in the cycle ---

    def start(self, phases: int, nominal_hz: int = 50) -> None:
        """Reset, identify, configure and run the part; blocks about 60 ms. phases 1..3; nominal_hz 50 or 60."""
        self.ok = 0
        self.phases = phases
        self.crc_checked = 1  # out of burst mode every read carries it
        self._write16(reg.CONFIG1, reg.CONFIG1_SWRST)
        sleep_ms(RESET_MS)
        self._identify()
        self._size_burst(phases)
        self._verified(reg.PGA_GAIN, 0)
        self._verified(reg.ACCMODE, reg.ACCMODE_60_HZ if nominal_hz == 60 else 0)
        self._verified(reg.ZX_LP_SEL, reg.ZX_LP_PHASE_A if phases == 1 else reg.ZX_LP_COMBINED)
        self._verified(reg.EGY_TIME, ENERGY_SAMPLES - 1)
        self._verified(reg.EP_CFG, reg.EP_CFG_EGY_PWR_EN)
        self._write32(reg.VLEVEL, reg.VLEVEL_FULL)
        self._verified(reg.RUN, 1)
        self._write16(reg.CONFIG1, reg.CONFIG1_BURST_EN)
        self._probe_crc()
        for phase in range(3):
            self._energy_high[phase] = -1
        self._signature = -1

    def set_gain(self, phase: int, base: int, ppm: int) -> None:
        """Correct one gain register (reg.VGAIN, IGAIN or PGAIN) of phase 0..2 by ppm, -100000..100000."""
        if not -100000 <= ppm <= 100000:
            raise ValueError("AFE gain %d ppm is not within -100000..100000" % ppm)
        self._write32(base + phase * reg.GAIN_STRIDE, ppm * (GAIN_ONE // 64) // 15625)

    def _identify(self) -> None:
        if not self._read32(reg.PART_ID) or not self._single_rx[HEAD + 1] & reg.PART_ID_ADE9000_TOP:
            raise AfeError(
                "AFE register 0x%03X reads %s, not an ADE9000: check its supply and SPI wiring"
                % (reg.PART_ID, bytes(self._single_rx[HEAD : HEAD + WORD]))
            )
        self.version = self._read16(reg.VERSION)

    def _size_burst(self, phases: int) -> None:
        words = reg.BURST_WORDS + (phases - 1) * reg.BURST_STRIDE
        self._tx = bytearray(HEAD + words * WORD)
        self._rx = bytearray(HEAD + words * WORD)
        _head(self._tx, reg.BURST_FIRST, 1)

    def _verified(self, address: int, value: int) -> None:
        self._write16(address, value)
        read = self._read16(address)
        if read != value:
            shown = "with a wrong CRC" if read < 0 else "0x%04X" % read
            raise AfeError("AFE register 0x%03X reads %s after writing 0x%04X" % (address, shown, value))

    def _probe_crc(self) -> None:
        # UG-1098 is not clear whether a single read carries its CRC while BURST_EN is set: ask the part.
        errors = self.crc_errors
        self.crc_checked = 1
        self.crc_checked = self._read32(reg.PART_ID)
        self.crc_errors = errors

    def _read16(self, address: int) -> int:
        """Return a 16-bit register, or -1 when its CRC is wrong."""
        rx = self._half_rx
        _head(self._half_tx, address, 1)
        self._cs(0)
        self._transfer(self._half_tx, rx)
        self._cs(1)
        if crc.ccitt(rx, HEAD, HEAD + 2) != rx[HEAD + 2] << 8 | rx[HEAD + 3]:
            self.crc_errors += 1
            return -1
        return rx[HEAD] << 8 | rx[HEAD + 1]

    def _write16(self, address: int, value: int) -> None:
        tx = bytearray(HEAD + 2)
        _head(tx, address, 0)
        tx[2] = value >> 8
        tx[3] = value & 0xFF
        self._cs(0)
        self._transfer(tx, bytearray(HEAD + 2))
        self._cs(1)

    def _write32(self, address: int, value: int) -> None:
        tx = bytearray(HEAD + WORD)
        _head(tx, address, 0)
        for i in range(WORD):
            tx[HEAD + i] = (value >> (24 - 8 * i)) & 0xFF
        self._cs(0)
        self._transfer(tx, bytearray(HEAD + WORD))
        self._cs(1)

    # --- the cycle ---

    def read(self) -> None:
        """Refresh every attribute from the part; ok tells whether to believe them."""
        self._valid = 1
        self._cs(0)
        self._transfer(self._tx, self._rx)
        self._cs(1)
        at = HEAD
        signature = 0
        for phase in range(self.phases):
            signature += self._decode(phase, at)
            if self._read32(reg.APERIOD + phase):
                self._period(phase)
            at += reg.BURST_STRIDE * WORD
        if signature != self._signature:
            self._signature = signature
            self.sequence = (self.sequence + 1) & 0x1FFFFFFF
        self._energy_wait -= 1
        if self._energy_wait <= 0:
            self._energy_wait = ENERGY_EVERY
            self._energy()
        self.ok = self._valid

    def _decode(self, phase: int, at: int) -> int:
        """Decode one phase's registers at `at`; return a figure that moves whenever one of them does."""
        rx = self._rx
        signature = rx[at + 3] + (rx[at + 2] << 8)
        self.phase_w[phase] = self._scaled(at, self._power, POWER_TOP)
        self.phase_var[phase] = self._scaled(at + reg.BURST_VAR, self._power, POWER_TOP)
        at += reg.BURST_IRMSONE
        signature += (rx[at + 3] << 2) + (rx[at + 2] << 10)
        self.phase_ma[phase] = self._scaled(at, self._current, RMS_TOP)
        at += WORD
        signature += (rx[at + 3] << 4) + (rx[at + 2] << 12)
        self.phase_mv[phase] = self._scaled(at, self._voltage, RMS_TOP)
        return signature

    def _scaled(self, at: int, scale, top_limit: int) -> int:
        rx = self._rx
        top = rx[at]
        if top >= top_limit:
            if top_limit == RMS_TOP or top < 256 - top_limit:
                self._valid = 0
                self.range_errors += 1
                return 0
            top -= 256
        factor = scale.factor
        # code = high * 2^14 + low, so that neither product leaves 30 bits.
        middle = rx[at + 2]
        high = (top << 10) + (rx[at + 1] << 2) + (middle >> 6)
        low = ((middle & 63) << 8) + rx[at + 3]
        return (high * factor + (low * factor >> 14) + scale.half) >> scale.shift

    def _read32(self, address: int) -> int:
        """Read a 32-bit register into the single buffer; return 1 when its CRC is right or not to be had."""
        tx = self._single_tx
        rx = self._single_rx
        tx[0] = address >> 4
        tx[1] = (address << 4 & 0xF0) | 8
        self._cs(0)
        self._transfer(tx, rx)
        self._cs(1)
        if self.crc_checked:
            table = crc.CCITT
            check = 0xFFFF
            for i in range(HEAD, HEAD + WORD):
                check = (check << 8 & 0xFF00) ^ table[check >> 8 ^ rx[i]]
            if check != rx[6] << 8 | rx[7]:
                self._valid = 0
                self.crc_errors += 1
                return 0
        return 1

    def _period(self, phase: int) -> None:
        rx = self._single_rx
        if rx[2]:
            self.phase_period[phase] = 0  # slower than 31 Hz: no line
        else:
            self.phase_period[phase] = rx[3] << 16 | rx[4] << 8 | rx[5]

    def _energy(self) -> None:
        """Add what one phase's signed energy register gained to import or export."""
        phase = self._energy_phase
        self._energy_phase = phase + 1 if phase + 1 < self.phases else 0
        if not self._read32(reg.AWATTHR_HI + phase * reg.ENERGY_STRIDE):
            return
        rx = self._single_rx
        high = rx[2] << 8 | rx[3]
        low = rx[4] << 8 | rx[5]
        step = (high - self._energy_high[phase]) & 0xFFFF
        if step >= 0x8000:
            step -= 0x10000
        known = self._energy_high[phase] >= 0
        gain = (step << 14 << 2) + low - self._energy_low[phase] if -256 < step < 256 else ENERGY_JUMP_CODES
        self._energy_high[phase] = high
        self._energy_low[phase] = low
        if not known:
            return
        if gain >= ENERGY_JUMP_CODES or gain <= -ENERGY_JUMP_CODES:
            self.energy_jumps += 1
        elif gain >= 0:
            self._import_codes[phase] = self._carry(self._import_codes[phase] + gain, self.import_wh, phase)
        else:
            self._export_codes[phase] = self._carry(self._export_codes[phase] - gain, self.export_wh, phase)

    def _carry(self, codes: int, watt_hours, phase: int) -> int:
        while codes >= self.codes_per_wh:
            codes -= self.codes_per_wh
            watt_hours[phase] += 1
        return codes


def _head(tx, address: int, read: int) -> None:
    """Write the 16-bit command header: address in bits 15:4, bit 3 set for a read."""
    tx[0] = address >> 4
    tx[1] = (address << 4 & 0xF0) | (8 if read else 0)
