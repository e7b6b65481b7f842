# SPDX-License-Identifier: MIT
"""Stage 2 of the scan: may power flow at all, as far as the grid is concerned. It can only take permission away.

Reads image.inputs; writes image.protection and events; touches nothing else, so it runs anywhere.
"""

from evse.faults import ELEMENT_AFE, ELEMENT_ISLANDING, ELEMENTS
from evse.protect.cessation import Cessation
from evse.protect.enter_service import EnterService
from evse.protect.inverter import InverterTrip
from evse.protect.islanding import Islanding
from evse.protect.latch import Latch
from evse.protect.mean import MeanVoltage
from evse.protect.rocof import Rocof
from evse.protect.stage import Stage
from evse.protect.vector_shift import VectorShift

FREQUENCY_UNIT = "uHz"


class Protect:
    """All elements of one profile."""

    def __init__(self, image, settings, profile):
        self._inputs = image.inputs
        self._protection = image.protection
        self._outputs = image.outputs
        self._active = image.protection.element_active
        self._nothing = bytes(len(image.protection.element_active))
        self._phases = settings.phases
        self._latch = Latch(image)
        self._under_voltage = []
        self._over_voltage = []
        self._frequency = []
        for row in profile.stages:
            self._sorted(row).append(Stage(image, self._latch, row))
        self._rocof = Rocof(image, profile, self._latch) if profile.rocof_mhz_s else None
        self._shift = VectorShift(profile, self._latch) if profile.vector_shift_mdeg else None
        self._mean = MeanVoltage(image, settings, profile, self._latch) if profile.mean_mv else None
        self._cessation = Cessation(image, profile)
        self._islanding = Islanding(image, settings, profile)
        self._inverter = InverterTrip(image, self._latch)
        self._enter = EnterService(image, settings, profile)
        self._lowest = 0
        self._highest = 0
        self._low_phase = 1
        self._high_phase = 1

    def _sorted(self, row):
        if ELEMENTS[row.element][2] == FREQUENCY_UNIT:
            return self._frequency
        return self._over_voltage if row.over else self._under_voltage

    def run(self) -> None:
        """Judge this cycle."""
        inputs = self._inputs
        protection = self._protection
        if inputs.afe_ok:
            protection.element_active[ELEMENT_AFE] = 0
            self._voltage()
            self._frequencies()
            self._ask(protection)
        else:
            self._blind(inputs.now_ms)
        self._inverter.run()
        if not protection.service or protection.ramp_permille < 1000:
            self._enter.run(self._lowest, self._highest, self._anything())
        protection.inhibit = 0 if protection.service and inputs.afe_ok else 1
        if not self._outputs.contactor:
            self._may_close(protection)

    def _may_close(self, protection) -> None:
        """Contacts close only inside the enter-service window: a stage that still counts down is no permission."""
        if protection.service:
            protection.unhealthy = self._enter.outside(self._lowest, self._highest)
        allowed = not protection.inhibit and not protection.unhealthy and self._active == self._nothing
        protection.may_close = 1 if allowed else 0

    def _voltage(self) -> None:
        self._lowest = self._inputs.phase_mv[0]
        self._highest = self._lowest
        if self._phases > 1:
            self._extremes(self._inputs.phase_mv)
        for stage in self._under_voltage:
            stage.run(self._lowest, self._low_phase, self._inputs.now_ms)
        for stage in self._over_voltage:
            stage.run(self._highest, self._high_phase, self._inputs.now_ms)
        if self._mean:
            self._mean.run(self._inputs)
        if self._cessation.used:
            self._cessation.run(self._lowest, self._highest)

    def _extremes(self, phase_mv) -> None:
        """Find the lowest and the highest phase; at first both are L1."""
        self._low_phase = 1
        self._high_phase = 1
        for phase in range(1, self._phases):
            mv = phase_mv[phase]
            if mv < self._lowest:
                self._lowest = mv
                self._low_phase = phase + 1
            elif mv > self._highest:
                self._highest = mv
                self._high_phase = phase + 1

    def _ask(self, protection) -> None:
        islanding = self._islanding
        islanding.run()
        if islanding.detected:
            self._latch.trip(ELEMENT_ISLANDING, 0, protection.islanding_mhz, islanding.threshold_mhz)

    def _frequencies(self) -> None:
        if self._inputs.frequency_ok:
            for stage in self._frequency:
                stage.run(self._inputs.frequency_uhz, 0, self._inputs.now_ms)
        else:
            for stage in self._frequency:
                stage.drop(self._inputs.now_ms)
        if self._rocof:
            self._rocof.run(self._inputs)
        if self._shift:
            self._shift.run(self._inputs)

    def _blind(self, now_ms: int) -> None:
        """Nothing is known about the grid: nothing may flow, and the wait starts again."""
        self._protection.service = 0
        self._protection.element_active[ELEMENT_AFE] = 1
        self._frequencies()
        for stage in self._under_voltage:
            stage.drop(now_ms)
        for stage in self._over_voltage:
            stage.drop(now_ms)

    def _anything(self) -> int:
        return 0 if self._active == self._nothing else 1
