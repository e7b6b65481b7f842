# SPDX-License-Identifier: MIT
"""ONE map of the FRAM: where each kind of record lives. Addresses are kept for the life of a product.

Every record carries a sequence number and a CRC-32, and is written so that a cut after any byte leaves either the
old or the new one readable. All figures in bytes.
"""

SIZE = 32768  # of the smallest part; a larger one keeps more recordings

# name, address, length of one slot, slots
SETTINGS = ("settings", 0x0000, 3072, 2)  # all at their longest: about 2300
ENERGY = ("energy", 0x1800, 64, 2)
ACCESS = ("access", 0x1880, 64, 2)  # PIN hash and lock-out
BUDGET = ("budget", 0x1900, 32, 2)  # the battery's energy: today and in its lifetime
RUNNING = ("running session", 0x1940, 64, 2)  # the session that goes on now
TRIPS = ("trips", 0x19C0, 80, 24)
SESSIONS = ("sessions", 0x2140, 48, 64)
JOURNAL = ("journal", 0x2D40, 32, 256)
NEWEST_RECORDING = ("newest recording", 0x4D40, 32, 2)
DEPARTURE = ("one-off departure", 0x4D80, 32, 2)
# 0x4DC0..0x4E60 is free
SCRATCH = ("scratch", 0x4E60, 32, 1)  # `bringup memory` writes here, and nobody else
RECORDINGS = ("recordings", 0x4E80, 12672, 1)  # the grid around the last trips: a log up to the end of the part

REGIONS = (SETTINGS, ENERGY, ACCESS, BUDGET, RUNNING, TRIPS, SESSIONS, JOURNAL, NEWEST_RECORDING, DEPARTURE)
REGIONS += (SCRATCH, RECORDINGS)
END = SIZE
