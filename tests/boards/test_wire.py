# SPDX-License-Identifier: MIT
"""Both ends of the link describe the same messages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hil.virtual_board import wire

LINK = Path(__file__).parents[2] / "hil/virtual_board/modules/_link.py"
TREE = ast.parse(LINK.read_text())
SIZES = {"UINT8": 1, "UINT16": 2, "UINT32": 4, "INT64": 8}


def constants() -> dict[str, object]:
    found: dict[str, object] = {}
    for node in TREE.body:
        if isinstance(node, ast.Assign):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                continue
            target = node.targets[0]
            if isinstance(target, ast.Tuple):
                found.update(zip((name.id for name in target.elts), value, strict=True))
            else:
                found[target.id] = value
    return found


def layout(name: str) -> dict[str, tuple[int, int]]:
    """Return {field: (offset, size)} of a uctypes layout."""
    node = next(n for n in TREE.body if isinstance(n, ast.Assign) and getattr(n.targets[0], "id", "") == name)
    found = {}
    for key, value in zip(node.value.keys, node.value.values, strict=True):
        text = ast.unparse(value)
        offset = int(re.search(r"\| (\d+)", text).group(1))
        kind = re.findall(r"uctypes\.(U?INT\d+)", text)[-1]
        found[key.value] = (offset, SIZES[kind])
    return found


NAMES = """
    IN_SIZE SYNC RESET EXIT POWER_LOST TX_UART TX_UART_CUT TX_AFE TX_CONNECT TX_SEND TX_CLOSE TX_CAN TX_TAKEN
    RX_UART RX_CONNECTED RX_DATA RX_CLOSED RX_FRAM_CUT RX_CAN FLAG_STDIN FLAG_NET FLAG_EVENTS
    DIGITAL_OUT DIGITAL_IN ANALOG_IN IN_AFE IN_PERIOD
"""


@pytest.mark.parametrize("name", str.split(NAMES))
def test_constants_agree(name) -> None:
    assert constants()[name] == getattr(wire, name)


def test_sizes_agree() -> None:
    link = constants()
    assert (link["OUT_SIZE"], link["EVENT_SIZE"]) == (wire.OUT.size, wire.EVENT.size)
    assert link["EVENT"] == wire.EVENT.format
    assert link["IN_SLOTS"] == wire.IN_DIGITAL


def test_message_to_the_host() -> None:
    link = constants()
    fields = layout("_OUT")
    fields["now_us"], fields["target_us"] = (link["TIMES_AT"], 8), (link["TIMES_AT"] + 8, 8)
    order = (
        "length",
        "kind",
        "flags",
        "duty_u16",
        "now_us",
        "target_us",
        "gate_edge_us",
        "gate_edges",
        "pwm_hz",
        "wdt_us",
    )
    message = bytearray(wire.OUT.size)
    for n, name in enumerate(order, 1):
        offset, size = fields[name]
        message[offset : offset + size] = n.to_bytes(size, "little")
    message[link["OUT_SLOTS"] + 1] = 77  # gate_arm, the first slot after the gate edge
    assert wire.OUT.unpack(message) == (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, b"\x4d" + bytes(14))


def test_message_to_the_board() -> None:
    link = constants()
    fields = layout("_IN")
    fields["flags"], fields["spi_fault"] = (link["IN_FLAGS"], 1), (link["IN_SPI_FAULT"], 1)
    assert fields["uv"][0] == wire.IN_ANALOG
    assert fields["afe_sequence"][0] == wire.IN_SEQUENCE
    assert fields["energy"][0] == wire.IN_ENERGY
    message = bytearray(wire.IN_SIZE)
    wire.IN_HEAD.pack_into(message, 0, 1, 2, 3, 0, 4, 5)
    for n, name in enumerate(("extra", "flags", "spi_fault", "now_us", "wake_us"), 1):
        offset, size = fields[name]
        assert int.from_bytes(message[offset : offset + size], "little") == n
