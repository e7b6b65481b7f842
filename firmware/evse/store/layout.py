# SPDX-License-Identifier: MIT
"""ONE map of the FRAM: where each kind of record lives. Addresses are kept for the life of a product.

Every record carries a sequence number and a CRC-32, and is written so that a cut after any byte leaves either the
old or the new one readable. All figures in bytes.
"""

SIZE = 32768

# name, address, length of one slot, slots
SETTINGS = ("settings", 0x0000, 3072, 2)  # all at their longest: about 2300
ENERGY = ("energy", 0x1800, 64, 2)
ACCESS = ("access", 0x1880, 64, 2)  # PIN hash and lock-out
BUDGET = ("budget", 0x1900, 32, 2)  # the battery's energy: today and in its lifetime
RUNNING = ("running session", 0x1940, 64, 2)  # the session that goes on now
TRIPS = ("trips", 0x19C0, 80, 24)
SESSIONS = ("sessions", 0x2140, 48, 64)
JOURNAL = ("journal", 0x2D40, 32, 256)
RECORDING = ("recording", 0x4D40, 12032, 1)  # the grid around the last trip: head, then 500 rows of three phases

REGIONS = (SETTINGS, ENERGY, ACCESS, BUDGET, RUNNING, TRIPS, SESSIONS, JOURNAL, RECORDING)
END = 0x7C40  # the rest is free
