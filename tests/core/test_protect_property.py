# SPDX-License-Identifier: MIT
"""Whatever the line does: no trip without a reason, no power without permission, ints that a board can hold."""

from __future__ import annotations

from grid_rig import Rig
from hypothesis import given, settings
from hypothesis import strategies as st

from evse.faults import ELEMENT_NONE, EVENT_TRIP
from evse.fixed import INT_MAX
from evse.points import PROFILE_NAMES

PIECE = st.tuples(
    st.integers(1, 40),  # cycles
    st.integers(0, 160),  # % of nominal voltage
    st.integers(-700, 700),  # 10 mHz from nominal frequency
    st.sampled_from((0, 0, 0, 0, 1, 2)),  # 1: CRC failed, 2: frozen
)


def small(*values: int) -> bool:
    return all(type(value) is int and -INT_MAX <= value <= INT_MAX for value in values)


def numbers(rig: Rig) -> list[int]:
    """Return every int of the image that these stages write."""
    found = []
    for part in (rig.image.inputs, rig.image.protection):
        for value in vars(part).values():
            found += list(value) if isinstance(value, list | bytearray) else [value]
    return found


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(PROFILE_NAMES), st.sampled_from((1, 3)), st.integers(0, INT_MAX), st.lists(PIECE, max_size=25))
def test_invariants(name, phases, ticks_ms, pieces):
    rig = Rig(name, phases=phases, ticks_ms=ticks_ms)
    nominal_mv, nominal_uhz = rig.profile.nominal_mv, rig.profile.nominal_uhz
    protection, inputs = rig.image.protection, rig.image.inputs
    trips = 0
    for cycles, percent, offset, bad in pieces:
        rig.set(mv=nominal_mv * percent // 100, uhz=nominal_uhz + offset * 10000)
        rig.afe.ok = 0 if bad == 1 else 1
        rig.frozen = bad == 2
        for _ in range(cycles):
            before = protection.service
            rig.run(10)
            assert protection.inhibit == (0 if protection.service and inputs.afe_ok else 1)
            assert not (protection.service and protection.trip)
            if protection.service and not before:
                assert inputs.afe_ok and inputs.frequency_ok and not any(protection.element_active)
                assert rig.profile.enter_low_mv <= min(inputs.phase_mv[:phases])
                assert max(inputs.phase_mv[:phases]) <= rig.profile.enter_high_mv
            if protection.trips != trips:
                trips = protection.trips
                assert before and protection.trip_element != ELEMENT_NONE
                assert protection.trip_threshold or protection.trip_value
            assert inputs.voltage_live or not inputs.frequency_ok
            assert 0 <= protection.ramp_permille <= 1000
        assert small(*numbers(rig))
    assert len(rig.events(EVENT_TRIP)) <= trips


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(PROFILE_NAMES),
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 999), st.integers(1, 999)), max_size=12),
)
def test_a_line_inside_every_threshold_never_picks_up(name, pieces):
    rig = Rig(name)
    stages = rig.profile.stages
    nominal_mv, nominal_uhz = rig.profile.nominal_mv, rig.profile.nominal_uhz

    def inner(over, nominal):
        own = [s for s in stages if s.over == over and (s.threshold > 10**6) == (nominal > 10**6)]
        return (min if over else max)(s.threshold - s.reset if s.over else s.threshold + s.reset for s in own)

    low_mv, high_mv = inner(0, nominal_mv), inner(1, nominal_mv)
    low_uhz, high_uhz = inner(0, nominal_uhz), inner(1, nominal_uhz)
    rig.protect._rocof = rig.protect._mean = None  # steps are no ramps; the mean has its own tests
    rig.enter()
    for cycles, volts, hertz in pieces:
        rig.set(mv=low_mv + (high_mv - low_mv) * volts // 1000, uhz=low_uhz + (high_uhz - low_uhz) * hertz // 1000)
        rig.run(cycles * 10)
    assert not rig.events(EVENT_TRIP) and rig.image.protection.service
