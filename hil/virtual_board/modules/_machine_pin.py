# SPDX-License-Identifier: MIT
"""Pin, Signal, ADC and PWM, wired to the world by signal name."""

import _link
from _board import PORT, SIGNAL_OF
from _link import world

from micropython import const

port = __import__("_port_" + PORT)

_NONE = const(0)
_SLOT = const(1)
_INPUT = const(2)
_GATE = const(3)
_SELECT = const(4)
_DRIVER = const(5)
_CHIP = const(6)
_box = world.box
_inbox = world.inbox
_outputs = world.outputs
_pins = {}
select_state = bytearray(2)  # set by the SPI part: whether it is selected, bytes since then
chip_listener = None  # set by the CAN controller: called with its chip select's level
driver_listener = None  # set by the UART: called with the RS-485 driver's level


def _role(signal):
    """Return (kind, offset of the byte slot) of a signal."""
    if signal == "gate_edge":
        return _GATE, _link.OUT_SLOTS
    if signal == "afe_cs":
        return _SELECT, 0
    if signal == "can_cs":
        return _CHIP, 0
    if signal == "inverter_de":
        return _DRIVER, _link.OUT_SLOTS + _link.DIGITAL_OUT.index(signal)
    if signal in _link.DIGITAL_OUT:
        return _SLOT, _link.OUT_SLOTS + _link.DIGITAL_OUT.index(signal)
    if signal in _link.DIGITAL_IN:
        return _INPUT, _link.IN_SLOTS + _link.DIGITAL_IN.index(signal)
    return _NONE, 0


class Pin:
    """One pin. An unwired pin reads what it drives, or its pull."""

    IN, OUT, OPEN_DRAIN = port.IN, port.OUT, port.OPEN_DRAIN
    PULL_UP, PULL_DOWN = port.PULL_UP, port.PULL_DOWN
    IRQ_RISING, IRQ_FALLING = 1, 2

    def __new__(cls, id, mode=-1, pull=-1, *, value=None):
        if isinstance(id, Pin):
            return id
        port.check_pin(id)
        pin = _pins.get(id)
        if pin is None:
            pin = super().__new__(cls)
            pin._made = False
            _pins[id] = pin
        return pin

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        if not self._made:
            self._made = True
            self.id = id
            self.signal = SIGNAL_OF.get(id)
            self._kind, self._slot = _role(self.signal)
            self._level = 0
            self._driven = False
        if mode != -1 or value is not None:
            self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None):
        if mode not in (-1, Pin.IN, Pin.OUT, Pin.OPEN_DRAIN):
            raise ValueError("invalid pin mode: %r" % (mode,))
        if self._kind == _INPUT and mode not in (-1, Pin.IN):
            raise ValueError("Pin(%r) is wired to an output of the board (%s): not driven" % (self.id, self.signal))
        if mode != -1:
            self._driven = mode != Pin.IN
            self._level = 1 if pull == Pin.PULL_UP and not self._driven else self._level
        if value is not None:
            self.value(value)

    def __call__(self, level=None):
        if level is None:
            if self._kind != _INPUT:
                return self._level
            if world.now != world.synced:
                world.refresh()
            return _inbox[self._slot]
        if not self._driven:
            raise ValueError("Pin is an input")
        level = 1 if level else 0
        if level != self._level:
            self._level = level
            if self._kind == _SELECT:
                select_state[0] = 1 - level
                select_state[1] = 0
            elif self._kind != _NONE:
                self._drive(level)
        return None

    def _drive(self, level):
        kind = self._kind
        if kind == _CHIP:
            if chip_listener is not None:
                chip_listener(level)
            return
        _box[self._slot] = level
        if kind == _SLOT:
            world.dirty = True
        elif kind == _GATE:
            _outputs.gate_edges += 1
            _outputs.gate_edge_us = world.now
        elif driver_listener is not None:
            driver_listener(level)

    value = __call__

    def on(self):
        self(1)

    def off(self):
        self(0)

    def __repr__(self):
        return "Pin(%r)" % (self.id,)


if PORT == "stm32":
    Pin.high = Pin.on
    Pin.low = Pin.off


class Signal:
    """A pin with its polarity."""

    def __init__(self, pin, *, invert=False):
        self._pin = pin
        self._invert = 1 if invert else 0

    def value(self, level=None):
        if level is None:
            return self._pin() ^ self._invert
        return self._pin((1 if level else 0) ^ self._invert)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)


class ADC:
    """One analog input. Counts are 12 bit (esp32) or 16 bit (stm32), spread over 16."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3

    def __init__(self, pin, *, atten=None):
        if not isinstance(pin, Pin):
            pin = Pin(pin)
        port.check_adc(pin.id)
        if atten is not None and PORT != "esp32":
            raise TypeError("unexpected keyword argument 'atten'")
        if atten is not None and not 0 <= atten <= 3:
            raise ValueError("invalid atten")
        self._full_uv = (950_000, 1_250_000, 1_750_000, port.ADC_FULL_UV)[atten or 0] if PORT == "esp32" else 3_300_000
        signal = pin.signal
        self._index = _link.ANALOG_IN.index(signal) if signal in _link.ANALOG_IN else -1
        self._uv = world.inputs.uv

    def _read_uv(self):
        if world.now != world.synced:
            world.refresh()
        uv = self._uv[self._index] if self._index >= 0 else 0
        return uv if uv < self._full_uv else self._full_uv

    def read_u16(self):
        counts = self._read_uv() * ((1 << port.ADC_BITS) - 1) // self._full_uv
        if port.ADC_BITS == 12:
            return counts << 4 | counts >> 8
        return counts

    def __getattr__(self, name):
        raise AttributeError("'ADC' object has no attribute '%s'" % name)


if port.HAS_READ_UV:

    def _calibrated_uv(self):
        # 12-bit steps, then the port's calibration to the millivolt.
        counts = self._read_uv() * 4095 // self._full_uv
        return counts * (self._full_uv // 1000) // 4095 * 1000

    ADC.read_uv = _calibrated_uv


class PWM:
    """A PWM output; the control pilot's is what the world sees."""

    def __init__(self, dest, *, freq=None, duty_u16=None, duty_ns=None, duty=None):
        if not isinstance(dest, Pin):
            dest = Pin(dest)
        port.check_pwm(dest.id)
        if duty is not None and PORT != "esp32":
            raise TypeError("unexpected keyword argument 'duty'")
        self._pilot = dest.signal == "pilot_pwm"
        self._hz = 5000
        self._duty_u16 = 0
        if freq is not None:
            self.freq(freq)
        if duty is not None:
            duty_u16 = duty * 65535 // 1023
        if duty_ns is not None:
            duty_u16 = duty_ns * self._hz * 65535 // 1_000_000_000
        if duty_u16 is not None:
            self.duty_u16(duty_u16)

    def freq(self, hz=None):
        if hz is None:
            return self._hz
        if not 1 <= hz <= 40_000_000:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        self._hz = hz
        if self._pilot:
            world.dirty = True
            _outputs.pwm_hz = hz
        return None

    def duty_u16(self, duty=None):
        if duty is None:
            return self._duty_u16
        if not 0 <= duty <= 65535:
            raise ValueError("duty_u16 must be from 0 to 65535")
        self._duty_u16 = duty
        if self._pilot:
            world.dirty = True
            _outputs.duty_u16 = duty
        return None

    def deinit(self):
        self.duty_u16(0)
