# SPDX-License-Identifier: MIT
"""The lockstep clock: exact, repeatable, and never a hang."""

from __future__ import annotations

import os
import signal

import pytest
from tiny import TinyPlant

from hil.virtual_board import BoardDied, BoardHung, PlantFailed, VirtualBoardError
from hil.virtual_board.board import BOOT_US

TICKS = """
    import time
    from machine import Timer
    seen = []
    timer = Timer(0, period=10, callback=lambda t: seen.append((time.ticks_ms(), time.ticks_us())))
    time.sleep_ms(100)
    for ms, us in seen:
        print(ms, us)
"""

ASYNC = """
    import asyncio, time
    from machine import Timer, Pin, UART
    cycles = 0
    def cycle(timer):
        global cycles
        cycles += 1
    async def beat(name, ms):
        for _ in range(20):
            print(name, time.ticks_ms(), cycles)
            await asyncio.sleep_ms(ms)
    async def main():
        Timer(0, period=10, callback=cycle)
        await asyncio.gather(beat("a", 7), beat("b", 13))
    asyncio.run(main())
"""


def test_timer_ticks_are_exact(output) -> None:
    start = (1 << 30) - 60_000
    lines = [tuple(map(int, line.split())) for line in output(TICKS)]
    assert [ms for ms, _ in lines] == [start + 10 * n for n in range(1, 11)]
    assert [us for _, us in lines] == [(1 << 30) - 60_000_000 + 10_000 * n for n in range(1, 11)]


def test_both_tick_counters_wrap_60_s_after_boot(output) -> None:
    lines = output(
        """
        import time
        before = time.ticks_ms(), time.ticks_us()
        time.sleep_ms(59_999)
        print(time.ticks_ms(), time.ticks_us())
        time.sleep_ms(1)
        print(time.ticks_ms(), time.ticks_us())
        print(time.ticks_diff(time.ticks_ms(), before[0]), time.ticks_diff(time.ticks_us(), before[1]))
        """
    )
    assert lines == [f"{(1 << 30) - 1} {(1 << 30) - 1000}", "0 0", "60000 60000000"]


