# SPDX-License-Identifier: MIT
"""What a port refuses, the virtual board refuses."""

from __future__ import annotations

import pytest

ESP32 = "esp32s3_ref"
STM32 = "stm32h743_ref"

REFUSED = [
    (ESP32, "Timer(0, period=10, hard=True, callback=print)", "ValueError: hard Timers are not implemented"),
    (ESP32, "Timer(4, period=10)", "ValueError: Timer(4) doesn't exist"),
    (ESP32, "Timer(-1, period=10)", "ValueError: Timer(-1) doesn't exist"),
    (STM32, "Timer(0, period=10)", "ValueError: Timer(0) doesn't exist"),
    (ESP32, "Timer(0, period=0)", "ValueError: Timer needs freq or period"),
    (ESP32, "Pin(22)", "ValueError: invalid pin"),
    (ESP32, "Pin(49)", "ValueError: invalid pin"),
    (ESP32, "Pin('PA5')", "ValueError: invalid pin"),
    (ESP32, "Pin(27)", "drives the module's flash"),
    (ESP32, "Pin(0)", "is a strapping pin"),
    (ESP32, "Pin(46)", "is a strapping pin"),
    (ESP32, "Pin(20)", "is the USB console"),
    (STM32, "Pin(5)", "ValueError: Pin(5) doesn't exist"),
    (STM32, "Pin('PZ3')", "ValueError: Pin('PZ3') doesn't exist"),
    (STM32, "Pin('PA16')", "ValueError: Pin('PA16') doesn't exist"),
    (STM32, "Pin('PA11')", "is taken by Ethernet, USB"),
    (ESP32, "Pin(39, Pin.OUT)", "wired to an output of the board (contactor_mirror)"),
    (ESP32, "Pin(39, Pin.IN).value(1)", "ValueError: Pin is an input"),
    (ESP32, "Pin(5, 99)", "ValueError: invalid pin mode"),
    (ESP32, "Pin(5).high()", "AttributeError"),
    (ESP32, "ADC(Pin(38))", "has no ADC1 channel"),
    (ESP32, "ADC(Pin(15))", "has no ADC1 channel"),
    (ESP32, "ADC(Pin(1), atten=7)", "ValueError: invalid atten"),
    (STM32, "ADC('PE9')", "does not have ADC capabilities"),
    (STM32, "ADC('PA3', atten=3)", "TypeError"),
    (STM32, "ADC('PA3').read_uv()", "AttributeError: 'ADC' object has no attribute 'read_uv'"),
    (STM32, "PWM(Pin('PF12'))", "doesn't have PWM capabilities"),
    (ESP32, "PWM(Pin(7), freq=1000, duty_u16=65536)", "ValueError: duty_u16 must be from 0 to 65535"),
    (ESP32, "PWM(Pin(7), freq=1000, duty_u16=-1)", "ValueError: duty_u16 must be from 0 to 65535"),
    (ESP32, "PWM(Pin(7), freq=0)", "ValueError: frequency must be from 1Hz to 40MHz"),
    (ESP32, "WDT(timeout=500)", "ValueError: WDT timeout 500 ms"),
    (STM32, "WDT(timeout=40000)", "ValueError: WDT timeout 40000 ms"),
    (ESP32, "WDT(1)", "ValueError: WDT(1) doesn't exist"),
    (ESP32, "SPI(3)", "ValueError: SPI(3) doesn't exist"),
    (ESP32, "SPI(1, 1000000)", "sck, mosi and miso of this board must be named"),
    (ESP32, "SPI(1, 1000000, sck=Pin(13), mosi=Pin(11), miso=Pin(12))", "Pin(13) is not wired to afe_sck"),
    (ESP32, "SPI(1, 40000000, sck=Pin(12), mosi=Pin(11), miso=Pin(13))", "ADE9000 takes 20 MHz at most"),
    (ESP32, "SPI(1, 1000000, polarity=1, sck=Pin(12), mosi=Pin(11), miso=Pin(13))", "ADE9000 takes mode 0 or 3"),
    (STM32, "SPI(3, 1000000, sck=Pin('PB3'))", "explicit choice of afe_sck is not implemented"),
    (STM32, "SPI(1)", "ValueError: SPI(1) doesn't exist"),
    (ESP32, "I2C(2, scl=Pin(9), sda=Pin(8))", "ValueError: I2C(2) doesn't exist"),
    (ESP32, "I2C(0, scl=Pin(8), sda=Pin(9))", "is not wired to fram_scl"),
    (STM32, "I2C(1, scl=Pin('PB8'), sda=Pin('PB9'))", "explicit choice of fram_scl is not implemented"),
    (ESP32, "I2C(0, scl=Pin(9), sda=Pin(8)).readfrom_mem(0x57, 0, 1, addrsize=16)", "OSError: [Errno 19] ENODEV"),
    (ESP32, "I2C(1).readfrom(0x50, 1)", "OSError: [Errno 19] ENODEV"),
    (ESP32, "UART(0)", "ValueError: UART(0) is the console"),
    (ESP32, "UART(3)", "ValueError: UART(3) doesn't exist"),
    (ESP32, "UART(1, 100, tx=Pin(17), rx=Pin(18))", "100 Bd is not within 300..5000000"),
    (ESP32, "UART(1, 9600)", "are not the board's inverter line"),
    (ESP32, "UART(1, 9600, tx=Pin(18), rx=Pin(17))", "are not the board's inverter line"),
    (STM32, "UART(2, 9600, tx=Pin('PD5'))", "TypeError"),
    (STM32, "UART(1)", "ValueError: UART(1) doesn't exist"),
    (ESP32, "from network import LAN", "ImportError"),
    (STM32, "from network import WLAN", "ImportError"),
    (ESP32, "import network; network.WLAN(0).connect('x', 'y')", "OSError: Wifi Not Started"),
    (ESP32, "import time; time.ticks_add(0, 1 << 29)", "OverflowError: ticks interval overflow"),
    (ESP32, "machine.freq(80000000)", "ValueError"),
]


