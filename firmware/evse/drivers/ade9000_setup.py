# SPDX-License-Identifier: MIT
"""From reset to running, one step a call: at boot in a loop, later in the cycle after the part was lost.

A brown-out puts every register back to its default: burst mode off, DSP stopped, gains gone. Each step is a few SPI
frames, allocates nothing and raises nothing, so that the cycle can bring the part back without a task or a person.
Sources: ADE9000 data sheet, "Power-Up", "Register Summary".
"""

from evse.drivers import ade9000_registers as reg

STEP_MS = 10  # between two calls
RESET_STEPS = 6  # > 46 ms from software reset to ready
SETTLE_STEPS = 10  # after RUN its filters and RMS windows fill: until then a live bus would read as a dead one
RESET, WAIT, IDENTIFY, CONFIGURE, BURST, SETTLE, RUNNING = range(7)
GAIN_BASES = (reg.VGAIN, reg.IGAIN, reg.PGAIN)


class Setup:
    """state: one of the steps above. gains: what set_gain() was told, written again after each reset."""

    def __init__(self, port):
        self._port = port
        self._addresses = [reg.PGA_GAIN, reg.ACCMODE, reg.ZX_LP_SEL, reg.EGY_TIME, reg.EP_CFG, reg.VLEVEL, reg.RUN]
        self._values = [0, 0, reg.ZX_LP_COMBINED, reg.ENERGY_SAMPLES - 1, reg.EP_CFG_EGY_PWR_EN, reg.VLEVEL_FULL, 1]
        self.gains = [0] * (3 * len(GAIN_BASES))
        self.state = RESET
        self.version = 0
        self.failed = 0  # attempts that did not get through
        self.bad_address = 0  # register that was wrong in the last of them, 0 = none
        self.bad_read = 0  # what it read; -1: with a wrong CRC
        self._wanted = 0
        self._count = 0

    def begin(self, phases: int, nominal_hz: int) -> None:
        """Choose what is written, and begin anew."""
        self._values[1] = reg.ACCMODE_60_HZ if nominal_hz == 60 else 0
        self._values[2] = reg.ZX_LP_PHASE_A if phases == 1 else reg.ZX_LP_COMBINED
        self.state = RESET
        self.bad_address = 0

    def step(self) -> int:
        """Take one step; return the state after it. To be called each STEP_MS."""
        state = self.state
        if state == RESET:
            self._port.crc_checked = 1  # out of burst mode every read carries it
            self._port.write(reg.CONFIG1, reg.CONFIG1_SWRST)
            self._go(WAIT)
        elif state == WAIT:
            self._count += 1
            if self._count >= RESET_STEPS:
                self._go(IDENTIFY)
        elif state == IDENTIFY:
            self._identify()
        elif state == CONFIGURE:
            self._configure(self._count)
        elif state == BURST:
            self._burst()
        elif state == SETTLE:
            self._count += 1
            if self._count >= SETTLE_STEPS:
                self._go(RUNNING)
        return self.state

    def _go(self, state: int) -> None:
        self.state = state
        self._count = 0

    def _fail(self, address: int, value: int, wanted: int) -> None:
        self.failed += 1
        self.bad_address = address
        self.bad_read = value
        self._wanted = wanted
        self._go(RESET)

    def _identify(self) -> None:
        port = self._port
        if not port.read32(reg.PART_ID) or not port.reply[3] & reg.PART_ID_ADE9000_TOP:
            self._fail(reg.PART_ID, 0, 0)
            return
        self.version = port.read16(reg.VERSION)
        self._go(CONFIGURE)

    def _configure(self, row: int) -> None:
        """Write and check one row; the gains with the last, before RUN."""
        port = self._port
        address = self._addresses[row]
        value = self._values[row]
        if address == reg.RUN:
            self._write_gains()
        port.write(address, value)
        if address == reg.VLEVEL:
            read = value if port.holds32(address, value) else -1
        else:
            read = port.read16(address)
        if read != value:
            self._fail(address, read, value)
        elif row + 1 < len(self._addresses):
            self._count = row + 1
        else:
            self._go(BURST)

    def _write_gains(self) -> None:
        for k in range(len(self.gains)):
            if self.gains[k]:
                self._port.write(GAIN_BASES[k // 3] + k % 3 * reg.GAIN_STRIDE, self.gains[k])

    def _burst(self) -> None:
        port = self._port
        port.write(reg.CONFIG1, reg.CONFIG1_BURST_EN)
        # UG-1098 is not clear whether a single read carries its CRC while BURST_EN is set: ask the part.
        errors = port.crc_errors
        port.crc_checked = port.read32(reg.PART_ID)
        port.crc_errors = errors
        self.bad_address = 0
        self._go(SETTLE)

    def trouble(self) -> str:
        """Return what was wrong the last time, for a person; "" when nothing was."""
        if not self.bad_address:
            return ""
        if self.bad_address == reg.PART_ID:
            read = bytes(self._port.reply[2:6])
            return "AFE register 0x%03X reads %s, not an ADE9000: check its supply and SPI wiring" % (reg.PART_ID, read)
        shown = "with a wrong CRC" if self.bad_read < 0 else "0x%04X" % self.bad_read
        return "AFE register 0x%03X reads %s after writing 0x%04X" % (self.bad_address, shown, self._wanted)
