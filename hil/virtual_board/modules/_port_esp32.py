# SPDX-License-Identifier: MIT
"""What an ESP32-S3 and MicroPython's esp32 port allow. Sources: ESP32-S3 data sheet, MicroPython esp32 docs."""

from _board import BOARD

IN, OUT, OPEN_DRAIN = 1, 3, 7
PULL_DOWN, PULL_UP = 1, 2
TIMER_IDS = (0, 1, 2, 3)
TIMER_QUEUE = 8  # scheduler depth: more missed ticks than this are lost
HARD_TIMERS = False
UART_IDS = (0, 1, 2)
UART_BLOCKS = False  # writes go to a 256-byte ring
SPI_IDS = (1, 2)
I2C_IDS = (0, 1)
WDT_MS = (1000, 1 << 30)
ADC_PINS = range(1, 11)  # ADC1; ADC2 (11-20) is shared with Wi-Fi and refused here
FIXED_BUSES = False
HAS_READ_UV = True
ADC_BITS = 12
ADC_FULL_UV = 3_100_000  # 11 dB attenuation saturates here

_FLASH = range(26, 33)
_OCTAL = range(33, 38)  # 35..37 are free where the PSRAM is not octal; 33 and 34 are not led out
_STRAPPING = (0, 3, 45, 46)
_USB = (19, 20)


def check_pin(pin):
    """Raise ValueError for a pin that the chip lacks or a board must not use."""
    if not isinstance(pin, int) or not 0 <= pin <= 48 or 22 <= pin <= 25:
        raise ValueError("invalid pin: %r" % (pin,))
    if pin in _FLASH or pin in _OCTAL and (pin < 35 or BOARD.get("psram", "octal") == "octal"):
        raise ValueError("invalid pin: GPIO%d drives the module's flash or PSRAM" % pin)
    if pin in _USB:
        raise ValueError("invalid pin: GPIO%d is the USB console" % pin)
    if pin in _STRAPPING:
        raise ValueError("invalid pin: GPIO%d is a strapping pin" % pin)
    return pin


def check_adc(pin):
    if pin not in ADC_PINS:
        raise ValueError("invalid pin: GPIO%r has no ADC1 channel" % (pin,))


def check_pwm(pin):
    """Any GPIO can be an LEDC output."""
