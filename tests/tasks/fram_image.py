# SPDX-License-Identifier: MIT
"""FRAM images for tests, written on CPython by the firmware's own stores."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

from backfeed.checkout import FIRMWARE

FRAM_BYTES = 32768


class Fram:
    """A FRAM image that the firmware's own stores read and write, here on CPython. path: what it holds; None: zeros."""

    size = FRAM_BYTES

    def __init__(self, path: Path | None = None) -> None:
        self.data = bytearray(self.size) if path is None else bytearray(path.read_bytes())

    def readinto(self, address: int, buffer) -> None:
        buffer[:] = self.data[address : address + len(buffer)]

    def write(self, address: int, buffer) -> None:
        self.data[address : address + len(buffer)] = buffer


def fram_with_trips(path: Path, count: int, recorded: int) -> None:
    """Write an image with trips, the last of them recorded: voltage 230 V, from the trip on 288 V, then no power."""
    assert str(FIRMWARE) in sys.path
    from evse.faults import ELEMENT_OV2
    from evse.image import Image
    from evse.store.recording import RecordingStore
    from evse.store.trips import TripStore

    fram, image = Fram(), Image()
    trips, recordings = TripStore(fram), RecordingStore(fram)
    image.protection.trip_element, image.protection.trip_phase = ELEMENT_OV2, 1
    image.protection.trip_value, image.protection.trip_threshold = 288000, 273700
    for number in range(1, count + 1):
        trips.append(image, utc_s=1790000000 + number, boot=1, open_ms=20)
        if number <= count - recorded:
            continue
        recordings.begin(1)
        for row in range(500):
            tripped = row >= 199
            volts = 14400 if tripped else 11500 + number
            recordings.put(struct.pack("<6h", volts, 0 if tripped else -4000, 0, 12, 0, 4 if tripped else 1))
        head = {"phases": 1, "rows": 500, "trip": number, "trip_row": 199, "period_ms": 10, "element": ELEMENT_OV2}
        recordings.finish(head | {"utc_s": 1790000000 + number + 3})
    path.write_bytes(fram.data)


def fram_with_energy(path: Path, import_mwh: int, export_mwh: int) -> None:
    """Write an image whose registers count so much on L1."""
    from evse.store.energy import EnergyStore

    fram = Fram()
    store = EnergyStore(fram)
    store.take((import_mwh, 0, 0), (export_mwh, 0, 0))
    store.save()
    path.write_bytes(fram.data)
