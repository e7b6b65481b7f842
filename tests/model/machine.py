# SPDX-License-Identifier: MIT
"""Faults, session and contactor as stages of real code, each with what it keeps and what it is given."""

from __future__ import annotations

from typing import Any

from evse import faults
from evse.actuate import contactor as contactor_module
from evse.actuate.contactor import Contactor
from evse.actuate.inverter import InverterImage
from evse.actuate.selftest import SelfTest
from evse.decide.latch import FaultLatch
from evse.decide.session import Session
from evse.limit.permission import Permission
from tests.model.letters import MAINS_MV, POWER_W
from tests.model.shared import OFFER_PERMILLE, Broken, Ghost, ModelSettings
from tests.model.stage import Stage, kinds

# Sense writes faults for a stale AFE and a silent inverter on top; the machine without them is the weaker one.
AUTO_CODE, PERSON_CODE, REPAIR_CODE = faults.FAULT_PILOT_INVALID, faults.FAULT_RCD_TRIP, faults.FAULT_CONTACTOR_WELD
PASSING = (
    faults.FAULT_RCD_TEST,
    faults.FAULT_CONTACTOR_NO_CLOSE,
    faults.FAULT_CONTACTOR_BOUNCE,
    faults.FAULT_CONTACTOR_DROPOUT,
    faults.FAULT_SELFTEST,
)


