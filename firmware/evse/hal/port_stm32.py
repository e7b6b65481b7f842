# SPDX-License-Identifier: MIT
"""Opening ADC, SPI, I2C and UART on STM32: a bus has its pins from MicroPython's board definition."""

from machine import ADC, I2C, SPI, UART, Pin

from evse.hal.i2c_clear import clear
from evse.hal.network_stm32 import Network
from evse.hal.ticker_stm32 import Ticker, every

__all__ = ("Millivolts", "Network", "Ticker", "every", "open_can", "open_i2c", "open_spi", "open_uart")

REFERENCE_MV = 3300


class Millivolts:
    """An ADC pin in mV of a 3.3 V reference. read() runs in the cycle."""

    def __init__(self, pin):
        self._adc = ADC(Pin(pin))

    def read(self) -> int:
        return self._adc.read_u16() * REFERENCE_MV >> 16


def open_spi(pins, buses, baudrate: int):
    """Return the AFE's SPI, mode 0; its pins are fixed, pins is for the wiring list."""
    return SPI(buses["afe_spi"], baudrate=baudrate, polarity=0, phase=0)


def open_can(buses, bit_rate: int):
    """Return the CAN controller; its pins come from the board definition. MicroPython >= 1.28."""
    from machine import CAN

    return CAN(buses["can"], bit_rate)


def open_i2c(pins, buses, frequency_hz: int):
    """Return the FRAM's I2C, freed of whatever a part holds there."""
    clear(pins["fram_scl"], pins["fram_sda"])
    return I2C(buses["fram_i2c"], freq=frequency_hz)


def open_uart(pins, buses, baudrate: int):
    """Return the inverter's UART, 8N1; the ring holds a whole Modbus frame."""
    return UART(buses["inverter_uart"], baudrate, bits=8, parity=None, stop=1, rxbuf=512)
