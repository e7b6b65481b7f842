# SPDX-License-Identifier: MIT
"""Types of faults.py, whose codes are numbered from its tables at import."""

AUTO: int
PERSON: int
REPAIR: int
CLEARS: tuple[str, ...]
FAULTS: tuple[tuple[str, str, int, str], ...]
REASONS: tuple[tuple[str, str], ...]
EVENTS: tuple[tuple[str, str, str], ...]
ELEMENTS: tuple[tuple[str, str, str], ...]
SELFTEST_STATES: tuple[str, ...]
BROKER_REFUSALS: tuple[str, ...]
PILOT_STATES: tuple[str, ...]
SESSION_STATES: tuple[str, ...]
SERVICES: tuple[str, ...]
DEPARTURE_STATES: tuple[str, ...]

def __getattr__(name: str) -> int: ...
