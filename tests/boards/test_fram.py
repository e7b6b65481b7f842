# SPDX-License-Identifier: MIT
"""The FRAM: kept over restarts, cut between any two bytes."""

from __future__ import annotations

import pytest

from hil.virtual_board import VirtualBoardError
from hil.virtual_board.board import BOOT_US

OPEN = """
    import time
    from machine import I2C, Pin
    i2c = I2C(0, scl=Pin(9), sda=Pin(8))
"""


def test_addressing_is_that_of_the_part(output) -> None:
    lines = output(
        OPEN
        + """
    i2c.writeto_mem(0x50, 0x7FFE, b"abcd", addrsize=16)  # rolls over at the end
    print(i2c.scan(), i2c.readfrom_mem(0x50, 0x7FFE, 4, addrsize=16), i2c.readfrom_mem(0x50, 0, 2, addrsize=16))
    i2c.writeto(0x50, b"\\x01\\x00xyz")
    i2c.writevto(0x50, (b"\\x01\\x03", b"uvw"))
    i2c.writeto(0x50, b"\\x01\\x00")
    print(i2c.readfrom(0x50, 4), i2c.readfrom(0x50, 2))  # the address counter goes on
    """
    )
    assert lines == ["[80] b'abcd' b'cd'", "b'xyzu' b'vw'"]


def test_content_survives_board_and_run(board, tmp_path) -> None:
    fram = tmp_path / "fram.bin"
    script = OPEN + "\n    n = i2c.readfrom_mem(0x50, 0, 1, addrsize=16)[0]\n    print(n)\n"
    script += "    i2c.writeto_mem(0x50, 0, bytes([n + 1]), addrsize=16)\n    time.sleep(1)\n    import machine\n"
    script += "    machine.reset()"
    first = board(script, fram_path=fram)
    first.run(3.5)
    first.stop()
    assert first.console.text.split() == ["0", "1", "2"]
    second = board(script, fram_path=fram)
    second.run(1)
    assert second.console.text.split() == ["3"]


@pytest.mark.parametrize("left", [0, 1, 5, 7])
def test_power_goes_between_two_bytes(board, tmp_path, left) -> None:
    fram = tmp_path / "fram.bin"
    one = board(
        OPEN
        + """
    print(i2c.readfrom_mem(0x50, 16, 8, addrsize=16))
    time.sleep(1)
    i2c.writeto_mem(0x50, 16, b"ABC", addrsize=16)
    i2c.writeto_mem(0x50, 19, b"DEFGH", addrsize=16)
    print("written")
    time.sleep(1000)
    """,
        fram_path=fram,
    )
    one.run(0.5)
    one.cut_power_after_fram_bytes(left)
    one.run(4)
    wanted = b"ABCDEFGH"[:left].ljust(8, b"\0")
    assert [cause for _, cause in one.resets] == ["power", "power"]
    assert one.resets[1][0] == BOOT_US + 1_000_000 + 1_000_000  # a second without supply
    assert one.console.text.splitlines()[1] == repr(wanted)
    assert fram.read_bytes()[16:24] == b"ABCDEFGH"  # the second life wrote all of it


def test_power_cut_floats_the_outputs(board) -> None:
    one = board("import time\nfrom machine import Pin\nPin(38, Pin.OUT, value=1)\ntime.sleep(1000)")
    one.run(1)
    assert one.outputs.contactor
    cut_us = one.now_us
    one.power_cut(off_s=0.5)
    one.run(0.6)
    assert one.now_us == cut_us + 600_000
    assert not any(on for t_us, on, _ in one.plant.driven if t_us > cut_us)
    one.run(0.2)
    assert one.resets[-1] == (cut_us + 500_000, "power")
    assert one.outputs.contactor  # the second life has driven it again


def test_fram_file_of_another_size_is_refused(board, tmp_path) -> None:
    fram = tmp_path / "fram.bin"
    fram.write_bytes(b"precious")
    with pytest.raises(VirtualBoardError, match="holds 8 bytes, not 32768"):
        board("pass", fram_path=fram)
    assert fram.read_bytes() == b"precious"
