# SPDX-License-Identifier: MIT
"""Stored records that are spoiled, or whole but senseless: the store opens, is shown on the console, takes the next.

Half of the inputs hit bytes, which check sums find. The other half write random bodies with right check sums, as an
older or a broken firmware might have left them: what reads a body must bear anything in it.
"""

import random
import struct

from evse.fixed import DAY_MINUTES
from evse.link.crc import crc32
from evse.store import layout
from evse.store.budget import WH_MAX, BudgetStore
from evse.store.departure import DepartureStore
from evse.store.energy import EnergyStore
from evse.store.journal import BODY_BYTES as JOURNAL_BODY
from evse.store.journal import JournalStore
from evse.store.recording import HEAD_BYTES, RecordingStore
from evse.store.ring import Ring
from evse.store.sessions import BODY_BYTES as SESSION_BODY
from evse.store.sessions import SessionStore
from evse.store.slots import HEAD_BYTES as SLOT_HEAD
from evse.store.slots import TwoSlots
from evse.store.trips import BODY_BYTES as TRIP_BODY
from evse.store.trips import TripStore
from evse.tasks import access

RINGS = {"journal": JOURNAL_BODY, "trips": TRIP_BODY, "sessions": SESSION_BODY}
LENGTHS = {
    "energy": 48,
    "access": 49,
    "budget": 16,
    "running session": 36,
    "one-off departure": 8,
    "newest recording": 8,
}
STORED = (
    b'{"version": 1, "values": {"phases": 3, "soc_floor_permille": 300, "profile": "uk_g98", "x": [1]}}',
    b'{"version": 1, "values": {"phases": "3", "mqtt_host": 5, "profile": null}}',
    b'{"version": 2, "values": {}}',
    b"[]",
)
FRESH = 500  # inputs between two fresh memories


def noise(size):
    return bytes([random.getrandbits(8) for _ in range(size)])


def spoil(data):
    """Change a few bytes of data."""
    data = bytearray(data)
    for _ in range(random.randrange(4)):
        data[random.randrange(len(data))] = random.getrandbits(8)
    return bytes(data)


def fill(station):
    """Write some of every record."""
    memory = station.board.memory
    for at in range(0, memory.size, 1024):
        memory.write(at, bytes(1024))
    station.settings.save()
    journal, trips, sessions = JournalStore(memory), TripStore(memory), SessionStore(memory)
    for number in range(3):
        journal.append(number, 6, number, -number, 1)
        trips.append(station.image, number)
        sessions.append({"import_wh": number})
        record(RecordingStore(memory), number + 1)
    energy = EnergyStore(memory)
    energy.take((1, 2, 3), (4, 5, 6))
    energy.save()


def record(store, trip):
    store.begin(1)
    store.put(noise(60) + bytes(180))
    store.finish({"phases": 1, "rows": 20, "trip": trip, "trip_row": 9, "period_ms": 10})


def write_ring(memory, region):
    ring = Ring(memory, region, RINGS[region[0]])
    ring.body[:] = noise(len(ring.body))
    if region[0] == "journal" and random.getrandbits(1):
        ring.body[10] = random.randrange(32)  # a known event
    ring.append()


def write_slots(memory, region):
    slots = TwoSlots(memory, region)
    slots.load()
    if region[0] == "settings":
        slots.save(spoil(STORED[random.randrange(len(STORED))]))
        return
    slots.save(noise(random.randrange(region[2] - SLOT_HEAD + 1) if random.getrandbits(1) else LENGTHS[region[0]]))


def write_recording(memory):
    """A head with a right check sum and anything in it, before packed rows that are anything."""
    store = RecordingStore(memory)
    store.begin(1)
    store.put(bytes(12 * random.randrange(20)))
    store.finish({"phases": random.randrange(5), "rows": random.randrange(40), "trip": 3, "period_ms": 10})
    address = layout.RECORDINGS[1]
    for at in range(512):
        head = bytearray(HEAD_BYTES)
        memory.readinto(address + at, head)
        if head[0] == 0x53 and head[1] == 0xBF:
            head[2 + random.randrange(34)] = random.getrandbits(8)
            struct.pack_into("<I", head, HEAD_BYTES - 4, crc32(memoryview(head)[: HEAD_BYTES - 4]))
            memory.write(address + at, head)
            break


