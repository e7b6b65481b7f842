# SPDX-License-Identifier: MIT
"""A table of contents: board, settings, profile, image, stages, cycle, ticker, tasks.

Whatever goes wrong before the cycle runs leaves the charger safe: without the cycle there are no gate
edges, so no power. Console, MQTT and watchdog live on, and the fault says what is wrong.
"""

import asyncio
import gc
from time import ticks_ms

from evse.faults import EVENT_BOOT, FAULT_PROFILE, FAULT_SETTINGS
from evse.image import Image
from evse.tasks.station import Station


def may_be_energised(image) -> bool:
    """Whether power could flow: the coil is driven, or the contactor is not proven open (once a cycle has looked)."""
    return image.outputs.contactor == 1 or (image.status.cycles > 0 and not image.inputs.contactor_open_proven)


def judge(values) -> None:
    """Raise ValueError when a grid code cannot be used with these changes: at boot it would hold the charger safe."""
    from evse.profiles.loader import load

    load(values["profile"], values["profile_changes"])


def open_settings(board, image, said):
    """Return the settings; damaged ones fall back to their defaults with a fault."""
    from evse.store.settings import Settings

    settings = Settings(board.memory)
    settings.load()
    settings.energised = lambda: may_be_energised(image)
    settings.judge = judge
    if settings.damaged:
        image.status.fault[FAULT_SETTINGS] = 1
        said.append("settings were damaged; defaults are in use")
    for name in settings.rejected:
        image.status.fault[FAULT_SETTINGS] = 1
        said.append("setting %s was out of range; its default is in use" % name)
    return settings


def build_cycle(board, image, settings, profile):
    """Return the cycle with its five stages."""
    from evse.actuate import Actuate
    from evse.cycle import Cycle
    from evse.decide import Decide
    from evse.limit import Limit
    from evse.protect import Protect
    from evse.sense import Sense

    sense = Sense(image, settings, profile, board)
    protect = Protect(image, settings, profile)
    decide = Decide(image, settings, profile)
    limit = Limit(image, settings, profile, board.ratings)
    actuate = Actuate(image, settings, board)
    return Cycle(image, sense, protect, decide, limit, actuate, board.outputs.gate_edge)


def open_cycle(board, image, settings, said):
    """Return (profile, cycle), or (None, None) with a fault when the profile cannot be used."""
    from evse.profiles.loader import load

    try:
        profile = load(settings.profile, settings.profile_changes)
        open_board(board, settings, profile, said)
        return profile, build_cycle(board, image, settings, profile)
    except (ValueError, ImportError, OSError) as error:
        image.status.fault[FAULT_PROFILE] = 1
        image.status.fault_count = 1
        said.append("held safe, no cycle: %s" % error)
        board.safe()
        return None, None


def open_board(board, settings, profile, said) -> None:
    """Start front end, inverter line and network; without a front end the cycle refuses power, and tries."""
    from evse.drivers.ade9000 import AfeError
    from evse.tasks.calibration import apply_gains

    try:
        board.open(settings, profile.nominal_uhz // 1000000)
    except AfeError as error:
        said.append("grid front end did not start: %s; it is tried again and again" % error)
    apply_gains(board.afe, settings)


def open_stores(station):
    """Open what is in FRAM; return the stores of the records task."""
    from evse.store.budget import BudgetStore
    from evse.store.departure import DepartureStore
    from evse.store.energy import EnergyStore
    from evse.store.journal import JournalStore
    from evse.store.recording import RecordingStore
    from evse.store.sessions import SessionStore
    from evse.store.trips import TripStore

    memory = station.board.memory
    station.journal = JournalStore(memory, station.clock.now_s)
    station.trips = TripStore(memory)
    station.one_off.open(DepartureStore(memory))
    return EnergyStore(memory), SessionStore(memory), BudgetStore(memory), RecordingStore(memory)


def build_tasks(station, recorder):
    """Fill station.tasks."""
    from evse.tasks.console import ConsoleTask
    from evse.tasks.inverter import InverterTask
    from evse.tasks.journal import JournalTask
    from evse.tasks.lines import Lines
    from evse.tasks.mqtt import MqttTask
    from evse.tasks.records import RecordsTask

    mqtt = MqttTask(station)
    records = station.records = RecordsTask(station, open_stores(station), recorder)
    station.journal_task = JournalTask(station, (mqtt, records))
    station.tasks = [station.clock, station.journal_task, records, ConsoleTask(station), mqtt]
    lines = Lines(station.board, station.settings)
    wired = station.board.inverter_uart is not None or station.settings.inverter_kind != "sunspec_rtu"
    if station.cycle is not None and wired:
        station.tasks.append(
            InverterTask(
                station.image,
                station.settings,
                station.board,
                lines=lines,
                profile=station.profile,
                notes=station.notes,
            )
        )
    if station.settings.meter_kind != "none":
        from evse.tasks.meter import MeterTask

        station.meter_task = MeterTask(station, lines)
        station.tasks.append(station.meter_task)


def build_recorder(image, settings, cycle):
    """Return the trip recorder around the cycle; None without a cycle."""
    from evse.tasks.recorder import Recorder

    return None if cycle is None else Recorder(image, settings.phases, cycle.run)


def start():
    """Build everything, start the ticker and return the station."""
    from board.board import Board

    from micropython import alloc_emergency_exception_buf

    alloc_emergency_exception_buf(100)
    said = []
    board = Board()
    image = Image()
    settings = open_settings(board, image, said)
    profile, cycle = open_cycle(board, image, settings, said)
    station = Station(board, image, settings, profile, cycle)
    for text in said:
        station.notes.say("boot", text)
    recorder = build_recorder(image, settings, cycle)
    build_tasks(station, recorder)
    image.events.emit(ticks_ms(), EVENT_BOOT)
    gc.collect()
    if recorder is not None:
        board.ticker(recorder.run)
    return station


def main():
    """Run until Ctrl-C (service) or a failure of the supervisor itself; the outputs are safe either way."""
    from evse.tasks.supervisor import Supervisor

    station = start()
    try:
        asyncio.run(Supervisor(station).run())
    except KeyboardInterrupt:
        station.board.service()
    finally:
        station.board.safe()


main()
