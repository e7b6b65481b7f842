# SPDX-License-Identifier: MIT
"""The supply goes at any byte while the whole firmware writes a trip's recording: nothing that was safe is lost.

BACKFEED_RECORDING_CUTS=200 makes so many cuts instead of a few.
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass
from pathlib import Path

from board_console import ask
from fram_image import Fram

from backfeed import firmware_ask
from evse.store import layout
from evse.store.budget import BudgetStore
from evse.store.energy import EnergyStore
from evse.store.journal import JournalStore
from evse.store.recording import HEAD_BYTES, RecordingStore
from evse.store.sessions import SessionStore
from evse.store.settings import Settings
from evse.store.trips import TripStore
from hil.plant.station import Station
from hil.virtual_board import VirtualBoard

CUTS = int(os.environ.get("BACKFEED_RECORDING_CUTS", "4"))
SETTINGS = {"discharge_budget_wh": 20000, "soc_taper_permille": 0, "ramp_export_permille_min": 60000}
TO_FULL_S = 3.1  # from the voltage's rise: the trip, then 3 s of recording, of which this is short
WRITTEN_S = 2.5
LEAST_KEPT = 3  # recordings that have room beside a new one
ANCHOR_BYTES = 40  # written last: makes the recording count


@dataclass
class Held:
    """What a FRAM holds, read by the firmware's own stores. Rings: {sequence: record}; recordings: {trip: rows}."""

    settings: dict[str, object]
    rings: dict[str, dict[int, object]]
    energy_mwh: list[int]
    budget: tuple[int, ...]
    recordings: dict[int, bytes]


def held(fram: Path) -> Held:
    """Read everything; a record that is there and not whole fails here."""
    memory = Fram(fram)
    settings = Settings(memory)
    settings.load()
    assert not settings.damaged and not settings.rejected
    rings = {}
    for name, store in (
        ("journal", JournalStore(memory)),
        ("trips", TripStore(memory)),
        ("sessions", SessionStore(memory)),
    ):
        rings[name] = {number: store.read(number) for number in range(store.oldest, store.newest + 1)}
        assert None not in rings[name].values(), f"a record of the {name} between oldest and newest is gone"
    energy = EnergyStore(memory)
    assert not energy.damaged
    recordings = RecordingStore(memory)
    rows = {}
    for trip in recordings.trips:
        head = recordings.find(trip)
        rows[trip] = b"".join(recordings.rows(head))  # ValueError when it is damaged
        assert len(rows[trip]) == head["rows"] * 2 * (3 * head["phases"] + 3)
    budget = BudgetStore(memory).row
    return Held({name: getattr(settings, name) for name in SETTINGS}, rings, energy.registers_mwh, budget, rows)


def kept(before: Held, after: Held) -> None:
    """Nothing that was acknowledged is lost or goes back; of the rings only the oldest may have given way."""
    assert after.settings == before.settings == SETTINGS
    for name, records in before.rings.items():
        later = after.rings[name]
        oldest = min(later, default=1)
        assert {n: record for n, record in records.items() if n >= oldest} == {
            n: later[n] for n in records if n >= oldest
        }
    assert all(new >= old for new, old in zip(after.energy_mwh, before.energy_mwh, strict=True))
    assert all(new >= old for new, old in zip(after.budget[:3], before.budget[:3], strict=True))
    assert after.budget[3] == before.budget[3] and after.budget[4] >= before.budget[4]
    safe, earlier = list(before.recordings), [trip for trip in after.recordings if trip in before.recordings]
    assert len(earlier) >= min(len(safe), LEAST_KEPT) and earlier == safe[len(safe) - len(earlier) :]
    assert all(after.recordings[trip] == before.recordings[trip] for trip in earlier)


def rises(board: VirtualBoard, station: Station, s: float) -> None:
    """Let the grid's voltage rise, which trips, for s seconds."""
    station.grid.set(voltage_v=285.0)
    board.run(s)
    station.grid.set(voltage_v=230.0)


def first_life(board: VirtualBoard, station: Station) -> None:
    """A session that exports, a trip and its recording, the vehicle gone: something of everything."""
    board.run(3)
    ask(board, "mode script")
    ask(board, "time 1790000000")
    station.vehicle.plug()
    assert board.run_while(lambda: not board.outputs.contactor, 60)
    ask(board, "setpoint -5000 600")
    board.run(15)
    rises(board, station, TO_FULL_S)
    board.run(WRITTEN_S)
    station.vehicle.unplug()
    board.run(2)


def test_a_cut_while_a_recording_is_written_loses_nothing_else(tmp_path: Path) -> None:
    fram = tmp_path / "fram.bin"
    firmware_ask.write_settings(fram, SETTINGS)
    station = Station()
    chance = random.Random(21)
    torn = whole = 0
    with VirtualBoard(station, fram_path=fram) as board:
        first_life(board, station)
        before = held(fram)
        assert list(before.recordings) == [1] and before.rings["sessions"] and before.budget[1] > 5
        assert before.energy_mwh[3] > 5000
        head = RecordingStore(Fram(fram)).find(1)
        recording_bytes = 2 * HEAD_BYTES + head["bytes"] + ANCHOR_BYTES  # zeros in place of its head come first
        for trip in range(2, 2 + CUTS):
            board.run(22)  # in service again
            rises(board, station, TO_FULL_S)
            before = held(fram)
            assert trip == max(before.rings["trips"]) and trip not in before.recordings
            cut = chance.randrange(recording_bytes * 3 // 2)  # a third of them too late
            board.cut_power_after_fram_bytes(cut)
            lives = len(board.resets)
            if board.run_while(lambda lives=lives: len(board.resets) == lives, WRITTEN_S):
                assert board.resets[-1][1] == "power"
            else:
                board.power_cut(1.0)  # nothing was left to cut
                board.run(1.1)
            board.run(1.5)
            after = held(fram)
            kept(before, after)
            torn += trip not in after.recordings
            whole += trip in after.recordings
            ask(board, "mode script")
            shown = [number for number in after.recordings if number in after.rings["trips"]]
            named = re.search(r"recorded=(\S+)", ask(board, "trips"))
            assert named and named[1] == (",".join(map(str, shown)) or "none"), (cut, named)
            for number in shown:
                assert f"OK trip={number} recording=500 rows" in ask(board, f"trip {number}", 1)
        assert len(board.resets) == 1 + CUTS
    print(f"{CUTS} cuts, {torn} torn and refused, {whole} whole")
    assert torn and whole, "cuts of one kind only"
    assert layout.RECORDINGS[2] > recording_bytes
