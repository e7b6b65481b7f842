# SPDX-License-Identifier: MIT
"""ONE map of the FRAM: where each kind of record lives. Addresses are kept for the life of a product.

Every record carries a sequence number and a CRC-32, and is written so that a cut after any byte leaves either the
old or the new one readable. All figures in bytes.
"""

SIZE = 32768

# name, address, length of one slot, slots
SETTINGS = ("settings", 0x0000, 4096, 2)
ENERGY = ("energy", 0x2000, 64, 2)
ACCESS = ("access", 0x2080, 64, 2)  # PIN hash and lock-out
TRIPS = ("trips", 0x2100, 80, 24)
SESSIONS = ("sessions", 0x2900, 48, 64)
JOURNAL = ("journal", 0x3800, 32, 512)

REGIONS = (SETTINGS, ENERGY, ACCESS, TRIPS, SESSIONS, JOURNAL)
END = 0x7800  # the rest is free
