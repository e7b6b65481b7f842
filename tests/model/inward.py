# SPDX-License-Identifier: MIT
"""The stages that face the world: the pilot's levels and the grid become what the rest of the machine is told."""

from __future__ import annotations

from typing import Any

from evse import faults
from evse.protect import Protect
from evse.sense.pilot import Pilot
from tests.core.protect_rig import Profile, Row
from tests.core.vehicle_rig import PilotPin
from tests.model.letters import GRIDS, MAINS_MV, PILOTS
from tests.model.limits import STAGE_DELAY_MS, WAIT_MS
from tests.model.shared import OFFER_PERMILLE, Broken, Ghost, ModelSettings
from tests.model.stage import Stage, kinds

AWAY_CYCLES = 3  # the pilot's slowest rule (gap, chatter: 20 ms in the model), and the cycle that sees it
STAGE_MV = 184000


class PilotStage(Stage):
    """The pilot's peak detectors to a state, with debounce, gap rule, diode and generator check."""

    KEEPS = (
        ("pilot", "_window_low", ""),
        ("pilot", "_window_high", ""),
        ("pilot", "_candidate", ""),
        ("pilot", "_candidate_ms", "cap"),
        ("pilot", "_other_ms", "cap"),
        ("pilot", "_lost", ""),
        ("pilot", "_duty", ""),
        ("pilot", "_duty_ms", "cap"),
        ("pilot", "_doubt", ""),
        ("pilot", "_bad_diode_ms", "cap"),
        ("pilot", "_bad_supply_ms", "cap"),
        ("inputs", "pilot_state", ""),
        ("inputs", "pilot_diode_ok", ""),
        ("status", "cause", "codes"),
        ("ghost", "away", ""),
    )
    GIVEN = (("outputs", "duty_permille"), ("pin", "vehicle_mv"), ("pin", "diode"))
    TELLS = (("pin", "high_mv"), ("pin", "low_mv"), ("pin", "duty_permille"))
    LETTERS = PILOTS
    CONTEXTS = (1000, OFFER_PERMILLE, 0)  # every duty there is

    def build(self) -> None:
        board = type("Board", (), {"pilot": PilotPin()})
        self.pin = board.pilot
        self.parts.update(pilot=Pilot(self.image, None, None, board), pin=self.pin, ghost=Ghost())

    def settle(self) -> None:
        pilot = self.parts["pilot"]
        if pilot._other_ms == 0:
            pilot._candidate_ms = 0
        pilot._duty_ms = min(pilot._duty_ms, 10)

    def go(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        duty, vehicle_mv, _ = given
        self.pin.duty_permille = duty
        self.parts["pilot"].run()
        ghost = self.parts["ghost"]
        if duty != 0:  # at steady -12 V no vehicle can be seen; the session then holds a fault
            ghost.away = 0 if vehicle_mv in (6000, 3000) else min(ghost.away + 1, AWAY_CYCLES + 1)
        inputs = self.image.inputs
        causes = kinds(self.image.status.cause)
        if inputs.pilot_state in (faults.PILOT_C, faults.PILOT_D) and ghost.away > AWAY_CYCLES and not any(causes):
            raise Broken("the pilot is believed in C or D long after its level has left")
        return (inputs.pilot_state, inputs.pilot_diode_ok, causes)


class ProtectStage(Stage):
    """Protection with one under-voltage stage, the inverter's own trip, the trip latch and enter service."""

    KEEPS = (
        ("stage", "picked_up", ""),
        ("stage", "due", ""),
        ("stage", "_since_ms", "since"),
        ("enter", "_tripped", ""),
        ("enter", "_waiting", ""),
        ("enter", "_since_ms", "since"),
        ("inverter", "_quiet", ""),
        ("protection", "trip", ""),
        ("protection", "service", ""),
        ("protection", "inhibit", ""),
        ("protection", "may_close", ""),
        ("protection", "ramp_permille", ""),
        ("protection", "element_active", "codes"),
        ("ghost", "calm", ""),
        ("ghost", "low", ""),
    )
    GIVEN = (("outputs", "contactor"), ("inputs", "afe_ok"), ("inputs", "inverter_alarms"))
    TELLS = (
        ("protect", "_lowest"),
        ("protect", "_highest"),
        ("stage", "_worst"),
        ("enter", "_total_ms"),
        ("protection", "trips"),
        ("protection", "wait_element"),
        ("enter", "_ramping"),
        ("enter", "_ramp_ms"),
        ("inputs", "afe_age_ms"),
        ("inputs", "grid_w"),
    )

    LETTERS = GRIDS
    CONTEXTS = (0, 1)  # coil off, on

    def build(self) -> None:
        row = Row(faults.ELEMENT_UV1, STAGE_MV, 0, STAGE_DELAY_MS)
        profile = Profile(stages=[row], enter_wait_ms=WAIT_MS, first_wait_ms=WAIT_MS)
        protect = Protect(self.image, ModelSettings, profile)
        self.parts.update(
            protect=protect,
            stage=protect._under_voltage[0],
            enter=protect._enter,
            inverter=protect._inverter,
            ghost=Ghost(),
        )
        protect._enter._total_ms = WAIT_MS

    def settle(self) -> None:
        if not self.parts["stage"].picked_up:
            self.parts["stage"]._since_ms = 0
        if not self.parts["enter"]._waiting:
            self.parts["enter"]._since_ms = 0

    def go(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        _, afe_ok, _, mv = given
        inputs = self.image.inputs
        inputs.phase_mv[0] = mv
        inputs.frequency_ok = inputs.inverter_ok = inputs.inverter_connected = 1
        inputs.frequency_uhz = inputs.cycle_uhz = 50000000
        before = self.image.protection.service
        self.parts["protect"].run()
        ghost = self.parts["ghost"]
        ghost.calm = min(ghost.calm + 1, WAIT_MS // 10 + 1) if afe_ok and mv == MAINS_MV else 0
        ghost.low = min(ghost.low + 1, STAGE_DELAY_MS // 10 + 2) if afe_ok and mv < STAGE_MV else 0
        protection = self.image.protection
        self._judge(protection, before, afe_ok, mv, ghost)
        return (protection.trip, protection.inhibit, protection.service, protection.may_close, afe_ok)

    def _judge(self, protection: Any, before: int, afe_ok: int, mv: int, ghost: Ghost) -> None:
        service = protection.service
        if protection.trip and (service or not protection.inhibit):
            raise Broken("tripped and still in service")
        if not afe_ok and not protection.inhibit:
            raise Broken("no inhibit with a stale AFE")
        if service and not before and ghost.calm * 10 <= WAIT_MS:
            raise Broken("in service before the grid was healthy for the whole wait")
        if service and ghost.low * 10 > STAGE_DELAY_MS + 10:
            raise Broken("in service beyond the stage's threshold and delay")
        judged = not self.image.outputs.contactor
        if judged and protection.may_close and (not service or not afe_ok or mv != MAINS_MV):
            raise Broken("closing is allowed outside the window")
