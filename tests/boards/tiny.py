# SPDX-License-Identifier: MIT
"""A plant of a few lines, for tests of the virtual board itself."""

from __future__ import annotations

from hil.plant.interface import BoardInputs, BoardOutputs


class Echo:
    """A serial device that answers each request delay_us after its last stop bit, and keeps the times."""

    def __init__(self, delay_us: int = 5000, character_us: float = 0.0) -> None:
        self.delay_us = delay_us
        self.character_us = character_us
        self.received: list[tuple[int, bytes]] = []
        self._answers: list[tuple[int, bytes]] = []

    def receive(self, data: bytes, t_us: int) -> None:
        self.received.append((t_us, data))
        self._answers.append((t_us + self.delay_us + round(len(data) * self.character_us), data))

    def transmit(self) -> list[tuple[int, bytes]]:
        answers, self._answers = self._answers, []
        return answers


class TinyPlant:
    """A healthy grid and nothing else; records what the board drives."""

    def __init__(self) -> None:
        self.inputs = BoardInputs()
        self.echo = Echo()
        self.serial = {"inverter": self.echo}
        self.times: list[int] = []
        self.driven: list[tuple[int, bool, bool]] = []  # t_us, contactor, gate_arm: of the step that ended at t_us
        self.fail_at_us = 1 << 60
        afe = self.inputs.afe
        afe.voltage_v = [230.0, 231.0, 232.0]
        afe.current_a = [10.0, 11.0, 12.0]
        afe.active_w = [2300.0, -2000.0, 1000.0]
        afe.reactive_var = [50.0, -60.0, 70.0]
        afe.line_period_s = [0.02, 0.02, 0.02]

    def advance(self, t_us: int, outputs: BoardOutputs) -> BoardInputs:
        assert not self.times or t_us >= self.times[-1], "the plant never runs backwards"
        if t_us >= self.fail_at_us:
            raise ZeroDivisionError("the world ends")
        self.times.append(t_us)
        self.driven.append((t_us, outputs.contactor, outputs.gate_arm))
        self.inputs.afe.sequence = t_us // 10_000
        return self.inputs
