# SPDX-License-Identifier: MIT
"""Bring-up of memory, pilot, inputs, temperatures and gate: values and what is implausible about them."""

import asyncio

from evse.faults import PILOT_STATES
from evse.store import layout

PATTERN = b"backfeed \x00\xff\x55\xaa\x01"
PILOT_LEVELS_MV = (12000, 9000, 6000, 3000)  # IEC 61851-1, states A to D
PILOT_SLACK_MV = 1000
IDLE_LOW_MV = 11400  # state A: 12 V +- 0.6 V
OPEN_CDEG = 20000  # what an open or shorted thermistor reads
COLD_CDEG, HOT_CDEG = -3000, 8500
APART_CDEG = 4000  # two sensors of one cold charger
CYCLES_IN_100_MS = 10


async def memory(session, found, _words) -> None:
    """Write a pattern into a place of its own and read it back."""
    memory = session.station.board.memory
    found.value("size", memory.size, "B")
    address = layout.SCRATCH[1]
    back = bytearray(len(PATTERN))
    for pattern in (PATTERN, bytes([byte ^ 0xFF for byte in PATTERN])):
        try:
            memory.write(address, pattern)
            memory.readinto(address, back)
        except OSError as error:
            found.wrong("the FRAM does not answer (%s). Check its supply, SDA, SCL and pull-ups." % error)
            return
        if back != pattern:
            found.wrong("FRAM address 0x%04X reads %s after writing %s. Check its wiring and write protection."
                        % (address, bytes(back), pattern))  # fmt: skip
            return
    found.value("write_and_read", "ok")
    if memory.size < layout.SIZE:
        found.wrong("the FRAM holds %d B; the records need %d B." % (memory.size, layout.SIZE))


async def pilot(session, found, _words) -> None:
    """Judge the peaks of the control pilot and the cable's coding."""
    image = session.station.image
    high_mv, low_mv = image.inputs.pilot_high_mv, image.inputs.pilot_low_mv
    found.value("pilot_high", high_mv, "mV")
    found.value("pilot_low", low_mv, "mV")
    found.value("state", PILOT_STATES[image.inputs.pilot_state])
    found.value("duty", image.outputs.duty_permille, "permille")
    found.value("cable", image.inputs.cable_ma, "mA")
    if image.outputs.duty_permille == 0:
        found.note("the pilot rests at -12 V (state F): the charger refuses.")
    elif high_mv < PILOT_LEVELS_MV[-1] - PILOT_SLACK_MV:
        found.wrong("the pilot's upper level is %d mV: shorted to earth, or its generator has no +12 V." % high_mv)
    elif high_mv > PILOT_LEVELS_MV[0] + PILOT_SLACK_MV:
        found.wrong("the pilot's upper level is %d mV, above 13 V: check +12 V and pilot_gain_permille." % high_mv)
    elif min([abs(high_mv - level) for level in PILOT_LEVELS_MV]) > PILOT_SLACK_MV:
        found.wrong(
            "the pilot's upper level is %d mV, between two states: check the +12 V supply and the cable." % high_mv
        )
    elif abs(high_mv - PILOT_LEVELS_MV[0]) <= PILOT_SLACK_MV and high_mv < IDLE_LOW_MV:
        found.wrong("the idle pilot is at %d mV instead of 12000 mV +- 600 mV: check the +12 V supply." % high_mv)
    pwm = 0 < image.outputs.duty_permille < 1000
    if pwm and low_mv > -11000 and high_mv < IDLE_LOW_MV:
        found.wrong(
            "the pilot's lower level is %d mV instead of -12000 mV: no diode in the vehicle, or no -12 V." % low_mv
        )


async def inputs(session, found, _words) -> None:
    """Judge the fail-safe inputs: mirror contact, RCD, emergency stop."""
    image = session.station.image
    seen = image.inputs
    for name in ("contactor_open_proven", "rcd_tripped", "estop", "gate_up"):
        found.value(name, getattr(seen, name))
    found.value("contactor", image.outputs.contactor)
    if not image.outputs.contactor and not seen.contactor_open_proven:
        found.wrong("the coil is off and the mirror contact does not prove the contactor open: no 24 V at the mirror "
                    "contact, a broken wire, or welded contacts.")  # fmt: skip
    if image.outputs.contactor and seen.contactor_open_proven:
        found.wrong("the coil is on and the mirror contact still shows the contactor open: no coil voltage, or the "
                    "mirror contact is bridged.")  # fmt: skip
    if seen.rcd_tripped:
        found.wrong("the RCD input is low: it has tripped, has no supply, or its wire is broken.")
    if seen.estop:
        found.wrong("the emergency stop input is low: it is pressed, or its loop is broken.")


async def temperatures(session, found, _words) -> None:
    """Judge both temperature sensors."""
    seen = session.station.image.inputs
    readings = (("board", seen.board_cdeg), ("connector", seen.connector_cdeg))
    for name, cdeg in readings:
        found.value(name, "%d.%02d" % (cdeg // 100, cdeg % 100), "C")
        if cdeg >= OPEN_CDEG:
            found.wrong("the %s sensor is open or shorted: check its plug and wire." % name)
        elif not COLD_CDEG <= cdeg <= HOT_CDEG:
            found.wrong("the %s sensor reads %d C: wrong thermistor, or really that hot." % (name, cdeg // 100))
    if max(readings[0][1], readings[1][1]) < OPEN_CDEG and not session.station.image.outputs.contactor:
        apart = abs(seen.board_cdeg - seen.connector_cdeg)
        if apart > APART_CDEG:
            found.wrong(
                "board and connector are %d K apart with no power flowing: one sensor is wrong." % (apart // 100)
            )


async def gate(session, found, _words) -> None:
    """Judge the safety gate against what it is told; its edges come from the cycle."""
    image = session.station.image
    cycles = image.status.cycles
    await asyncio.sleep_ms(CYCLES_IN_100_MS * 10)
    made = image.status.cycles - cycles
    found.value("gate_arm", image.outputs.gate_arm)
    found.value("gate_up", image.inputs.gate_up)
    found.value("cycles_in_100_ms", made)
    found.value("overruns", image.status.overruns)
    found.value("late_worst", image.status.late_worst_us, "us")
    found.value("selftest", ("running", "passed", "failed")[image.status.selftest])
    if not made:
        found.wrong("the cycle does not run, so there are no gate edges: see `log` for what held it at boot.")
    if image.inputs.gate_up and not image.outputs.gate_arm:
        found.wrong("the gate is up although its arm line is low: the feedback is wired wrong, or the gate is stuck.")
    if image.outputs.gate_arm and made and not image.inputs.gate_up:
        found.wrong("the gate stays down although it is armed and gets edges: check the monostable and its supply.")
    if image.status.selftest == 2:
        found.wrong("the self-test failed: the gate or the RCD did not answer as it must; see `faults`.")
