# SPDX-License-Identifier: MIT
"""Every time limit shortened to one to three cycles, so that the search sees each timer before, at and after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from evse.actuate import across, contactor, inverter, selftest
from evse.decide import session
from evse.sense import pilot

# module, constant, value in the model (a cycle is 10 ms)
LIMITS = (
    (pilot, "DEBOUNCE_MS", 10),
    (pilot, "GAP_MS", 20),
    (pilot, "CHATTER_MS", 20),
    (pilot, "SETTLE_MS", 10),
    (pilot, "DIODE_MS", 10),
    (pilot, "GENERATOR_MS", 20),
    (session, "STOP_RAMP_MS", 10),
    (session, "STOP_LIMIT_MS", 20),
    (session, "PWM_LEAD_MS", 10),
    (session, "WAKE_AFTER_MS", 20),
    (session, "WAKE_MS", 10),
    (session, "NO_CURRENT_MS", 10),
    (contactor, "RCD_TEST_MS", 10),
    (contactor, "RCD_RELEASE_MS", 10),
    (contactor, "ARM_MS", 10),
    (contactor, "CLOSE_MS", 20),
    (contactor, "OPEN_MS", 10),
    (contactor, "BOUNCE_SETTLE_MS", 10),
    (contactor, "DROPOUT_MS", 10),
    (contactor, "BOUNCES", 1),
    (contactor, "BOUNCE_WINDOW_MS", 30),
    (contactor, "GATE_LOST_MS", 10),
    (contactor, "GATE_HELD_MS", 10),
    (contactor, "RETRIES", 1),
    (contactor, "WAIT_MS", 20),
    (contactor, "LONG_MS", 30),
    (across, "SETTLE_MS", 10),
    (across, "MORE_MS", 0),
    (across, "LONG_MS", 20),
    (selftest, "PERIOD_MS", 20),
    (selftest, "SETTLE_MS", 10),
    (inverter, "READBACK_MS", 20),
)
CAP_MS = 30  # above the longest of them: a timer further on behaves alike
STAGE_DELAY_MS = 20  # of the one protection stage
WAIT_MS = 20  # of enter service
INVERTER_STALE_MS = 20


@contextmanager
def short_times() -> Iterator[None]:
    """Shorten every limit for the time of the search."""
    before = [(module, name, getattr(module, name)) for module, name, _ in LIMITS]
    for module, name, value in LIMITS:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)
