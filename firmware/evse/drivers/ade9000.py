# SPDX-License-Identifier: MIT
"""ADE9000 three-phase metering front end on SPI: sense reads it once a cycle.

Sources: ADE9000 data sheet (registers, nominal full-scale codes) and UG-1098 technical reference manual (SPI
protocol, energy accumulation). Register names and addresses: `ade9000_registers`; frames: `ade9000_port`.

`read()` makes one SPI burst twice (per phase P, Q, one-cycle RMS of I and V, refreshed each half cycle; a burst has no
check sum, so only two equal ones in a row are believed), one read of the line period per phase, every ENERGY_EVERY
reads one energy register, and last a register that start() changed from its default: a part that has reset since shows
it, and nothing of that reading is believed. It is then set up anew, a step a read (`ade9000_setup`). Nothing is
allocated: 32-bit registers are put together only when their top byte shows that the value fits 29 bits; anything else
is out of range and makes the reading not ok. `sequence` counts refreshes, so that a frozen part shows as a sequence
that stands still.
"""

from time import sleep_ms

from evse.drivers import ade9000_registers as reg
from evse.drivers.ade9000_port import HEAD, WORD, Ade9000Port, head
from evse.drivers.ade9000_setup import GAIN_BASES, RESET, RUNNING, SETTLE, STEP_MS, WAIT, Setup

RMS_FULL_CODE = 52702092  # xIRMS, xVRMS, xIRMSONE, xVRMSONE at full scale: data sheet, "RMS"
POWER_FULL_CODE = 20694066  # xWATT, xVAR at full scale: data sheet, "Total Active Power"
SAMPLE_HZ = 8000  # DSP rate
GAIN_ONE = 1 << 27  # xVGAIN and the like: gain = 1 + register / 2^27
ENERGY_EVERY = 8  # reads from one energy register to the next phase's
ENERGY_JUMP_CODES = 1 << 24  # more than 3 x full scale in the longest gap between reads: a reset, not energy
LAG_EVERY = 6  # energy reads between two looks at the order of the phases
LOST_READS = 3  # in a row without our configuration: set it up anew. One is a disturbance
SPOILED_READS = 3  # in a row: it may have frozen meanwhile, so it has to move before it is believed again
STILL_READS = 100  # a live bus that shows the same for 1 s: its DSP or clock stands, only a reset helps
PROOF_MOVES = 2  # refreshes after a set-up in the cycle before it is believed: a DSP that stands shows a dead bus
LEVEL = reg.VLEVEL_FULL.to_bytes(4, "big")  # what only our set-up has written
LIVE_MV = 50000  # below, a bus may stand still
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