def test_asyncio_runs_on_virtual_time(output) -> None:
    start = (1 << 30) - 60_000
    lines = [line.split() for line in output(ASYNC)]
    for name, period_ms in (("a", 7), ("b", 13)):
        beats = [(int(ms) - start, int(cycles)) for who, ms, cycles in lines if who == name]
        assert beats == [(n * period_ms, n * period_ms // 10) for n in range(20)]


def test_two_runs_are_identical(board) -> None:
    def run() -> tuple[list, list]:
        one = board(ASYNC, seed=7)
        one.run(2)
        return one.console.chunks, one.plant.times

    assert run() == run()


def test_random_numbers_follow_the_seed(output) -> None:
    script = "import random\nprint(random.getrandbits(30), random.getrandbits(30))"
    assert output(script, seed=1) == output(script, seed=1)
    assert output(script, seed=1) != output(script, seed=2)


def test_run_until_stops_exactly_and_the_world_never_runs_ahead(board) -> None:
    one = board(ASYNC)
    for t_us in (BOOT_US + 1, BOOT_US + 12_345, BOOT_US + 200_000):
        one.run_until(t_us)
        assert one.now_us == t_us == one.plant.times[-1]


def test_pins_change_at_their_very_microsecond(board) -> None:
    one = board(
        """
        import time
        from machine import Pin
        pin = Pin(38, Pin.OUT, value=0)  # contactor
        time.sleep_us(1234)
        pin(1)
        time.sleep_us(4321)
        pin(0)
        time.sleep_ms(5)
        """
    )
    one.run(1)
    on = [t_us for t_us, contactor, _ in one.plant.driven if contactor]
    # The step that ends when the pin falls is the only one with the pin high.
    assert on == [BOOT_US + 1234 + 4321]
    assert BOOT_US + 1234 in one.plant.times


def test_console_input_is_read_at_the_time_it_was_typed(board) -> None:
    one = board(
        """
        import asyncio, sys, time
        async def main():
            reader = asyncio.StreamReader(sys.stdin.buffer)
            start = time.ticks_ms()
            while True:
                byte = await reader.read(1)
                print(byte, time.ticks_diff(time.ticks_ms(), start))
                if byte == b"q":
                    break
        asyncio.run(main())
        """
    )
    one.run_until(BOOT_US + 300_000)
    one.console_write("ab")
    one.run(0.2)
    one.console_write("q")
    one.run(0.2)
    assert one.console.text.split("\n")[:3] == ["b'a' 300", "b'b' 300", "b'q' 500"]


def test_a_stalled_cpu_misses_ticks_as_the_port_does(board) -> None:
    one = board(TICKS.replace("100", "400"))
    one.run_until(BOOT_US + 25_000)
    one.faults.stall(one.now_us, 200)
    one.run(2)
    start = (1 << 30) - 60_000
    ticks = [int(line.split()[0]) - start for line in one.console.text.splitlines()]
    # Two ticks; at 225 ms, of the twenty missed, the eight that the scheduler holds; then the grid again.
    late = [ms for ms in ticks if ms == 225]
    assert ticks[:2] == [10, 20]
    assert len(late) == 8
    assert ticks[2 + len(late) : 5 + len(late)] == [230, 240, 250]


def test_watchdog_resets_with_its_cause(board) -> None:
    one = board(
        """
        import machine, time
        print(machine.reset_cause() == machine.WDT_RESET)
        machine.WDT(timeout=1000)
        time.sleep(10)
        """
    )
    one.run(1.9)
    assert [cause for _, cause in one.resets] == ["power", "wdt"]
    assert one.resets[1][0] == BOOT_US + 1_000_000
    assert one.console.text.splitlines() == ["False", "True"]


def test_reset_drops_the_outputs_for_the_boot_time(board) -> None:
    one = board(
        """
        import machine, time
        machine.Pin(38, machine.Pin.OUT, value=1)
        time.sleep_ms(100)
        machine.reset()
        """
    )
    one.run(0.5)
    reset_us = one.resets[1][0]
    assert reset_us == BOOT_US + 100_000
    assert not any(on for t_us, on, _ in one.plant.driven if reset_us < t_us <= reset_us + BOOT_US)


def test_busy_wait_on_the_clock_ends(output) -> None:
    lines = output(
        """
        import time
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < 50:
            pass
        print("over")
        """
    )
    assert lines == ["over"]


def test_creep_makes_execution_take_time(output) -> None:
    lines = output("import time\na = time.ticks_us()\nprint(time.ticks_diff(time.ticks_us(), a))", creep_us=400)
    assert lines == ["400"]


def test_killed_vm_is_a_clear_error(board) -> None:
    one = board("import time\nprint('last words')\nwhile True: time.sleep(1)")
    one.run(1)
    os.kill(one._process.popen.pid, signal.SIGKILL)
    with pytest.raises(BoardDied, match=r"(?s)killed by signal 9 at \d+\.\d+ s.*last words"):
        one.run(5)


def test_hung_firmware_is_a_clear_error(board) -> None:
    one = board("print('round and round')\nwhile True: pass", step_limit_s=1.0)
    with pytest.raises(BoardHung, match=r"(?s)did not come back within 1 s.*round and round"):
        one.run(5)


def test_failing_plant_is_a_clear_error(board) -> None:
    plant = TinyPlant()
    plant.fail_at_us = 1_000_000
    one = board("import time\nwhile True: time.sleep_ms(10)", plant=plant)
    with pytest.raises(PlantFailed, match=r"at 1\.000000 s: ZeroDivisionError: the world ends"):
        one.run(5)


def test_crashing_script_shows_its_traceback(board) -> None:
    one = board("raise ValueError('no such thing')")
    one.run(1)
    assert one.finished and one.exit_code == 1
    assert "ValueError: no such thing" in one.console.text


@pytest.mark.parametrize("options", [{"board": "nonesuch"}, {"flavour": "avr"}])
def test_unknown_board_names_the_choices(board, options) -> None:
    with pytest.raises(VirtualBoardError, match="choose"):
        board(None, **options)


def test_nothing_is_left_behind(board) -> None:
    before = os.sched_getaffinity(0)
    one = board("import time\nwhile True: time.sleep(1)")
    one.run(1)
    pid, temporary = one._process.popen.pid, one._temporary
    one.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not os.path.exists(temporary)
    assert os.sched_getaffinity(0) == before


def test_a_tick_meets_the_host_once(board) -> None:
    """The simulation's speed rests on it: an empty cycle costs one exchange."""
    one = board("import time\nfrom machine import Timer\nTimer(0, period=10, callback=lambda t: None)\ntime.sleep(600)")
    one.run(1)
    begin = one.syncs
    one.run(60)
    assert one.syncs - begin == 6000
