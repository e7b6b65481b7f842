# SPDX-License-Identifier: MIT
"""Bring-up of the grid front end: supply, SPI, voltages, and the direction and order of the current transformers."""

import asyncio

from evse.drivers import ade9000_registers as reg

WATCH_MS = 300
PHASE = ("L1", "L2", "L3")
DEAD_PERMILLE, LOW_PERMILLE, HIGH_PERMILLE = 200, 800, 1200  # of nominal voltage
IDLE_MA = 1000  # more than this behind an open contactor is not noise
LAG_SLACK_DEG = 30  # of a phase's angle: unbalance and a bad zero crossing
LOAD_MA = 1000  # directions are judged from here on
LOAD_W = 300  # the inverter's own figure must be as clear as that
SWAPPED_PERMILLE = 800  # power factor below this, with the rest reactive, is not an inverter


async def afe(session, found, _words) -> None:
    """Judge the front end as the cycle sees it; its SPI belongs to the cycle."""
    station = session.station
    part = station.board.afe
    sequence, crc, ranges = part.sequence, part.crc_errors, part.range_errors
    await asyncio.sleep_ms(WATCH_MS)
    found.value("version", "0x%04X" % part.version if part.version else "none")
    found.value("refreshes_in_%d_ms" % WATCH_MS, part.sequence - sequence)
    found.value("crc_errors", part.crc_errors)
    found.value("range_errors", part.range_errors)
    found.value("burst_errors", part.burst_errors)
    found.value("restarts", part.restarts)
    if not part.version:
        found.wrong("no ADE9000 answers on SPI: check its 3.3 V, clock, MISO, MOSI and chip select.")
        return
    if part.setup.trouble():
        found.wrong("the front end was lost and does not come back: %s." % part.setup.trouble())
    elif part.restarts:
        found.note("the front end was set up anew %d times since boot: check its 3.3 V supply and clock."
                   % part.restarts)  # fmt: skip
    if part.crc_errors != crc or part.range_errors != ranges:
        found.wrong("the SPI is disturbed: %d CRC and %d range errors in %d ms. Shorten or screen the cable."
                    % (part.crc_errors - crc, part.range_errors - ranges, WATCH_MS))  # fmt: skip
    elif part.sequence == sequence and max(part.phase_mv) > 0:
        found.wrong("the readings stand still: the front end is frozen. Check its clock and supply.")
    _values(station, found)
    _voltages(station, found)
    _order(station, found, part)
    _currents(station, found)


def _order(station, found, part) -> None:
    """Judge in which order the phases turn, once all three are there."""
    seen = station.image.inputs
    if station.settings.phases < 3 or not seen.frequency_ok or min(part.phase_lag[1:]) < 0:
        return
    if min(seen.phase_mv) * 2 < station.profile.nominal_mv:
        return
    turn = reg.ANGLE_HZ * 1000 // (seen.frequency_uhz // 1000)  # counts of a whole turn
    lags = [(part.phase_lag[k] * 360 + turn // 2) // turn for k in (1, 2)]
    found.value("lag_behind_l1", "%d %d" % (lags[0], lags[1]), "degrees")
    right = abs(lags[0] - 120) <= LAG_SLACK_DEG and abs(lags[1] - 240) <= LAG_SLACK_DEG
    turned = abs(lags[0] - 240) <= LAG_SLACK_DEG and abs(lags[1] - 120) <= LAG_SLACK_DEG
    if turned:
        found.wrong("the phases turn L1-L3-L2: exchange L2 and L3, sense wires and current transformers both.")
    elif not right:
        found.wrong("L2 and L3 lag %d and %d degrees behind L1 instead of 120 and 240: two sense wires are on one "
                    "phase, or it is no three-phase grid." % (lags[0], lags[1]))  # fmt: skip


def _values(station, found) -> None:
    seen = station.image.inputs
    for phase in range(station.settings.phases):
        found.value(PHASE[phase], "%d mV %d mA %d W %d var" % (
            seen.phase_mv[phase], seen.phase_ma[phase], seen.phase_w[phase], seen.phase_var[phase]))  # fmt: skip
    found.value("frequency", seen.frequency_uhz, "uHz")


def _voltages(station, found) -> None:
    if station.profile is None:
        return
    nominal_mv = station.profile.nominal_mv
    seen = station.image.inputs
    for phase in range(station.settings.phases):
        share = seen.phase_mv[phase] // (nominal_mv // 1000)
        if share < DEAD_PERMILLE:
            found.wrong(
                "%s has no voltage (%d mV): check its fuse and sense wire." % (PHASE[phase], seen.phase_mv[phase])
            )
        elif not LOW_PERMILLE <= share <= HIGH_PERMILLE:
            found.wrong("%s reads %d mV and %d mV is nominal: check afe_voltage_full_mv, or the wires: not %s and N."
                        % (PHASE[phase], seen.phase_mv[phase], nominal_mv, PHASE[phase]))  # fmt: skip
    if not seen.frequency_ok and max(seen.phase_mv) * 5 > nominal_mv:
        found.wrong("the voltage is there and its frequency cannot be measured: check the sense wires for noise.")


def _currents(station, found) -> None:
    image = station.image
    seen = image.inputs
    open_ = not image.outputs.contactor and seen.contactor_open_proven
    for phase in range(station.settings.phases):
        amps = seen.phase_ma[phase]
        if open_ and amps > IDLE_MA:
            found.wrong("%s carries %d mA behind an open contactor: its current transformer sits on another wire, or "
                        "afe_current_full_ma is wrong." % (PHASE[phase], amps))  # fmt: skip
        elif amps > LOAD_MA and not open_:
            _direction(station, found, phase)
    if open_:
        found.note("no power flows: directions and phase order of the current transformers show only under load.")


def _direction(station, found, phase: int) -> None:
    """Compare a phase's power with its apparent power and with what the inverter says it does."""
    seen = station.image.inputs
    apparent = seen.phase_mv[phase] // 100 * (seen.phase_ma[phase] // 10) // 1000
    power = seen.phase_w[phase]
    if not apparent:
        return
    if abs(power) * 1000 // apparent < SWAPPED_PERMILLE and abs(seen.phase_var[phase]) * 1000 // apparent > 600:
        found.wrong("%s has a power factor of %d permille: voltage and current are of different phases. Swap the "
                    "current transformers." % (PHASE[phase], power * 1000 // apparent))  # fmt: skip
    elif seen.inverter_ok and abs(seen.inverter_w) > LOAD_W and (power > 0) != (seen.inverter_w > 0):
        found.wrong("%s measures %d W while the inverter %s %d W: its current transformer is the wrong way "
                    "round. Turn it."
                    % (PHASE[phase], power, _does(seen.inverter_w), abs(seen.inverter_w)))  # fmt: skip


def _does(inverter_w: int) -> str:
    return "takes" if inverter_w > 0 else "gives"