class Ade9000(Ade9000Port):
    """Driver of one ADE9000. spi: machine.SPI, mode 0 or 3, <= 20 MHz; cs: machine.Pin, high when idle.

    scales: `afe_voltage_full_mv` and `afe_current_full_ma`, RMS at the terminals that give the full-scale code, by the
    board's divider and current transformer (0.7071 V at the pin).
    """

    def __init__(self, spi, cs, scales):
        super().__init__(spi, cs)
        self.setup = Setup(self)
        self._voltage = Scale(scales["afe_voltage_full_mv"], RMS_FULL_CODE)
        self._current = Scale(scales["afe_current_full_ma"], RMS_FULL_CODE)
        full_w = scales["afe_voltage_full_mv"] * scales["afe_current_full_ma"] // 1000000
        self._power = Scale(full_w, POWER_FULL_CODE)
        # One count of xWATTHR_HI is 2^13 power codes x samples.
        self.codes_per_wh = 3600 * SAMPLE_HZ * POWER_FULL_CODE // (full_w * 8192)
        self.phases = 0
        self.ok = 0  # 1: the last read was whole and in range
        self.sequence = 0  # refreshes seen
        self.range_errors = 0
        self.burst_errors = 0  # bursts that did not read twice alike
        self.energy_jumps = 0
        self.restarts = 0  # times it was set up anew since start()
        self.phase_mv = [0, 0, 0]
        self.phase_ma = [0, 0, 0]
        self.phase_w = [0, 0, 0]
        self.phase_var = [0, 0, 0]
        self.phase_period = [0, 0, 0]
        self.phase_lag = [0, -1, -1]  # raw: time of each voltage behind L1's, counts of 1 / reg.ANGLE_HZ; -1 = not read
        self.import_wh = [0, 0, 0]  # since start(); the remainders stay in codes, nothing is lost
        self.export_wh = [0, 0, 0]
        self._import_codes = [0, 0, 0]
        self._export_codes = [0, 0, 0]
        self._energy_high = [0, 0, 0]
        self._energy_low = [0, 0, 0]
        self._new_high = 0
        self._new_low = 0
        self._energy_phase = 0
        self._wait = 0
        self._energy_known = [0, 0, 0]
        self._lag_wait = 0
        self._valid = 0
        self._signature = -1
        self._still = 0  # readings of a live bus without a refresh
        self._level_ask = bytearray(HEAD + WORD)
        self._level = bytearray(HEAD + WORD)
        self._level_data = memoryview(self._level)[HEAD:]
        head(self._level_ask, reg.VLEVEL, 1)
        self._unproven = 0  # refreshes still to be seen before it is believed
        self._spoiled = 0  # readings in a row that were not valid, up to SPOILED_READS
        self._missed = 0  # readings in a row without our configuration
        self._size_burst(1)

    @property
    def version(self) -> int:
        """Silicon version, 0 before the part has answered."""
        return self.setup.version

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
        """Reset, identify, configure and run the part; blocks about 60 ms. phases 1..3; nominal_hz 50 or 60.

        AfeError when it fails; read() then goes on trying.
        """
        self.ok = 0
        self.phases = phases
        self._size_burst(phases)
        setup = self.setup
        setup.begin(phases, nominal_hz)
        failed = setup.failed
        while setup.state < SETTLE:
            setup.step()
            if setup.failed != failed:
                raise AfeError(setup.trouble())
            if setup.state == WAIT:
                sleep_ms(STEP_MS)
        self._unproven = 0
        setup.state = RUNNING  # nothing is believed yet that could be lost, so the first cycles may see it settle
        self._anew()
        self._signature = -1

    def set_gain(self, phase: int, base: int, ppm: int) -> None:
        """Correct one gain register (reg.VGAIN, IGAIN or PGAIN) of phase 0..2 by ppm, -100000..100000."""
        if not -100000 <= ppm <= 100000:
            raise ValueError("AFE gain %d ppm is not within -100000..100000" % ppm)
        value = ppm * (GAIN_ONE // 64) // 15625
        self.setup.gains[GAIN_BASES.index(base) * 3 + phase] = value
        if self.setup.state == RUNNING:
            self.write(base + phase * reg.GAIN_STRIDE, value)

    def _size_burst(self, phases: int) -> None:
        size = HEAD + (reg.BURST_WORDS + (phases - 1) * reg.BURST_STRIDE) * WORD
        self._tx = bytearray(size)
        self._rx = bytearray(size)
        self._again = bytearray(size)
        self._data = memoryview(self._rx)[HEAD:]  # what comes with the header is undefined
        self._data_again = memoryview(self._again)[HEAD:]
        head(self._tx, reg.BURST_FIRST, 1)

    def _anew(self) -> None:
        """Forget what the part counted before its reset."""
        for phase in range(3):
            self._energy_known[phase] = 0
        self._wait = 0
        self._missed = 0
        self._still = 0

    # --- the cycle ---

    def read(self) -> None:
        """Refresh every attribute from the part; ok tells whether to believe them."""
        if self.setup.state != RUNNING:
            self._set_up()
            return
        self._fetch()
        signature = self._decode_all()
        self._wait -= 1
        counted = self._wait <= 0 and self._seldom()
        if self._configured():
            self._missed = 0
            if counted:
                self._energy_take()
        else:
            self._miss()
        if signature == self._signature or self._unproven or not self._valid:
            self._odd(signature)
        else:
            self._signature = signature
            self._still = 0
            self._spoiled = 0
            self.sequence = (self.sequence + 1) & 0x1FFFFFFF
        self.ok = self._valid

    def _set_up(self) -> None:
        self.ok = 0
        if self.setup.step() == RUNNING:
            self._anew()
            self._unproven = PROOF_MOVES

    def _fetch(self) -> None:
        """Read the burst twice. Where the two differ, a refresh came between them or one is spoiled: once more."""
        cs = self._cs
        transfer = self._transfer
        cs(0)
        transfer(self._tx, self._rx)
        cs(1)
        cs(0)
        transfer(self._tx, self._again)
        cs(1)
        self._valid = 1
        if self._data != self._data_again:
            cs(0)
            transfer(self._tx, self._rx)
            cs(1)
            if self._data != self._data_again:
                self._valid = 0
                self.burst_errors += 1

    def _decode_all(self) -> int:
        """Decode each phase and fetch its line period; return a figure that moves whenever a refresh came."""
        at = HEAD
        signature = 0
        for phase in range(self.phases):
            signature += self._decode(phase, at)
            if self.read32(reg.APERIOD + phase):
                self._period(phase)
            else:
                self._valid = 0
            at += reg.BURST_STRIDE * WORD
        return signature

    def _configured(self) -> int:
        """Return 1 when the part holds what only our set-up has written."""
        self._cs(0)
        self._transfer(self._level_ask, self._level)
        self._cs(1)
        return self._level_data == LEVEL

    def _miss(self) -> None:
        """The part does not hold our configuration: it has reset, or it is not there."""
        self._valid = 0
        self._missed += 1
        if self._missed >= LOST_READS:
            self._restart()

    def _restart(self) -> None:
        """Set the part up anew, from the next reading on. `_signature` stays: a frozen part is not fresh after it."""
        self.restarts = (self.restarts + 1) & 0xFFFF
        self.setup.state = RESET

    def _odd(self, signature: int) -> None:
        """Take a reading that is not just the next: spoiled, standing still, or of a part set up anew.

        That one has to move before it is believed.
        """
        if not self._valid:
            if self._spoiled < SPOILED_READS:
                self._spoiled += 1
            if self._spoiled == SPOILED_READS and not self._unproven:
                self._unproven = 1
            return
        self._spoiled = 0
        if self._unproven:
            self._valid = 0
            if signature != self._signature:
                self._signature = signature
                self._still = 0
                self._unproven -= 1
                return
        elif self.phase_mv[0] <= LIVE_MV and self.phase_mv[1] <= LIVE_MV and self.phase_mv[2] <= LIVE_MV:
            return
        self._still += 1
        if self._still >= STILL_READS:
            self._restart()

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
        high = rx[at]
        if high >= top_limit:
            if top_limit == RMS_TOP or high < 256 - top_limit:
                self._valid = 0
                self.range_errors += 1
                return 0
            high -= 256
        # code = high * 2^14 + rest, so that neither product leaves 30 bits.
        rest = rx[at + 1] << 8 | rx[at + 2]
        high = (high << 10) + (rest >> 6)
        rest = ((rest & 63) << 8) + rx[at + 3]
        return (high * scale.factor + (rest * scale.factor >> 14) + scale.half) >> scale.shift

    def _period(self, phase: int) -> None:
        rx = self.reply
        if rx[2]:
            self.phase_period[phase] = 0  # slower than 31 Hz: no line
        else:
            self.phase_period[phase] = rx[3] << 16 | rx[4] << 8 | rx[5]

    def _seldom(self) -> int:
        """Fetch what is not needed each time: phase order, energy; return 1 when there is energy to take."""
        self._wait = ENERGY_EVERY
        self._lag_wait -= 1
        if self._lag_wait <= 0:
            self._lag()
        if not self.read32(reg.AWATTHR_HI + self._energy_phase * reg.ENERGY_STRIDE):
            self._valid = 0
            return 0
        rx = self.reply
        self._new_high = rx[2] << 8 | rx[3]
        self._new_low = rx[4] << 8 | rx[5]
        return 1

    def _lag(self) -> None:
        """Read how far the other voltages lag behind L1: for bring-up alone, it decides nothing about this reading."""
        self._lag_wait = LAG_EVERY
        if self.phases == 3:
            errors = self.crc_errors
            self.phase_lag[1] = self.read16(reg.ANGL_VA_VB)
            self.phase_lag[2] = self.read16(reg.ANGL_VA_VC)
            self.crc_errors = errors

    def _energy_take(self) -> None:
        """Add what the register gained to import or export; only once the part is known not to have reset."""
        phase = self._energy_phase
        self._energy_phase = phase + 1 if phase + 1 < self.phases else 0
        step = (self._new_high - self._energy_high[phase]) & 0xFFFF
        if step >= 0x8000:
            step -= 0x10000
        gain = ENERGY_JUMP_CODES
        if -256 < step < 256:
            gain = (step << 14 << 2) + self._new_low - self._energy_low[phase]
        self._energy_high[phase] = self._new_high
        self._energy_low[phase] = self._new_low
        if not self._energy_known[phase]:
            self._energy_known[phase] = 1
        elif gain >= ENERGY_JUMP_CODES or gain <= -ENERGY_JUMP_CODES:
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
