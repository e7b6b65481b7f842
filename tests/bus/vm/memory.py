# SPDX-License-Identifier: MIT
"""On the board: energy registers, settings and journal on an FRAM whose I2C is disturbed, judged by what is read back.

    entry script of the virtual board; arguments: seconds, seed

Each second something is written; now and then everything is read anew, as after a restart. Prints a report as JSON.
"""

import asyncio
import json
import random
import sys
from errno import EIO, ENODEV, ETIMEDOUT
from time import ticks_diff, ticks_ms

import machine

KINDS = ("nack", "short_write", "corrupt_read", "corrupt_write", "stuck_sda", "held", "dead")
WHOLE = ("dead",)  # all the time; the others hit single transfers
FIRST_FAULT_S = 10
CALM_EVERY, CALM_S = 6, 60
RESTART_EVERY = 25  # rounds
Real = machine.I2C


class FaultyI2C(Real):
    """machine.I2C with faults by a seeded schedule. stuck: SDA is low; opening the bus anew frees it."""

    shares = {}
    hits = dict([(kind, 0) for kind in KINDS])
    stuck = 0
    reopened = 0

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        cls = FaultyI2C
        if cls.stuck and "held" not in cls.shares:
            cls.stuck = 0
            cls.reopened += 1

    def _hit(self, kind):
        share = FaultyI2C.shares.get(kind, 0)
        if not share or random.random() >= share:
            return 0
        FaultyI2C.hits[kind] += 1
        return 1

    def _line(self):
        cls = FaultyI2C
        if self._hit("stuck_sda") or self._hit("held"):
            cls.stuck = 1
        if cls.stuck:
            raise OSError(ETIMEDOUT)
        if self._hit("dead") or self._hit("nack"):
            raise OSError(ENODEV)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        self._line()
        super().readfrom_mem_into(addr, memaddr, buf, addrsize=addrsize)
        if self._hit("corrupt_read"):
            buf[random.randrange(len(buf))] ^= 1 << random.randrange(8)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self._line()
        if self._hit("short_write"):
            super().writeto_mem(addr, memaddr, bytes(buf)[: random.randrange(len(buf))], addrsize=addrsize)
            raise OSError(EIO)
        data = bytearray(buf)
        if self._hit("corrupt_write"):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        super().writeto_mem(addr, memaddr, data, addrsize=addrsize)


machine.I2C = FaultyI2C

from board.board import Board  # noqa: E402

from evse.store.energy import EnergyStore  # noqa: E402
from evse.store.journal import JournalStore  # noqa: E402
from evse.store.settings import Settings  # noqa: E402


class Schedule:
    """Episodes one after the other; each is a mix of some kinds. calm_s: since the last one ended."""

    def __init__(self):
        self.until_s = FIRST_FAULT_S
        self.episodes = 0
        self.faulty = 0
        self.long_calm = 0

    def tick(self, now_s):
        if now_s < self.until_s:
            return
        if self.faulty:
            FaultyI2C.shares = {}
            self.long_calm = 1 if self.episodes % CALM_EVERY == 0 else 0
            self.until_s = now_s + (CALM_S if self.long_calm else random.randrange(1, 20))
        else:
            kinds = [random.choice(KINDS) for _ in range(random.choice((1, 1, 2, 3)))]
            FaultyI2C.shares = dict(
                [(kind, 1.0 if kind in WHOLE else random.choice((0.01, 0.05, 0.2, 0.5))) for kind in kinds]
            )
            self.episodes += 1
            self.long_calm = 0
            self.until_s = now_s + random.randrange(1, 20)
        self.faulty = 1 - self.faulty


class Judge:
    """The truth beside the stores: what each must hold, or may hold after a write that was refused."""

    def __init__(self, memory):
        self.memory = memory
        self.count = 0
        self.refused = 0
        self.report = {
            "rounds": 0, "restarts": 0, "wrong_energy": 0, "wrong_setting": 0, "wrong_journal": 0, "damaged": 0,
            "writes_refused": 0, "reads_refused": 0, "longest_recovery_s": 0, "recoveries": 0,
        }  # fmt: skip
        self.energy_may = [0]
        self.setting_may = [settings_default]
        self.journal = {}  # sequence: value of what was acknowledged
        self.open()

    def open(self):
        self.energy = EnergyStore(self.memory)
        self.settings = Settings(self.memory)
        self.settings.load()
        self.log = JournalStore(self.memory)
        self.counter_mwh = 0

    def write(self):
        """One write of each kind; True when all were taken."""
        self.count += 1
        good = 0
        self.counter_mwh += 1000
        self.energy.take([self.counter_mwh, 0, 0], [0, 0, 0])
        total = self.energy.registers_mwh[0]
        good += self.try_(self.energy.save, self.energy_may, total)
        value = 1000 + self.count % 1000
        self.settings.set("charge_w", value)
        good += self.try_(self.settings.save, self.setting_may, value)
        try:
            self.journal[self.log.append(0, 1, 2, self.count)] = self.count
            good += 1
        except OSError:
            self.report["writes_refused"] += 1
        return good == 3

    def try_(self, save, may, value):
        try:
            save()
        except OSError:
            may.append(value)  # it may have arrived or not
            self.report["writes_refused"] += 1
            return 0
        may.clear()
        may.append(value)
        return 1

    def restart(self):
        """Read everything anew; what cannot be read is refused, what is read is right."""
        try:
            self.open()
            report = self.report
            report["restarts"] += 1
            report["damaged"] += self.energy.damaged + self.settings.damaged
            total = self.energy.registers_mwh[0]
            if total not in self.energy_may:
                report["wrong_energy"] += 1
            if self.settings.charge_w not in self.setting_may:
                report["wrong_setting"] += 1
            self.energy_may = [total]
            self.setting_may = [self.settings.charge_w]
            for sequence in self.journal:
                row = self.log.read(sequence)
                if sequence > self.log.newest - 200 and (row is None or row[5] != self.journal[sequence]):
                    report["wrong_journal"] += 1
            self.journal = {}
        except OSError:
            self.report["reads_refused"] += 1
            return 0
        return 1


async def main(seconds, seed):
    random.seed(seed)
    board = Board()
    judge = Judge(board.memory)
    schedule = Schedule()
    report = judge.report
    total_ms = 0
    last_ms = ticks_ms()
    broken_s = -1  # since when nothing is taken any more, in a calm
    must_open = 0
    while total_ms < seconds * 1000:
        await asyncio.sleep_ms(1000)
        board.watchdog.feed()
        now_ms = ticks_ms()
        total_ms += ticks_diff(now_ms, last_ms)
        last_ms = now_ms
        was_faulty = schedule.faulty
        schedule.tick(total_ms // 1000)
        if was_faulty and not schedule.faulty:
            broken_s = total_ms // 1000
        report["rounds"] += 1
        good = not must_open and judge.write()
        if must_open or report["rounds"] % RESTART_EVERY == 0:
            must_open = 0 if judge.restart() else 1
        if good and broken_s >= 0 and not schedule.faulty:
            report["longest_recovery_s"] = max(report["longest_recovery_s"], total_ms // 1000 - broken_s)
            report["recoveries"] += 1
            broken_s = -1
    report["episodes"] = schedule.episodes
    report["hits"] = FaultyI2C.hits
    report["reopened"] = FaultyI2C.reopened
    report["retried"] = board.memory.errors
    report["unrecovered"] = 1 if broken_s >= 0 and not schedule.faulty else 0
    print("report", json.dumps(report))


settings_default = Settings(None).charge_w
asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