@pytest.mark.parametrize("name", [ESP32, STM32])
def test_misuse_is_refused(output, name) -> None:
    """All cases of a port in one life of the board."""
    cases = [(code, wanted) for port, code, wanted in REFUSED if port == name]
    lines = ["import machine", "from machine import *"]
    for code, _ in cases:
        lines += ["try:", f"    {code}", "    print('accepted')", "except BaseException as error:"]
        lines += ["    print(type(error).__name__ + ': ' + str(error))"]
    said = output("\n".join(lines), board=name)
    assert len(said) == len(cases)
    failed = [f"{code}: {got}" for (code, wanted), got in zip(cases, said, strict=True) if wanted not in got]
    assert not failed, "\n".join(failed)


def test_hard_timer_locks_the_heap_and_disables_a_raising_callback(output) -> None:
    lines = output(
        """
        import time
        from machine import Timer
        calls = 0
        def allocates(timer):
            global calls
            calls += 1
            if calls == 3:
                bytearray(10)
        Timer(-1, period=10, hard=True, callback=allocates)
        time.sleep_ms(100)
        print("calls", calls)
        """,
        board=STM32,
    )
    assert lines[0] == "uncaught exception in Timer interrupt handler"
    assert "MemoryError: memory allocation failed, heap is locked" in lines
    assert lines[-1] == "calls 3"


def test_soft_timer_survives_a_raising_callback(output) -> None:
    lines = output(
        """
        import time
        from machine import Timer
        calls = 0
        def raises(timer):
            global calls
            calls += 1
            raise ValueError("again")
        Timer(0, period=10, callback=raises)
        time.sleep_ms(100)
        print("calls", calls)
        """
    )
    assert lines.count("ValueError: again") == 10
    assert lines[-1] == "calls 10"
