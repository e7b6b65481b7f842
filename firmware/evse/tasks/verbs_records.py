# SPDX-License-Identifier: MIT
"""Console verbs on records: energy, sessions, trips, trip, factory."""

from evse.decide.why import shown
from evse.faults import ELEMENTS, EVENT_FACTORY_RESET, SESSION_ENDS
from evse.points import INSTALLER
from evse.store.sessions import SOC_UNKNOWN
from evse.tasks import trip_plot
from evse.tasks.clock import utc_text
from evse.tasks.verbs import VerbError

SHOWN = 24
DATA_CHARACTERS = 96  # of hex a line, at least


def _records(session):
    records = session.station.records
    if records is None:
        raise VerbError("state", "no records: boot did not get that far; see `log`")
    return records


async def energy(session, _words) -> str:
    registers = _records(session).energy.registers_mwh
    await session.line("      %14s %14s" % ("import", "export"))
    for phase in range(3):
        await session.line("L%d    %s %s" % (phase + 1, _kwh(registers[phase], 10), _kwh(registers[3 + phase], 10)))
    kwh = sum(registers[:3]), sum(registers[3:])
    await session.line("total %s %s" % (_kwh(kwh[0], 10), _kwh(kwh[1], 10)))
    now = session.station.image.energy
    session_mwh = now.session_import_wh * 1000, now.session_export_wh * 1000
    await session.line("visit %s %s" % (_kwh(session_mwh[0], 10), _kwh(session_mwh[1], 10)))
    return "import=%s export=%s" % (_kwh(kwh[0]), _kwh(kwh[1]))


def _kwh(mwh: int, width: int = 0) -> str:
    text = "%d.%03d" % (mwh // 1000000, mwh // 1000 % 1000)
    return " " * (width - len(text)) + text + " kWh"


def _percent(permille: int) -> str:
    return "?" if permille == SOC_UNKNOWN else "%d.%d%%" % (permille // 10, permille % 10)


def _when(utc_s: int, boot: int) -> str:
    return utc_text(utc_s) if utc_s else "boot %d" % boot


def _duration(seconds: int) -> str:
    return "%d:%02d:%02d h" % (seconds // 3600, seconds // 60 % 60, seconds % 60)


async def sessions(session, words) -> str:
    store = _records(session).sessions
    most = _count(words, store.newest)
    for sequence in range(max(store.oldest, store.newest - most + 1), store.newest + 1):
        row = store.read(sequence)
        if row is None:
            continue
        end = SESSION_ENDS[row["reason"]] if row["reason"] < len(SESSION_ENDS) else "%d" % row["reason"]
        await session.line(
            "%4d %-20s %11s import=%d Wh export=%d Wh" % (
                sequence, _when(row["start_utc_s"], row["boot"]), _duration(row["duration_s"]), row["import_wh"],
                row["export_wh"]))  # fmt: skip
        soc = _percent(row["start_soc_permille"]), _percent(row["end_soc_permille"])
        await session.line("     soc=%s..%s trips=%d end=%s" % (soc + (row["trips"], end)))
    return "sessions=%d" % store.newest


def _count(words, newest: int) -> int:
    if not words:
        return SHOWN
    if not words[0].isdigit() or len(words[0]) > 4:
        raise VerbError("usage", "count '%s' is not a number; give 1..%d" % (words[0][:20], newest or 1))
    return int(words[0])


async def trips(session, _words) -> str:
    store = session.station.trips
    oldest, newest = (store.oldest, store.newest) if store is not None else (1, 0)
    recorded = [number for number in _records(session).recording.trips if oldest <= number]  # `trip` shows those
    for sequence in range(max(1, newest - SHOWN + 1), newest + 1):
        row = store.read(sequence)
        if row is None:
            continue
        await session.line("%4d %s" % (sequence, _trip_text(row)))
    numbers = ",".join([str(number) for number in recorded]) or "none"
    return "trips=%d recorded=%s since_boot=%d" % (newest, numbers, session.station.image.protection.trips)


def _trip_text(row) -> str:
    known = row["element"] < len(ELEMENTS)
    element, _device, unit = ELEMENTS[row["element"]] if known else ("element_%d" % row["element"], "", "")
    phase = "L%d" % row["phase"] if row["phase"] else "--"
    values = shown(row["value"], unit), shown(row["threshold"], unit)
    opened = "%d ms" % row["open_ms"] if row["open_ms"] else "? ms"
    when = _when(row["utc_s"], row["boot"])
    return "%-20s %-13s %s %s limit %s open %s" % ((when, element, phase) + values + (opened,))


async def trip(session, words) -> str:
    store = session.station.trips
    if not words or not words[0].isdigit() or len(words[0]) > 9 or words[1:] not in ([], ["data"]):
        raise VerbError("usage", "give `trip` and a number; `trips` lists the numbers")
    number = int(words[0])
    row = store.read(number) if store is not None else None
    if row is None:
        raise VerbError("unknown", "trip %d is not kept; `trips` lists the numbers" % number)
    await session.line(_trip_text(row))
    for line in _measured(row):
        await session.line(line)
    recording = _records(session).recording
    head = recording.find(number)
    if head is None:
        return "trip=%d recording=none" % number
    try:
        await (_data if words[1:] else trip_plot.draw)(session, recording, head)
    except ValueError as error:
        raise VerbError("damaged", str(error)) from None
    return "trip=%d recording=%d rows" % (number, head["rows"])


def _measured(row):
    """Return lines of what was measured once the contactor had opened."""
    voltages = [shown(row["voltage_l%d_mv" % phase], "mV") for phase in (1, 2, 3)]
    currents = ["%d mA" % row["current_l%d_ma" % phase] for phase in (1, 2, 3)]
    frequency = "%s, %s" % (shown(row["frequency_uhz"], "uHz"), shown(row["rocof_mhz_s"], "mHz/s"))
    return (
        "after it: V  %s" % "  ".join(voltages),
        "          I  %s" % "  ".join(currents),
        "          f  %s   P  %d W   Q  %d var" % (frequency, row["grid_w"], row["grid_var"]),
    )


async def _data(session, recording, head) -> None:
    """Write the recording for the host tool: its head, then rows in hex."""
    names = ("phases", "period_ms", "rows", "trip_row", "utc_s", "element", "crc")
    await session.data("recording " + " ".join(["%s=%d" % (name, head[name]) for name in names]))
    text = ""
    for row in recording.rows(head):
        text += row.hex()
        if len(text) >= DATA_CHARACTERS:
            await session.data("row " + text)
            text = ""
    if text:
        await session.data("row " + text)


async def factory(session, words) -> str:
    """Every setting to its default, PINs gone. Energy, sessions, trips and journal stay."""
    if words != ["yes"]:
        raise VerbError("usage", "give `factory yes`: all settings to default, PINs gone; energy and journal stay")
    station = session.station
    if session.level < INSTALLER:
        raise VerbError("access", "factory needs installer access; unlock first")
    energised = station.settings.energised
    if energised is not None and energised():
        raise VerbError("state", "power can flow; `stop`, wait until the contactor is open, then again")
    before = station.settings.asked()
    station.settings.reset()
    station.settings.save()
    session.access.reset()
    station.settings_changed(before, "console")
    station.record(EVENT_FACTORY_RESET)
    return "settings=default pins=none effect=after reboot"
