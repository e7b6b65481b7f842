# SPDX-License-Identifier: MIT
"""Console verbs on records: energy, sessions, trips, trip, factory."""

from evse.faults import ELEMENTS, SESSION_ENDS
from evse.link import telemetry
from evse.points import INSTALLER
from evse.store.sessions import SOC_UNKNOWN
from evse.tasks import trip_plot
from evse.tasks.clock import utc_text
from evse.tasks.verbs import VerbError

SHOWN = 24
ROWS_A_LINE = 5


def _records(session):
    records = session.station.records
    if records is None:
        raise VerbError("state", "no records: boot did not get that far; see `log`")
    return records


async def energy(session, _words) -> str:
    registers = _records(session).energy.registers_mwh
    for phase in range(3):
        await session.line(
            "L%d import=%s export=%s kWh" % (phase + 1, _kwh(registers[phase]), _kwh(registers[3 + phase]))
        )
    shown = session.station.image.energy
    await session.line("session import=%d export=%d Wh" % (shown.session_import_wh, shown.session_export_wh))
    return "import=%s kWh export=%s kWh" % (_kwh(sum(registers[:3])), _kwh(sum(registers[3:])))


def _kwh(mwh: int) -> str:
    return "%d.%03d" % (mwh // 1000000, mwh // 1000 % 1000)


def _percent(permille: int) -> str:
    return "?" if permille == SOC_UNKNOWN else "%d.%d%%" % (permille // 10, permille % 10)


def _when(utc_s: int, boot: int) -> str:
    return utc_text(utc_s) if utc_s else "boot %d" % boot


async def sessions(session, words) -> str:
    store = _records(session).sessions
    most = _count(words, store.newest)
    for sequence in range(max(store.oldest, store.newest - most + 1), store.newest + 1):
        row = store.read(sequence)
        if row is None:
            continue
        end = SESSION_ENDS[row["reason"]] if row["reason"] < len(SESSION_ENDS) else "%d" % row["reason"]
        await session.line(
            "%d %s %d s import=%d export=%d Wh soc=%s..%s trips=%d end=%s"
            % (
                sequence,
                _when(row["start_utc_s"], row["boot"]),
                row["duration_s"],
                row["import_wh"],
                row["export_wh"],
                _percent(row["start_soc_permille"]),
                _percent(row["end_soc_permille"]),
                row["trips"],
                end,
            )
        )
    return "sessions=%d" % store.newest


def _count(words, newest: int) -> int:
    if not words:
        return SHOWN
    if not words[0].isdigit() or len(words[0]) > 4:
        raise VerbError("usage", "count '%s' is not a number; give 1..%d" % (words[0][:20], newest or 1))
    return int(words[0])


async def trips(session, _words) -> str:
    store = session.station.trips
    newest = store.newest if store is not None else 0
    for sequence in range(max(1, newest - SHOWN + 1), newest + 1):
        row = store.read(sequence)
        if row is not None:
            await session.line("%d %s" % (sequence, _trip_text(row)))
    return "trips=%d since_boot=%d" % (newest, session.station.image.protection.trips)


def _trip_text(row) -> str:
    element = telemetry.code_name("element", row["element"])
    unit = ELEMENTS[row["element"]][2] if row["element"] < len(ELEMENTS) else ""
    return "%s %s L%d value=%d limit=%d %s open=%d ms" % (
        _when(row["utc_s"], row["boot"]),
        element,
        row["phase"],
        row["value"],
        row["threshold"],
        unit,
        row["open_ms"],
    )


async def trip(session, words) -> str:
    store = session.station.trips
    if not words or not words[0].isdigit() or len(words[0]) > 9 or words[1:] not in ([], ["data"]):
        raise VerbError("usage", "trip number [data]; `trips` lists the numbers")
    number = int(words[0])
    row = store.read(number) if store is not None else None
    if row is None:
        raise VerbError("unknown", "trip %d is not kept; `trips` lists the numbers" % number)
    await session.line(_trip_text(row))
    await session.line(
        "V=%d %d %d mV I=%d %d %d mA f=%d uHz rocof=%d mHz/s P=%d W Q=%d var"
        % (
            row["voltage_l1_mv"],
            row["voltage_l2_mv"],
            row["voltage_l3_mv"],
            row["current_l1_ma"],
            row["current_l2_ma"],
            row["current_l3_ma"],
            row["frequency_uhz"],
            row["rocof_mhz_s"],
            row["grid_w"],
            row["grid_var"],
        )
    )
    recording = _records(session).recording
    if recording.head is None or recording.head["trip"] != number:
        return "trip=%d recording=none" % number
    try:
        await (_data if words[1:] else trip_plot.draw)(session, recording)
    except ValueError as error:
        raise VerbError("damaged", str(error)) from None
    return "trip=%d recording=%d rows" % (number, recording.head["rows"])


async def _data(session, recording) -> None:
    """Write the recording for the host tool: its head, then rows in hex."""
    head = recording.head
    await session.line(
        "recording phases=%d period_ms=%d rows=%d trip_row=%d utc_s=%d element=%d crc=%d"
        % tuple([head[name] for name in ("phases", "period_ms", "rows", "trip_row", "utc_s", "element", "crc")])
    )
    text = ""
    for number, row in enumerate(recording.rows()):
        text += row.hex()
        if number % ROWS_A_LINE == ROWS_A_LINE - 1:
            await session.line("row " + text)
            text = ""
    if text:
        await session.line("row " + text)


async def factory(session, words) -> str:
    """Every setting to its default, PINs gone. Energy, sessions, trips and journal stay."""
    if words != ["yes"]:
        raise VerbError("usage", "factory yes: all settings to default, PINs gone; energy and journal stay")
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
    station.notes.say("console", "factory reset")
    return "settings=default pins=none effect=after reboot"
