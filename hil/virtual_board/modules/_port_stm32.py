# SPDX-License-Identifier: MIT
"""What an STM32H743 (NUCLEO-H743ZI2) and MicroPython's stm32 port allow.

Sources: STM32H743 data sheet (alternate functions, ADC inputs), MicroPython stm32 docs and the board's definition.
"""

IN, OUT, OPEN_DRAIN = 0, 1, 17
PULL_DOWN, PULL_UP = 2, 1
TIMER_IDS = (-1,)  # machine.Timer: virtual timers only
TIMER_QUEUE = 1 << 20  # a virtual timer catches up with each period it missed
HARD_TIMERS = True
UART_IDS = (2, 3, 5, 6, 7, 8)
UART_BLOCKS = True  # no transmit buffer: write returns after the last byte went out
SPI_IDS = (3,)
I2C_IDS = (1, 2, 4)
WDT_MS = (1, 32768)
FIXED_BUSES = True  # a bus has its pins from the board definition; naming others is an error
HAS_READ_UV = False
ADC_BITS = 16
ADC_FULL_UV = 3_300_000

_ADC = " A0 A3 A4 A5 A6 B0 B1 C0 C2 C3 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 "
_PWM = " A0 A3 A5 A6 A8 A15 B0 B1 B10 B11 C6 C7 C8 C9 D12 D13 D14 D15 E5 E6 E9 E11 E13 E14 "
# RMII, USB, debug port, ST-LINK UART, crystals
_TAKEN = " A1 A2 A7 A11 A12 A13 A14 B13 C1 C4 C5 C14 C15 D8 D9 G11 G13 H0 H1 "


def check_pin(pin):
    """Return the pin's name without the leading P; raise ValueError where the board must not use it."""
    name = pin[1:] if isinstance(pin, str) and len(pin) > 2 and pin[0] == "P" else pin
    if not isinstance(name, str) or not "A" <= name[:1] <= "H" or not name[1:].isdigit() or int(name[1:]) > 15:
        raise ValueError("Pin(%r) doesn't exist" % (pin,))
    if " %s " % name in _TAKEN:
        raise ValueError("Pin(%r) is taken by Ethernet, USB, debug port or crystal" % (pin,))
    return name


def check_adc(pin):
    if " %s " % check_pin(pin) not in _ADC:
        raise ValueError("Pin(%r) does not have ADC capabilities" % (pin,))


def check_pwm(pin):
    if " %s " % check_pin(pin) not in _PWM:
        raise ValueError("Pin(%r) doesn't have PWM capabilities" % (pin,))
