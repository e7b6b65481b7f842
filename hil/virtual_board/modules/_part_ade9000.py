# SPDX-License-Identifier: MIT
# ruff: noqa: F821  (ptr8 and ptr32 belong to the viper emitter)
"""SPI side of the ADE9000: command words, burst reads, CRC, configuration registers.

Sources: ADE9000 data sheet (register map), UG-1098 (SPI protocol, CRC). What the DSP measures comes from the host,
ready encoded (hil/virtual_board/parts/ade9000.py); each write to a configuration register is told to it.
Written from those papers, not from any driver.
"""

from array import array

import _link
from _link import world

from micropython import const

_BURST_FIRST = const(0x680)  # measured registers by phase
_BURST_END = const(0x6BD)
_IN_SPI_FAULT = const(5)  # _link.IN_SPI_FAULT, IN_AFE and IN_PERIOD, for the viper emitter
_IN_AFE = const(64)
_IN_PERIOD = const(308)
# Words of the state that Pin, viper and this module share.
_SELECTED = const(0)  # 1: chip select is low
_COUNT = const(1)  # bytes since it fell
_COMMAND = const(2)
_LAST_CRC = const(3)
_BURST = const(4)  # burst mode is on, which implies that the part is ready
_VERSION, _PART_ID, _RUN, _CONFIG1 = 0x4FE, 0x472, 0x480, 0x481
_CRC_SPI, _LAST_CMD, _WR_LOCK, _STATUS0, _STATUS1 = 0x4A9, 0x4AE, 0x4BF, 0x402, 0x403
_ANGL_VA_VB, _ANGL_VA_VC = 0x482, 0x484
_BURST_EN, _SWRST = 1 << 11, 1
_LOCKED = 0x3C64
_RESET_US = 46_000  # software reset to ready
_BROWN_OUT = 4  # supply below the part's threshold: hil/virtual_board/faults.py
_DEFAULTS = {
    _VERSION: 0x00FE,
    _PART_ID: 1 << 20,
    0x40F: 0x00045D45,  # VLEVEL
    0x49A: 0x001E,  # ZX_LP_SEL
    0x4AF: 0x0C00,  # CONFIG2
    _WR_LOCK: 0x4AD1,
}
_REGISTERS = 0x700
_READ_ONLY = (_VERSION, _PART_ID, _CRC_SPI, _LAST_CMD)
# Index in the by-phase block (0x680) of the registers from 0x20A (I_PCF) on, and in the functional block from 0x600.
_PHASE_ORDER = bytes((1, 0, 2, 3, 13, 14, 4, 6, 5, 11, 7, 12, 8, 9, 10, 15, 16, 17, 18))
_PER_PHASE = 19
_GROUPS = ((0,), 57, (1,), (2,), (3,), 58, (4,), (5,), (6,), (7,), (8,), (9,), (10,), (11,), (12,), (13,), (14,))
_GROUPS += ((15,), (16,), 59, (17,), (18,), 60)


def _functional():
    order = bytearray()
    for group in _GROUPS:
        if isinstance(group, tuple):
            for phase in range(3):
                order.append(group[0] + phase * _PER_PHASE)
        else:
            order.append(group)
    return bytes(order)


_FUNCTIONAL = _functional()


@micropython.viper
def _copy(target: ptr8, at: int, source: ptr8, start: int, count: int):
    for i in range(count):
        target[at + i] = source[start + i]


@micropython.viper
def _fill(target: ptr8, at: int, count: int):
    for i in range(count):
        target[at + i] = 0


@micropython.viper
def _crc(data: ptr8, at: int, count: int) -> int:
    check = 0xFFFF
    for i in range(at, at + count):
        check ^= data[i] << 8
        for _ in range(8):
            check = ((check << 1) ^ 0x1021) & 0xFFFF if check & 0x8000 else (check << 1) & 0xFFFF
    return check


@micropython.viper
def _answer(state: ptr32, inbox: ptr8, registers: ptr32, sent: ptr8, received: ptr8, size: int) -> int:  # noqa: C901
    """Answer what a driver reads all the time; return 0 when it is something else, or not all is well.

    That is a burst of measured registers, one line period, or one 32-bit register that holds what was written.
    """
    if not (state[_SELECTED] and state[_BURST]) or state[_COUNT] or inbox[_IN_SPI_FAULT] or size < 6 or not sent[1] & 8:
        return 0
    address = sent[0] << 4 | sent[1] >> 4
    count = size - 2
    if address >= _BURST_FIRST:
        if count > (_BURST_END - address) * 4:
            return 0
        start = _IN_AFE + (address - _BURST_FIRST) * 4
        for i in range(count):
            received[2 + i] = inbox[start + i]
    elif size != 8:
        return 0
    elif 0x418 <= address <= 0x41B:
        start = _IN_PERIOD + (address - 0x418) * 4
        for i in range(4):
            received[2 + i] = inbox[start + i]
        count = 4
    elif 0x404 <= address < 0x418:
        value = registers[address]
        for i in range(4):
            received[2 + i] = value >> (24 - 8 * i) & 0xFF
        count = 4
    else:
        return 0
    received[0] = 0
    received[1] = 0
    check = 0xFFFF
    for i in range(count - 2, count + 2):
        check ^= received[i] << 8
        for _ in range(8):
            check = ((check << 1) ^ 0x1021) & 0xFFFF if check & 0x8000 else (check << 1) & 0xFFFF
    if size == 8 and address < _BURST_FIRST:
        received[6] = check >> 8
        received[7] = check & 0xFF
    state[_LAST_CRC] = check
    state[_COMMAND] = sent[0] << 8 | sent[1]
    state[_COUNT] = size
    return 1


