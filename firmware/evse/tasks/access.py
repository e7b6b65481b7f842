# SPDX-License-Identifier: MIT
"""Who may do what on the console: view, user, installer, each by PIN.

A PIN is kept as a salted, iterated SHA-256, never as text, never in settings, logs or telemetry. Each
wrong PIN doubles the lock-out; the count is in FRAM, so a restart does not help. A PIN of 4 to 8
digits does not resist someone who can read the FRAM chip: it keeps out the passer-by.
"""

import asyncio
import random
from hashlib import sha256

from evse.points import ACCESS, INSTALLER, USER, VIEW
from evse.store import layout
from evse.store.slots import TwoSlots

ROUNDS = 3000  # some 100 to 400 ms on the boards
ROUNDS_PER_TURN = 50
SALT_BYTES = 8
HASH_BYTES = 16
FREE_FAILURES = 3  # before the lock-out begins
LOCKOUT_S = 10  # doubles with each further failure
LOCKOUT_MAX_S = 3600
FAILURES_MAX = 100
_ENTRY = SALT_BYTES + HASH_BYTES
_RECORD = 1 + 2 * _ENTRY


class AccessError(ValueError):
    """Access refused; the text says why and what to do."""


async def derive(pin: str, salt) -> bytes:
    """Return the slow hash of a PIN; gives other tasks their turn every few rounds."""
    digest = bytes(salt) + pin.encode()
    for number in range(ROUNDS):
        hasher = sha256(salt)
        hasher.update(digest)
        digest = hasher.digest()
        if number % ROUNDS_PER_TURN == 0:
            await asyncio.sleep_ms(0)
    return digest[:HASH_BYTES]


def same(left, right) -> bool:
    """Compare in a time that does not tell where two digests differ."""
    difference = len(left) ^ len(right)
    for at in range(min(len(left), len(right))):
        difference |= left[at] ^ right[at]
    return difference == 0


class Access:
    """The PINs and the lock-out. memory: FRAM driver; uptime_ms: callable, ms since boot without a wrap.

    entropy: `random.getrandbits`-like, for the salt.
    """

    def __init__(self, memory, uptime_ms, entropy=random.getrandbits):
        self._slots = TwoSlots(memory, layout.ACCESS)
        self._entropy = entropy
        self._record = bytearray(_RECORD)
        body = self._slots.load()
        if body is not None and len(body) == _RECORD:
            self._record[:] = body
        elif self._slots.damaged:
            self._record[0] = FREE_FAILURES
        self._uptime_ms = uptime_ms
        self._since_ms = uptime_ms()  # a restart starts the lock-out over: it cannot shorten it

    @property
    def failures(self) -> int:
        """Wrong PINs in a row."""
        return self._record[0]

    def base(self) -> int:
        """Return the level a console has without a PIN: user, until a user PIN is set."""
        return VIEW if self.has_pin(USER) else USER

    def has_pin(self, level: int) -> bool:
        """Whether a PIN is set for a level."""
        return any(self._entry(level))

    def _entry(self, level: int):
        at = 1 + (level - USER) * _ENTRY
        return memoryview(self._record)[at : at + _ENTRY]

    def locked_s(self) -> int:
        """Return how long unlocking is still refused, in s."""
        over = self.failures - FREE_FAILURES
        if over < 0:
            return 0
        lockout_s = min(LOCKOUT_S << min(over, 10), LOCKOUT_MAX_S)
        return max(0, lockout_s - (self._uptime_ms() - self._since_ms) // 1000)

    async def unlock(self, level: int, pin: str) -> None:
        """Check a PIN; AccessError when it is wrong or must wait."""
        wait_s = self.locked_s()
        if wait_s:
            raise AccessError("locked for %d s after %d wrong PINs; wait" % (wait_s, self.failures))
        if not self.has_pin(level):
            if pin:
                raise AccessError("no %s PIN is set; unlock without one, then set it with `pin`" % ACCESS[level])
            return
        if not pin:
            raise AccessError("%s PIN is set; give it: unlock %s PIN" % ((ACCESS[level],) * 2))
        self._count(self.failures + 1)  # before the answer, so that a power cut cannot hide a wrong try
        entry = self._entry(level)
        if not same(await derive(pin, entry[:SALT_BYTES]), entry[SALT_BYTES:]):
            raise AccessError("wrong PIN (%d in a row)" % self.failures)
        self._count(0)

    def _count(self, failures: int) -> None:
        self._record[0] = min(failures, FAILURES_MAX)
        self._since_ms = self._uptime_ms()
        self._slots.save(self._record)

    def reset(self) -> None:
        """Forget both PINs."""
        self._keep(bytes(self._record[:1]) + bytes(_RECORD - 1))

    def _keep(self, record) -> None:
        """Store a record, then have it in force: what cannot be stored changes nothing."""
        self._slots.save(record)
        self._record[:] = record

    async def set_pin(self, level: int, pin: str) -> None:
        """Set a PIN of 4..8 digits; AccessError otherwise."""
        if not (4 <= len(pin) <= 8 and pin.isdigit()):
            raise AccessError("PIN must be 4..8 digits")
        salt = bytes([self._entropy(8) | 1 for _ in range(SALT_BYTES)])
        digest = await derive(pin, salt)
        at = 1 + (level - USER) * _ENTRY
        record = bytearray(self._record)
        record[at : at + _ENTRY] = salt + digest
        self._keep(record)


def level_of(name: str) -> int:
    """Return USER or INSTALLER of its name; AccessError otherwise."""
    if name == ACCESS[USER]:
        return USER
    if name == ACCESS[INSTALLER]:
        return INSTALLER
    raise AccessError("level '%s' is unknown; give user or installer" % name[:12])