class LatchStage(Stage):
    """The faults; one code stands for all that clear in the same way."""

    KEEPS = (
        ("status", "fault", "codes"),
        ("latch", "_latched", "codes"),
        ("latch", "_seen_cause", "codes"),
        ("latch", "_direct", "codes"),
    )
    GIVEN = (("status", "clear_request"),)

    def build(self) -> None:
        self.parts["latch"] = FaultLatch(self.image)

    def go(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        status = self.image.status
        _, status.cause[AUTO_CODE], status.cause[PERSON_CODE], status.cause[REPAIR_CODE] = given
        status.fault_count = kinds(status.fault).count(1)
        self.parts["latch"].run()
        return (kinds(status.fault), status.fault_count)


class SessionStage(Stage):
    """Session, then the limiter that gives all or nothing."""

    KEEPS = (
        ("session", "_state_ms", "cap"),
        ("session", "_pwm_ms", ""),
        ("session", "_no_current_ms", "cap"),
        ("session", "_wake_ms", "floor"),
        ("session", "_woken", ""),
        ("session", "_facts_before", ""),
        ("request", "session_state", ""),
        ("request", "duty_permille", ""),
        ("request", "close_contactor", ""),
        ("request", "stop", ""),
        ("permission", "import_w", ""),
        ("permission", "export_w", ""),
        ("limits", "allowed_w", ""),
        ("status", "cause", "codes"),
    )
    GIVEN = tuple(("inputs", name) for name in ("pilot_state", "pilot_diode_ok", "afe_ok", "inverter_ok")) + (
        ("protection", "trip"),
        ("protection", "inhibit"),
        ("protection", "service"),
        ("status", "fault_count"),
        ("status", "selftest"),
        ("outputs", "closed"),
        ("session", "stop"),
        ("inputs", "inverter_w"),
    )
    TELLS = (
        ("request", "reason"),
        ("permission", "import_reason"),
        ("permission", "export_reason"),
        ("status", "locked"),
        ("protection", "cessation"),
        ("inputs", "inverter_response_ms"),
    )

    def build(self) -> None:
        session = Session(self.image, ModelSettings)
        session.offer(OFFER_PERMILLE)
        self.parts.update(session=session, permission=Permission(self.image))

    def settle(self) -> None:
        session = self.parts["session"]
        state = self.image.request.session_state
        if state not in (faults.SESSION_PLUGGED, faults.SESSION_STOPPING):
            session._state_ms = 0
        if state != faults.SESSION_STOPPING:
            session._no_current_ms = 0
        if state != faults.SESSION_PLUGGED:
            session._wake_ms = 0
        if state not in (faults.SESSION_IDLE, faults.SESSION_ENERGISED):
            session._facts_before = -1

    def go(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        image = self.image
        image.inputs.grid_w = image.inputs.inverter_w
        fault = image.status.fault
        fault[AUTO_CODE], fault[PERSON_CODE], fault[REPAIR_CODE] = given[-1]
        self.parts["session"].run()
        self.parts["permission"].run()
        request = image.request
        room = self.parts["permission"].import_w
        image.limits.allowed_w = POWER_W if room and not request.stop else 0
        cause = kinds(image.status.cause)[0]
        return (request.session_state, request.close_contactor, request.duty_permille, image.limits.allowed_w, cause)


class PermitStage(Stage):
    """The contactor's own look at trip, faults, AFE and pilot."""

    GIVEN = (
        ("request", "close_contactor"),
        ("protection", "trip"),
        ("protection", "inhibit"),
        ("status", "fault_count"),
        ("inputs", "afe_ok"),
        ("inputs", "pilot_state"),
        ("status", "selftest"),
    )

    def build(self) -> None:
        self.parts["contactor"] = Contactor(self.image, ModelSettings)

    def go(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        return (bool(self.parts["contactor"].permitted()),)


class BoxStage(Stage):
    """Self-test, contactor sequence, voltage across, inverter image."""

    KEEPS = (
        ("ghost", "tested", ""),
        ("contactor", "step", ""),
        ("contactor", "_step_ms", "cap"),
        ("contactor", "_attempts", ""),
        ("contactor", "_not_open_ms", "cap"),
        ("contactor", "_dropped_ms", "cap"),
        ("contactor", "_bounces", ""),
        ("contactor", "_bounce_ms", "cap"),
        ("contactor", "_gate_ms", "cap"),
        ("contactor", "_rcd_mask_ms", "floor"),
        ("across", "_off_ms", ""),
        ("across", "_live_ms", ""),
        ("inverter", "_wrong_ms", "cap"),
        ("selftest", "_run_ms", "cap"),
        ("selftest", "_bad", ""),
        ("outputs", "contactor", ""),
        ("outputs", "gate_arm", ""),
        ("outputs", "closed", ""),
        ("outputs", "rcd_test", ""),
        ("status", "selftest", ""),
        ("status", "cause", "codes"),
    )
    GIVEN = (
        ("protection", "may_close"),
        ("inputs", "pilot_state"),
        ("inputs", "afe_ok"),
        ("limits", "allowed_w"),
        ("inputs", "contactor_open_proven"),
        ("inputs", "gate_up"),
        ("inputs", "rcd_tripped"),
        ("inputs", "inverter_ok"),
        ("inputs", "inverter_w"),
        ("inputs", "inverter_mv"),
        ("settings", "inverter_wake_s"),
    )
    TELLS = (
        ("contactor", "_opening"),
        ("selftest", "passed"),
        ("inverter", "_sent_w"),
        ("inverter", "_steady_ms"),
        ("outputs", "urgent"),
        ("outputs", "wake"),
        ("outputs", "inverter_w"),
        ("outputs", "inverter_var"),
        ("outputs", "inverter_enable"),
        ("outputs", "lease_ok"),
        ("limits", "allowed_var"),
        ("inputs", "inverter_age_ms"),
        ("inputs", "inverter_response_ms"),
    )

    def build(self) -> None:
        settings = ModelSettings()
        settings.inverter_wake_s = 0
        box = Contactor(self.image, settings)
        image = InverterImage(self.image, ModelSettings)
        image._configure()
        self.permits = (False, False)  # with the self-test not passed, passed
        box.permitted = self._permitted
        test = SelfTest(self.image)
        self.parts.update(
            contactor=box, across=box.across, inverter=image, selftest=test, ghost=Ghost(), settings=settings
        )

    def _permitted(self) -> bool:
        return self.permits[1 if self.image.status.selftest == 1 else 0]

    def settle(self) -> None:
        box, outputs = self.parts["contactor"], self.image.outputs
        if box.step == contactor_module.OPEN:
            box._step_ms = 0
        if outputs.contactor:
            box._not_open_ms = 0
        if box.step != contactor_module.CLOSED:
            box._dropped_ms = box._bounces = box._bounce_ms = 0
        if not outputs.closed:
            self.parts["inverter"]._wrong_ms = 0
        # These last one cycle: whatever comes next overwrites them (test_model proves it). All clear by a person.
        cause = self.image.status.cause
        for code in PASSING:
            if cause[code]:
                cause[code] = 0
                cause[PERSON_CODE] = 1
        if self.image.status.selftest == 1:
            self.parts["selftest"]._run_ms = self.parts["selftest"]._bad = 0

    def go(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        image = self.image
        inputs = image.inputs
        inputs.voltage_live = 1
        inputs.phase_mv[:] = [MAINS_MV, 0, 0]
        *_, self.permits, person_fault = given
        image.status.fault[faults.FAULT_SELFTEST] = person_fault
        before = self.parts["contactor"].step
        if image.status.selftest != 1:
            self.parts["selftest"].run()
        self.parts["contactor"].run()
        after = self.parts["contactor"].step
        if after == contactor_module.RELEASE and before != after:
            self.parts["ghost"].tested = inputs.rcd_tripped
        elif after != before and after not in (contactor_module.ARM, contactor_module.CLOSE, contactor_module.CLOSED):
            self.parts["ghost"].tested = 0
        self.parts["inverter"].run()
        outputs = image.outputs
        if not outputs.closed and (outputs.inverter_enable or outputs.inverter_w or outputs.lease_ok):
            raise Broken("inverter enabled behind an open contactor")
        return (
            outputs.contactor,
            outputs.gate_arm,
            outputs.closed,
            outputs.rcd_test,
            image.status.selftest,
            kinds(image.status.cause),
            after,
            self.parts["ghost"].tested,
        )