def hit(memory, region):
    """Change some bytes of a region."""
    _name, address, length, slots = region
    size = 1 + random.randrange(3)
    at = address + random.randrange(min(length * slots, 400) - size)
    memory.write(at, noise(size))


def write(memory, region):
    if random.getrandbits(1):
        hit(memory, region)
    elif region[0] in RINGS:
        write_ring(memory, region)
    elif region[0] == "recordings":
        write_recording(memory)
    else:
        write_slots(memory, region)


def open_settings(station):
    station.settings.load()


def open_energy(station):
    station.records.energy = energy = EnergyStore(station.board.memory)
    if min(energy.registers_mwh) < 0:
        raise ValueError("energy below zero")
    energy.take((1, 1, 1), (1, 1, 1))
    energy.save()


def open_access(station):
    store = access.Access(station.board.memory, lambda: 0)
    if not 0 <= store.locked_s() <= access.LOCKOUT_MAX_S:
        raise ValueError("lock-out out of its range")


def open_budget(station):
    budget = station.image.budget
    BudgetStore(station.board.memory).restore(budget)
    if not all([0 <= wh <= WH_MAX for wh in (budget.charged_wh, budget.discharged_wh, budget.day_discharge_wh)]):
        raise ValueError("budget out of its range")
    if not (-1 <= budget.weekday < 7 and 0 <= budget.day_run_minutes <= DAY_MINUTES):
        raise ValueError("the budget's day out of its range")


def open_departure(station):
    soc_permille, minute, _unix_s = DepartureStore(station.board.memory).row
    if not (0 <= soc_permille <= 1000 and 0 <= minute < 10080):
        raise ValueError("departure out of its range")


def open_sessions(station):
    station.records.sessions = store = SessionStore(station.board.memory)
    left = store.left()
    if random.randrange(16) == 0 and store.read(store.append(left or {"import_wh": 1})) is None:
        raise ValueError("the next session is not there")


def open_journal(station):
    station.journal = store = JournalStore(station.board.memory)
    if random.randrange(16) == 0 and store.read(store.append(1, 6, 1, 1, 1)) is None:
        raise ValueError("the next event is not there")


def open_trips(station):
    station.trips = store = TripStore(station.board.memory)
    if random.randrange(16) == 0 and store.read(store.append(station.image, 1)) is None:
        raise ValueError("the next trip is not there")


def open_recordings(station):
    station.records.recording = store = RecordingStore(station.board.memory)
    if random.randrange(16) == 0:
        record(store, 3)
        if len(list(store.rows(store.find(3)))) != 20:
            raise ValueError("the next recording is not there")


# region: what opens it, and the verbs that show what is in it
STORES = {
    "settings": (open_settings, ("get profile mqtt_host",)),
    "energy": (open_energy, ("energy",)),
    "access": (open_access, ("unlock user 1111",)),
    "budget": (open_budget, ("get grid_w",)),
    "one-off departure": (open_departure, ("plan",)),
    "running session": (open_sessions, ("sessions 3",)),
    "sessions": (open_sessions, ("sessions 3",)),
    "trips": (open_trips, ("trips", "trip 4")),
    "journal": (open_journal, ("log 6",)),
    "newest recording": (open_recordings, ("trip 2", "trip 3 data")),
    "recordings": (open_recordings, ("trip 1", "trip 2", "trip 3", "trip 3 data")),
}


async def fuzz(station, console, count):
    """Write, open, show; return how many answers were OK."""
    access.ROUNDS = 1  # the slow hash has its own test
    regions = [region for region in layout.REGIONS if region[0] in STORES]
    if len(regions) != len(STORES):
        raise ValueError("a region of the layout is not fuzzed")
    answered = [0]
    line = console.line

    async def hear(text):
        answered[0] += text.startswith("OK")
        await line(text)

    console.line = hear
    for number in range(count):
        if number % FRESH == 0:
            fill(station)
        region = regions[random.randrange(len(regions))]
        write(station.board.memory, region)
        opens, shows = STORES[region[0]]
        opens(station)
        await console.execute(shows[random.randrange(len(shows))])
    console.line = line
    return answered[0]
