# SPDX-License-Identifier: MIT
"""The reference hardware, built from a board folder's pins.py and a port: attributes as in docs/contracts.md."""

import sys

import machine
from machine import Pin

from evse.hal.inputs import Inputs
from evse.hal.outputs import Outputs
from evse.hal.pilot import Pilot
from evse.hal.ratings import Ratings
from evse.hal.rs485 import line_baud
from evse.hal.system import Rtc, reset_cause
from evse.hal.thermistor import Thermistor
from evse.hal.watchdog import Watchdog

AFE_BAUD = 10_000_000  # the part takes 20 MHz; half leaves margin for a cable
FRAM_HZ = 400_000
SERVICE_FEED_MS = 1000


class ReferenceBoard:
    """pins: the board's pins module; port: evse.hal.port_esp32 or port_stm32; afe, memory: classes of its parts."""

    def __init__(self, pins, port, afe, memory):
        self.name = pins.BOARD["name"]
        self.port = pins.BOARD["port"]
        self.scales = pins.SCALES
        self.proximity_supply_mv = pins.SCALES["proximity_supply_mv"]
        self.proximity_pullup_ohm = pins.SCALES["proximity_pullup_ohm"]
        self._pins = pins.PINS
        self._buses = pins.BUSES
        self._port = port
        self.outputs = Outputs(pins.PINS)  # low before anything else
        self.watchdog = Watchdog()
        self.reset_cause = reset_cause()
        self.rtc = Rtc()
        self.ratings = Ratings(pins.RATINGS)
        self.console = (sys.stdin.buffer, sys.stdout.buffer)
        self._build_front_ends(afe)
        self.memory = memory(self._open_memory_bus(), reopen=self._open_memory_bus)
        self.network = port.Network()
        self.inverter_uart = None
        self.inverter_de = Pin(pins.PINS["inverter_de"], Pin.OUT, value=0) if "inverter_de" in pins.PINS else None
        self._ticker = port.Ticker()
        self._service = None

    def _open_memory_bus(self):
        return self._port.open_i2c(self._pins, self._buses, FRAM_HZ)

    def _build_front_ends(self, afe) -> None:
        pins = self._pins
        read = self._port.Millivolts
        self.pilot = Pilot(
            Pin(pins["pilot_pwm"]), read(pins["pilot_high_adc"]), read(pins["pilot_low_adc"]), self.scales
        )
        self.inputs = Inputs(
            pins,
            read(pins["proximity_adc"]),
            read(pins["board_temperature_adc"]),
            read(pins["connector_temperature_adc"]),
            Thermistor(self.scales),
        )
        select = Pin(pins["afe_cs"], Pin.OUT, value=1)
        self.afe = afe(self._port.open_spi(pins, self._buses, AFE_BAUD), select, self.scales)

    def open(self, settings, nominal_hz: int = 50) -> None:
        """Start what the settings decide: AFE, inverter line, network. Blocks about 60 ms; AfeError when it fails."""
        self.inverter_uart = self._port.open_uart(self._pins, self._buses, line_baud(settings))
        self.network.start(settings)
        self.afe.start(settings.phases, nominal_hz)

    def ticker(self, callback) -> None:
        """Call callback(timer) every 10 ms from now on."""
        self._ticker.start(callback)

    def safe(self) -> None:
        """Stop the ticker, drop gate and contactor, pilot to steady +12 V. Callable any time."""
        self._ticker.stop()
        self.outputs.gate_arm(0)
        self.outputs.contactor(0)
        self.pilot.duty(1000)

    def reset(self) -> None:
        """Make safe and restart the controller."""
        self.safe()
        machine.reset()

    def service(self) -> None:
        """Make safe for the raw REPL; a timer keeps the watchdog fed while a person works."""
        self.safe()
        self.watchdog.feed()
        self._service = self._port.every(SERVICE_FEED_MS, self.watchdog.feed)
