# SPDX-License-Identifier: MIT
"""A serial line that spoils what passes, by a seeded schedule of episodes with clean gaps between."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from hil.plant.modbus_server import sealed

SECOND_US = 1_000_000
EACH_ANSWER = (
    "drop",
    "delay",
    "duplicate",
    "corrupt",
    "wrong_unit",
    "exception",
    "half",
    "lost_request",
    "bad_request",
)
WHOLE_LINE = ("babble", "stuck_low", "dead")
KINDS = EACH_ANSWER + WHOLE_LINE
CALM_EVERY = 6  # episodes between two gaps that are long enough to demand recovery
CALM_S = 60.0


@dataclass
class Episode:
    """start and end in us; shares: kind -> how likely each answer is hit (1 for faults of the whole line)."""

    start_us: int
    end_us: int
    shares: dict[str, float]
    calm_us: int = 0  # clean time after it
    hits: dict[str, int] = field(default_factory=dict)


class Schedule:
    """Episodes one after the other, for ever; each is a mix of some of `kinds`. whole: those with a share of 1."""

    def __init__(self, seed: int, first_us: int, kinds: tuple[str, ...] = KINDS, whole: tuple[str, ...] = WHOLE_LINE):
        self._random = random.Random(seed)
        self._kinds = kinds
        self._whole = whole
        self.episodes: list[Episode] = []
        self._next(first_us)

    def _next(self, start_us: int) -> None:
        pick = self._random
        kinds = pick.sample(self._kinds, min(len(self._kinds), pick.choice((1, 1, 2, 3, 4))))
        shares = {kind: 1.0 if kind in self._whole else pick.choice((0.05, 0.2, 0.5, 1.0)) for kind in kinds}
        end_us = start_us + round(pick.uniform(0.3, 20.0) * SECOND_US)
        calm_s = CALM_S if len(self.episodes) % CALM_EVERY == CALM_EVERY - 1 else pick.uniform(0.5, 20.0)
        self.episodes.append(Episode(start_us, end_us, shares, round(calm_s * SECOND_US)))

    def now(self, t_us: int) -> Episode | None:
        """Return the episode under way at t_us, or None."""
        while t_us >= self.episodes[-1].end_us + self.episodes[-1].calm_us:
            self._next(self.episodes[-1].end_us + self.episodes[-1].calm_us)
        last = self.episodes[-1]
        return last if last.start_us <= t_us < last.end_us else None


class FaultyLine:
    """A SerialDevice: `bank(unit, pdu, t_us)` answers a request's PDU with a PDU, or None when it is not for it.

    Corruption is what a check sum of 16 bits is made to find: one to three bits, or a burst of up to 16. Beyond that
    one in 65 536 spoiled frames would pass, in any Modbus RTU master.
    """

    def __init__(self, bank, baud: int, schedule: Schedule, seed: int, longest_delay_ms: float):
        self._bank = bank
        self.baud = baud
        self.schedule = schedule
        self._random = random.Random(seed + 1)
        self._longest_delay_us = round(longest_delay_ms * 1000)
        self.character_us = 10e6 / baud
        self.silence_us = 1750 if baud > 19200 else round(3.5 * 11e6 / baud)
        self._sent: list[tuple[int, bytes]] = []
        self._said_us = 0
        self._busy_us = 0  # until then it works on an answer and is deaf, as a half-duplex device is
        self.requests = 0
        self.refused = 0
        self.hits = dict.fromkeys(KINDS, 0)

    def receive(self, data: bytes, t_us: int) -> None:
        """Take a request whose last stop bit ended at t_us."""
        episode = self.schedule.now(t_us)
        shares = episode.shares if episode else {}
        deaf = t_us < self._busy_us or "stuck_low" in shares or "dead" in shares
        if deaf or self._hit(shares, "lost_request"):
            return
        if self._hit(shares, "bad_request"):
            data = self._corrupted(data)
        if len(data) < 4 or sealed(data[:-2]) != data:
            self.refused += 1
            return
        self.requests += 1
        pdu = self._bank(data[0], data[1:-2], t_us)
        if pdu is not None:
            self._answer(data[0], data[1], pdu, t_us, shares)

    def _hit(self, shares: dict[str, float], kind: str) -> bool:
        if kind not in shares or self._random.random() >= shares[kind]:
            return False
        self.hits[kind] += 1
        return True

    def _answer(self, unit: int, function: int, pdu: bytes, t_us: int, shares: dict[str, float]) -> None:
        if self._hit(shares, "drop"):
            return
        if self._hit(shares, "exception"):
            pdu = bytes((function | 0x80, self._random.choice((1, 2, 3, 4, 5, 6, 8, 11))))
        if self._hit(shares, "wrong_unit"):
            unit = (unit + self._random.randrange(1, 255)) % 256
        frame = sealed(bytes((unit,)) + pdu)
        if self._hit(shares, "corrupt"):
            frame = self._corrupted(frame)
        if self._hit(shares, "half"):
            frame = frame[: self._random.randrange(1, len(frame))]
        start_us = t_us + self.silence_us + 500
        if self._hit(shares, "delay"):
            start_us += self._random.randrange(5_000, self._longest_delay_us)
        end_us = self._busy_us = round(start_us + len(frame) * self.character_us)
        self._sent.append((end_us, frame))
        if self._hit(shares, "duplicate"):
            self._sent.append(
                (round(end_us + len(frame) * self.character_us) + self._random.randrange(0, 4_000), frame)
            )

    def _corrupted(self, frame: bytes) -> bytes:
        bits = len(frame) * 8
        value = int.from_bytes(frame, "big")
        if self._random.random() < 0.5:
            for bit in self._random.sample(range(bits), self._random.randrange(1, 4)):
                value ^= 1 << bit
        else:
            burst = 1 << 15 | self._random.getrandbits(15) | 1
            value ^= burst << self._random.randrange(0, bits - 16)
        return value.to_bytes(len(frame), "big")

    def run_to(self, t_us: int) -> None:
        """Say what a babbling device or a line stuck low says by itself until t_us."""
        episode = self.schedule.now(t_us)
        shares = episode.shares if episode else {}
        count = min(int((t_us - self._said_us) / self.character_us), 64)
        if count < 1:
            return
        self._said_us = t_us
        if "babble" in shares:
            self.hits["babble"] += 1
            self._sent.append((t_us, self._random.randbytes(count)))
        elif "stuck_low" in shares:
            self.hits["stuck_low"] += 1
            self._sent.append((t_us, bytes(count)))
        elif "dead" in shares:
            self.hits["dead"] += 1

    def transmit(self) -> list[tuple[int, bytes]]:
        """Return and forget what was sent."""
        sent, self._sent = self._sent, []
        return sent