class Ade9000:
    """One part behind one chip select."""

    def __init__(self):
        self._inbox = world.inbox
        self._energy = world.inputs.energy
        self._registers = array("I", [0] * _REGISTERS)
        self._zero = {}
        self._ready_us = 0
        self.state = array("I", [0] * 5)
        self._seen = 0
        self._noise = 1
        self._word = bytearray(6)
        self._reset()

    def _reset(self):
        registers = self._registers
        for address in range(_REGISTERS):
            registers[address] = 0
        for address in _DEFAULTS:  # noqa: PLC0206  (items() would allocate, and the cycle may reset the part)
            registers[address] = _DEFAULTS[address]
        self._registers[_STATUS1] = 1 << 16  # RSTDONE
        self._registers[_STATUS0] = 0
        self.state[_BURST] = 0
        for phase in range(6):
            self._zero[phase] = self._energy[phase]

    def exchange(self, sent, received):
        """Clock len(sent) bytes both ways."""
        if world.now != world.synced:
            world.refresh()
        size = len(sent)
        if size != len(received):
            raise ValueError("buffers must be the same length")
        if _answer(self.state, self._inbox, self._registers, sent, received, size):
            return
        fault = self._inbox[_IN_SPI_FAULT]
        self._clock(sent, received, size)
        if fault == _BROWN_OUT:
            self._starve(received, size)
        elif fault:
            self._disturb(fault, received, size)

    def _clock(self, sent, received, size):
        state = self.state
        at = 0
        if not state[_SELECTED]:
            for i in range(size):
                received[i] = 0xFF  # MISO floats, pulled up
            return
        while state[_COUNT] < 2 and at < size:
            state[_COMMAND] = (state[_COMMAND] << 8 | sent[at]) & 0xFFFF
            received[at] = 0
            at += 1
            state[_COUNT] += 1
        if at < size:
            command = state[_COMMAND]
            if command & 8:
                self._read(command >> 4, state[_COUNT] - 2, received, at, size - at)
            else:
                self._write(command >> 4, sent, at)
            state[_COUNT] += size - at

    def _starve(self, received, size):
        """No supply: MISO floats, pulled up; all registers go back to default, and power-up takes its time after it."""
        for i in range(size):
            received[i] = 0xFF
        if world.now >= self._ready_us or self._registers[_RUN]:
            self._reset()
            world.queue_afe(world.now, _CONFIG1, _SWRST)
        self._ready_us = world.now + _RESET_US

    def _disturb(self, fault, received, size):
        """1: MISO stuck low, 2: stuck high, 3: one bit flips somewhere in each transfer, 5: in one of eight."""
        if fault == 3 or fault == 5:
            self._noise = (self._noise * 1103515245 + 12345) & 0x7FFFFFFF
            if fault == 5 and self._noise >> 24 & 7:
                return
            received[(self._noise >> 8) % size] ^= 1 << (self._noise >> 4 & 7)
        else:
            for i in range(size):
                received[i] = 0 if fault == 1 else 0xFF

    def _read(self, address, skip, received, at, size):
        if world.now < self._ready_us:
            _fill(received, at, size)
        elif self.state[_BURST] and 0x500 <= address < 0x700:
            self._read_burst(address, skip, received, at, size)
        else:
            self._read_single(address, skip, received, at, size)

    def _read_burst(self, address, skip, received, at, size):
        start = (address - 0x680) * 4 + skip
        if start >= 0 and start + size <= 61 * 4:
            _copy(received, at, self._inbox, _link.IN_AFE + start, size)
            self.state[_LAST_CRC] = _crc(received, at + size - 4, 4)
            return
        word = self._word
        for i in range(size):
            offset = skip + i
            if offset & 3 == 0 or i == 0:
                self._load(address + (offset >> 2))
            received[at + i] = word[offset & 3]

    def _read_single(self, address, skip, received, at, size):
        word = self._word
        short = 0x480 <= address < 0x500
        length = 2 if short else 4
        if short:
            value = self._value16(address)
            word[0] = value >> 8
            word[1] = value & 0xFF
        else:
            self._load(address)
        check = _crc(word, 0, length)
        word[length] = check >> 8
        word[length + 1] = check & 0xFF
        self.state[_LAST_CRC] = check
        for i in range(size):
            received[at + i] = word[(skip + i) % (length + 2)]

    def _load(self, address):
        """Put a 32-bit register into the word buffer."""
        word = self._word
        if 0x418 <= address <= 0x41B:
            _copy(word, 0, self._inbox, _link.IN_PERIOD + (address - 0x418) * 4, 4)
            return
        index = self._measured(address)
        if index >= 0:
            _copy(word, 0, self._inbox, _link.IN_AFE + index * 4, 4)
            return
        value = self._value32(address)
        for i in range(4):
            word[i] = value >> (24 - 8 * i) & 0xFF

    def _measured(self, address):
        if 0x20A <= address < 0x25D and (address - 0x20A) & 31 < _PER_PHASE:
            return ((address - 0x20A) >> 5) * _PER_PHASE + _PHASE_ORDER[(address - 0x20A) & 31]
        if 0x600 <= address < 0x600 + len(_FUNCTIONAL):
            return _FUNCTIONAL[address - 0x600]
        if 0x680 <= address < 0x680 + 61:
            return address - 0x680
        return -1

    def _value32(self, address):
        if 0x2E6 <= address < 0x396:
            phase = (address - 0x2E6) // 0x3C
            register = (address - 0x2E6) - phase * 0x3C
            if register < 2:
                return self._energy_value(phase, register)
        if address == _STATUS0 or address == _STATUS1:
            self._refresh_status()
        return self._registers[address] if address < _REGISTERS else 0

    def _energy_value(self, phase, high):
        """Total active energy: 45 bits, 13 of them in the low register."""
        if not self._registers[0x4B0] & 1:
            return 0
        gained = self._energy[phase * 2] - self._zero[phase * 2]
        given = self._energy[phase * 2 + 1] - self._zero[phase * 2 + 1]
        mode = self._registers[0x492] & 3  # WATTACC
        if mode == 0:
            total = gained - given
        elif mode == 1:
            total = gained + given
        else:
            total = gained if mode == 2 else given
        if self._registers[0x4B0] & 32 and high:  # RD_RST_EN
            self._zero[phase * 2] = self._energy[phase * 2]
            self._zero[phase * 2 + 1] = self._energy[phase * 2 + 1]
        return (total >> 13) & 0xFFFFFFFF if high else total & 0x1FFF

    def _refresh_status(self):
        sequence = world.inputs.afe_sequence
        if sequence != self._seen and self._registers[_RUN]:
            self._seen = sequence
            self._registers[_STATUS0] |= 1 << 19 | 1 << 18 | 1  # RMSONERDY, PWRRDY, EGYRDY
        lines = self._inbox[328]  # phases with zero crossings
        for phase in range(3):
            self._registers[_STATUS1] |= 1 << (9 + phase) if lines >> phase & 1 else 1 << (6 + phase)

    def _value16(self, address):
        if address == _CRC_SPI:
            return self.state[_LAST_CRC]
        if address == _LAST_CMD:
            return self.state[_COMMAND]
        if _ANGL_VA_VB <= address <= _ANGL_VA_VC:
            return self._angle(address)
        return self._registers[address] if address < _REGISTERS else 0

    def _angle(self, address):
        """Time from one phase's zero crossing to another's."""
        inbox = self._inbox
        a_b = inbox[332] | inbox[333] << 8
        a_c = inbox[334] | inbox[335] << 8
        if address == _ANGL_VA_VB:
            return a_b
        return a_c if address == _ANGL_VA_VC else (a_c - a_b) & 0xFFFF

    def _write(self, address, sent, at):
        length = 2 if 0x480 <= address < 0x500 else 4
        if len(sent) - at != length or self.state[_COUNT] != 2:
            return  # a register takes its value only when all of its bits came
        value = 0
        for i in range(at, at + length):
            value = value << 8 | sent[i]
        if address in _READ_ONLY or world.now < self._ready_us:
            return
        if self._registers[_WR_LOCK] == _LOCKED and address != _WR_LOCK:
            return
        if address == _STATUS0 or address == _STATUS1:
            self._registers[address] &= ~value
            return
        if address == _CONFIG1 and value & _SWRST:
            self._reset()
            self._ready_us = world.now + _RESET_US
        elif address < _REGISTERS:
            self._registers[address] = value
            if address == _CONFIG1:
                self.state[_BURST] = 1 if value & _BURST_EN else 0
        world.queue_afe(world.now, address, value)
