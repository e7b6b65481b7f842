# SPDX-License-Identifier: MIT
"""Opening ADC, SPI, I2C and UART on ESP32: any pin, so each bus is told its pins."""

from machine import ADC, I2C, SPI, UART, Pin

from evse.hal.i2c_clear import clear
from evse.hal.network_esp32 import Network
from evse.hal.ticker_esp32 import Ticker, every

__all__ = ("Millivolts", "Network", "Ticker", "every", "open_can_spi", "open_i2c", "open_spi", "open_uart")

CAN_SPI_BAUD = 8_000_000  # an MCP2515 takes 10 MHz


class Millivolts:
    """An ADC pin, calibrated by the port to mV; good to about 3100 mV. read() runs in the cycle."""

    def __init__(self, pin):
        self._adc = ADC(Pin(pin), atten=ADC.ATTN_11DB)

    def read(self) -> int:
        return self._adc.read_uv() // 1000


def open_spi(pins, buses, baudrate: int):
    """Return the AFE's SPI, mode 0."""
    return SPI(
        buses["afe_spi"],
        baudrate=baudrate,
        polarity=0,
        phase=0,
        sck=Pin(pins["afe_sck"]),
        mosi=Pin(pins["afe_mosi"]),
        miso=Pin(pins["afe_miso"]),
    )


def open_can_spi(pins, buses):
    """Return the CAN controller's own SPI, mode 0, and its chip select, low = selected."""
    spi = SPI(
        buses["can_spi"],
        baudrate=CAN_SPI_BAUD,
        polarity=0,
        phase=0,
        sck=Pin(pins["can_sck"]),
        mosi=Pin(pins["can_mosi"]),
        miso=Pin(pins["can_miso"]),
    )
    return spi, Pin(pins["can_cs"], Pin.OUT, value=1)


def open_i2c(pins, buses, frequency_hz: int):
    """Return the FRAM's I2C, freed of whatever a part holds there."""
    clear(pins["fram_scl"], pins["fram_sda"])
    return I2C(buses["fram_i2c"], scl=Pin(pins["fram_scl"]), sda=Pin(pins["fram_sda"]), freq=frequency_hz)


def open_uart(pins, buses, baudrate: int):
    """Return the inverter's UART, 8N1; the ring holds a whole Modbus frame."""
    return UART(
        buses["inverter_uart"],
        baudrate,
        bits=8,
        parity=None,
        stop=1,
        tx=Pin(pins["inverter_tx"]),
        rx=Pin(pins["inverter_rx"]),
        rxbuf=512,
        txbuf=512,
    )
