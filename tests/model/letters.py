# SPDX-License-Identifier: MIT
"""The alphabet: everything that the world can do in one cycle, in any combination with everything else."""

from __future__ import annotations

from itertools import product

POWER_W = 5000
MAINS_MV = 230000
GRID_ALARM = 1 << 4  # SunSpec 701 GRID_DISC

# name, level at the pilot with PWM high (mV), vehicle's diode
PILOTS = (
    ("A", 12000, True),
    ("B", 9000, True),
    ("C", 6000, True),
    ("D", 3000, True),
    ("shorted", 0, True),
    ("between B and C", 7500, True),
    ("C without diode", 6000, False),
    ("A with a weak generator", 11100, True),
)
# name, AFE believed, inverter's alarms, voltage (mV): the window begins at 210 V, the stage trips below 184 V
GRIDS = (
    ("healthy", 1, 0, MAINS_MV),
    ("outside the window", 1, 0, 200000),
    ("below the stage", 1, 0, 170000),
    ("AFE stale", 0, 0, MAINS_MV),
    ("inverter's own trip", 1, GRID_ALARM, MAINS_MV),
)
# name, answers, power (W), voltage at its terminals (mV), s to boot where its supply comes through the contactor
INVERTERS = (
    ("at zero", 1, 0, 0, 0),
    ("with power", 1, POWER_W, MAINS_MV, 0),
    ("silent", 0, 0, 0, 0),
    ("live at zero", 1, 0, MAINS_MV, 0),
    ("dark behind the contactor", 0, 0, 0, 30),
)
# (emergency stop, clear request: 0, 1 a person's, 2 an installer's, user's stop)
PEOPLE = tuple(product((0, 1), (0, 1, 2), (0, 1)))
CLEARS = ("", ", person clears", ", installer clears")
# (mirror says open, gate feedback up, residual current)
BOXES = tuple(product((0, 1), (0, 1), (0, 1)))


def text(pilot: str, grid: str, people: int, inverter: int, box: int) -> str:
    """Return a letter for a person; pilot and grid in words, the others by their place."""
    estop, clear, stop = PEOPLE[people]
    mirror, gate, rcd = BOXES[box]
    return (
        f"{pilot}, {grid}, inverter {INVERTERS[inverter][0]}, "
        f"mirror {'open' if mirror else 'closed'}, gate {'up' if gate else 'down'}"
        f"{', residual current' if rcd else ''}{', emergency stop' if estop else ''}{', user stops' if stop else ''}"
        f"{CLEARS[clear]}"
    )
