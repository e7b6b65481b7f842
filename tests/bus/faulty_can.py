# SPDX-License-Identifier: MIT
"""A CAN module whose values prove when they were read, on a bus that spoils what passes by the seeded schedule.

The current counts hundredths of a second, the voltage those within 10 s, in mV above 400 V. The module checks what it
is told: setpoints count up by 5 mA, so an old one that follows a new one shows.
"""

from __future__ import annotations

import random

from faulty_line import Episode, Schedule

from hil.plant.infypower import CURRENT, VOLTAGE, InfyPower
from hil.virtual_board.can_line import TRIES

EACH_ANSWER = ("drop", "delay", "duplicate", "stranger", "exception", "half", "lost_request", "destroy")
WHOLE = ("babble", "stuck", "dead")
CAN_KINDS = EACH_ANSWER + WHOLE
CLOCK = 30_000  # hundredths of a second
FINE = 1000
BASE_MV = 400_000
STEP_MA = 5
WRAP = 4000
OURS = 0xF0
BABBLE_US = 2000


class Unit:
    """A power stage that nobody looks at."""

    power_w = 0.0

    def set(self, **_what: object) -> None:
        """Follow."""

    def __setitem__(self, _name: str, _value: float) -> None:
        """Nothing to start."""


class Station:
    """What a module wants of a station."""

    def unit(self, _number: int) -> Unit:
        """Return the power stage."""
        return Unit()


class TruthModule(InfyPower):
    """An InfyPower whose answers tell the time at which they were worked out."""

    def __init__(self) -> None:
        super().__init__(Station())  # type: ignore[arg-type]
        self.now_us = 0
        self.setpoints = 0
        self.zeros = 0
        self.last = 0
        self.errors: list[str] = []

    def receive(self, identifier: int, data: bytes, t_us: int) -> None:
        self.now_us = t_us
        super().receive(identifier, data, t_us)

    def _get(self, code: int) -> tuple[int, int]:
        clock = self.now_us // 10_000
        if code == VOLTAGE:
            return 0, BASE_MV + clock % FINE
        if code == CURRENT:
            return 0, clock % CLOCK
        return super()._get(code)

    def _set(self, code: int, value: int, t_us: int) -> int:
        error = super()._set(code, value, t_us)
        if code == CURRENT and not error:
            self._obey(value)
        return error

    def _obey(self, value_ma: int) -> None:
        self.setpoints += 1
        if value_ma == 0:
            self.zeros += 1
            return
        number, rest = divmod(value_ma, STEP_MA)
        if rest or not 1 <= number <= WRAP:
            self.errors.append(f"{self.now_us / 1e6:.3f} s: {value_ma} mA was never asked for")
        elif (number - self.last) % WRAP > WRAP // 2:
            self.errors.append(f"{self.now_us / 1e6:.3f} s: setpoint {number} after {self.last}")
        self.last = number


class FaultyCan:
    """A node of the bus around the module; `disturb` and `run_to` are hung on the bus."""

    def __init__(self, module: TruthModule, schedule: Schedule, seed: int, longest_delay_ms: float):
        self.module = module
        self.schedule = schedule
        self._random = random.Random(seed + 1)
        self._longest_delay_us = round(longest_delay_ms * 1000)
        self._queue: list[tuple[int, int, bytes]] = []  # the module's answers, in order
        self._noise: list[tuple[int, int, bytes]] = []  # the babbling node's
        self._on: tuple[int, bytes] | None = None  # the answer that the bus has; one at a time, for a controller
        self._failed = 0  # repeats a destroyed frame before it sends the next, and the bus would let that overtake it
        self._stuck = False
        self._free_us = 0  # when its last answer goes out: answers keep their order
        self._said_us = 0
        self.requests = 0
        self.refused = 0
        self.hits = dict.fromkeys(CAN_KINDS, 0)

    def receive(self, identifier: int, data: bytes, t_us: int) -> None:
        """Take a frame; answer it as the episode lets it."""
        episode = self.schedule.now(t_us)
        shares = episode.shares if episode else {}
        if self._hit(shares, "lost_request"):
            return
        self.requests += 1
        self.module.receive(identifier, data, t_us)
        for ready_us, answer, payload in self.module.transmit():
            self._answer(ready_us, answer, payload, shares)

    def _answer(self, ready_us: int, identifier: int, data: bytes, shares: dict[str, float]) -> None:
        if self._hit(shares, "drop"):
            return
        if self._hit(shares, "exception"):
            identifier |= self._random.choice((2, 3, 7)) << 26
        if self._hit(shares, "delay"):
            ready_us += self._random.randrange(5_000, self._longest_delay_us)
        if self._hit(shares, "half"):
            data = data[: self._random.randrange(8)]
        self._free_us = ready_us = max(ready_us, self._free_us)
        if self._hit(shares, "stranger"):  # another controller's answer, and one to a code that nobody asked for
            self._queue.append((ready_us, identifier & ~0xFF00 | 0xF1 << 8, self._random.randbytes(8)))
            self._queue.append((ready_us, identifier, b"\x77\x77" + self._random.randbytes(6)))
        self._queue.append((ready_us, identifier, data))
        if self._hit(shares, "duplicate"):
            self._queue.append((ready_us + self._random.randrange(0, 4_000), identifier, data))

    def _hit(self, shares: dict[str, float], kind: str) -> bool:
        if kind not in shares or self._random.random() >= shares[kind]:
            return False
        self.hits[kind] += 1
        return True

    def disturb(self, _to_board: bool, identifier: int, data: bytes) -> list[tuple[int, int, bytes]] | None:
        """Destroy frames: their senders repeat them."""
        share = min(self._shares(self.module.now_us).get("destroy", 0.0), 0.5)
        destroyed = self._hit({"destroy": share}, "destroy")
        if self._on == (identifier, data):
            self._failed += 1
            if not (destroyed or self._stuck) or self._failed >= TRIES:
                self._on = None
                self._failed = 0
        return None if destroyed else [(0, identifier, data)]

    def _shares(self, t_us: int) -> dict[str, float]:
        episode: Episode | None = self.schedule.now(max(t_us, self._said_us))
        return episode.shares if episode else {}

    def run_to(self, bus, t_us: int) -> None:
        """Set the faults of the whole bus; babble until t_us."""
        shares = self._shares(t_us)
        bus.stuck = self._stuck = "stuck" in shares
        bus.dead = "dead" in shares
        self.hits["stuck"] += bus.stuck
        self.hits["dead"] += bus.dead
        # A node's few buffers are full on a bus held low: it does not heap up frames there.
        if "babble" in shares and not bus.stuck and t_us - self._said_us >= BABBLE_US:
            self.hits["babble"] += 1
            identifier = 11 << 22 | self._random.choice((0x23, 0x24)) << 16 | OURS << 8 | 9
            self._noise.append((t_us, identifier, self._random.randbytes(8)))
        if t_us - self._said_us >= BABBLE_US:
            self._said_us = t_us

    def transmit(self) -> list[tuple[int, int, bytes]]:
        """Return and forget what it wants to send."""
        sent, self._noise = self._noise, []
        if self._on is None and self._queue:
            ready_us, identifier, data = self._queue.pop(0)
            self._on = identifier, data
            sent.append((ready_us, identifier, data))
        return sent
