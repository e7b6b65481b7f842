# SPDX-License-Identifier: MIT
"""A Modbus TCP device whose connection spoils what passes, by the same seeded schedule of episodes as the line's."""

from __future__ import annotations

import random

from faulty_line import Episode, Schedule

HEAD = 7  # transaction, protocol, length, unit
EACH_ANSWER = (
    "drop",
    "delay",
    "duplicate",
    "wrong_number",
    "wrong_unit",
    "wrong_protocol",
    "exception",
    "half",
    "lost_request",
    "hang_up",
)
WHOLE = ("black_hole", "refuse", "babble")
TCP_KINDS = EACH_ANSWER + WHOLE


class FaultyTcp:
    """What the plant serves at one address: `bank(unit, pdu, t_us)` answers a PDU. Bytes are never altered: TCP guards
    them; frames are lost, late, doubled, cut, of another transaction, and connections end or are refused."""

    def __init__(self, bank, schedule: Schedule, seed: int, longest_delay_ms: float):
        self._bank = bank
        self.schedule = schedule
        self._random = random.Random(seed + 1)
        self._longest_delay_us = round(longest_delay_ms * 1000)
        self._buffer = bytearray()
        self._queue: list[tuple[int, bytes]] = []
        self._now_us = 0
        self.hung_up_us = 0  # when it ended the connection, 0 = it did not
        self.requests = 0
        self.refused = 0
        self.connections = 0
        self.hits = dict.fromkeys(TCP_KINDS, 0)

    def run_to(self, t_us: int) -> None:
        """Time has passed; a babbling device says something by itself."""
        self._now_us = t_us
        if "babble" in self._shares(t_us) and self._random.random() < 0.2:
            self.hits["babble"] += 1
            self._queue.append((t_us, self._random.randbytes(self._random.randrange(1, 40))))

    def _shares(self, t_us: int) -> dict[str, float]:
        episode: Episode | None = self.schedule.now(t_us)
        return episode.shares if episode else {}

    @property
    def listening(self) -> bool:
        """False: connections are refused."""
        if "refuse" not in self._shares(self._now_us):
            return True
        self.hits["refuse"] += 1
        return False

    def connected(self, t_us: int) -> None:
        """A new connection: nothing of the one before is left."""
        self.connections += 1
        self.hung_up_us = 0
        self._buffer.clear()
        self._queue.clear()

    def receive(self, data: bytes, t_us: int) -> None:
        """Take bytes that reached the device at plant time t_us."""
        self._buffer += data
        while len(self._buffer) >= HEAD and not self.hung_up_us:
            length = 6 + int.from_bytes(self._buffer[4:6], "big")
            if len(self._buffer) < length:
                return
            frame = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._take(frame, t_us)

    def _hit(self, shares: dict[str, float], kind: str) -> bool:
        if kind not in shares or self._random.random() >= shares[kind]:
            return False
        self.hits[kind] += 1
        return True

    def _take(self, frame: bytes, t_us: int) -> None:
        shares = self._shares(t_us)
        if "refuse" in shares:  # switched off: it hangs up on who is still there
            self.hung_up_us = t_us
            return
        if self._hit(shares, "black_hole") or self._hit(shares, "lost_request"):
            return
        self.requests += 1
        pdu = self._bank(frame[6], frame[HEAD:], t_us)
        if pdu is not None:
            self._answer(frame, pdu, t_us, shares)

    def _answer(self, request: bytes, pdu: bytes, t_us: int, shares: dict[str, float]) -> None:
        if self._hit(shares, "drop"):
            return
        if self._hit(shares, "exception"):
            pdu = bytes((request[HEAD] | 0x80, self._random.choice((1, 2, 3, 4, 5, 6, 8, 11))))
        number, protocol, unit = request[:2], request[2:4], request[6]
        if self._hit(shares, "wrong_number"):
            number = ((int.from_bytes(number, "big") - self._random.randrange(1, 4)) % 65536).to_bytes(2, "big")
        if self._hit(shares, "wrong_unit"):
            unit = (unit + self._random.randrange(1, 255)) % 256
        if self._hit(shares, "wrong_protocol"):
            protocol = self._random.randbytes(2)
        frame = number + protocol + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu
        if self._hit(shares, "half"):
            frame = frame[: self._random.randrange(1, len(frame))]
        at_us = t_us + 5_000
        if self._hit(shares, "delay"):
            at_us += self._random.randrange(5_000, self._longest_delay_us)
        if self._hit(shares, "hang_up"):
            self.hung_up_us = at_us
            frame = frame[: self._random.randrange(0, len(frame) + 1)]
        self._queue.append((at_us, frame))
        if self._hit(shares, "duplicate"):
            self._queue.append((at_us + self._random.randrange(0, 4_000), frame))

    def transmit(self) -> list[tuple[int, bytes]]:
        """Return and forget what was sent."""
        queue, self._queue = self._queue, []
        return queue
