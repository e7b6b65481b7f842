# SPDX-License-Identifier: MIT
"""The real latch, session, permission, contactor, inverter image and self-test as one finite machine.

Nothing is re-modelled: the firmware's own objects run. What makes their state finite is that every
time limit is shortened to one or two cycles (LIMITS), so each timer still can be before, at and
after its limit. Pilot, grid protection and the world behind the pins are free inputs: whatever
they could do, in any order, is in the alphabet.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product

from evse import faults
from evse.actuate import contactor, inverter, selftest
from evse.actuate.contactor import Contactor
from evse.actuate.inverter import InverterImage
from evse.actuate.selftest import SelfTest
from evse.decide import session
from evse.decide.latch import FaultLatch
from evse.decide.session import Session
from evse.image import Image
from evse.limit.permission import Permission

# module, constant, value in the model (cycles are 10 ms)
LIMITS = (
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
    (selftest, "PERIOD_MS", 20),
    (selftest, "SETTLE_MS", 10),
    (inverter, "READBACK_MS", 20),
)

PILOTS = (("A", faults.PILOT_A), ("B", faults.PILOT_B), ("C", faults.PILOT_C), ("E", faults.PILOT_E))
# One at a time: each of the middle four opens by itself, so together they add nothing.
GRIDS = ("healthy", "waiting", "trip", "afe stale", "estop", "clear")
USERS = ("go", "stop")
INVERTERS = ("zero", "power", "silent")
PERMITTED = ("healthy", "estop", "clear")
STATE_CAP_MS = 30


@dataclass(frozen=True)
class Letter:
    """One input of the alphabet."""

    pilot: int
    grid: str
    user: str
    inverter: str
    mirror_open: int
    gate_up: int
    rcd: int

    def __str__(self) -> str:
        pilot = faults.PILOT_STATES[self.pilot]
        return (
            f"pilot {pilot}, grid {self.grid}, user {self.user}, inverter {self.inverter}, "
            f"mirror {'open' if self.mirror_open else 'closed'}, gate {'up' if self.gate_up else 'down'}, "
            f"rcd {'tripped' if self.rcd else 'quiet'}"
        )


ALPHABET = [
    Letter(pilot, grid, user, inverter_state, mirror, gate, rcd)
    for (_, pilot), grid, user, inverter_state, mirror, gate, rcd in product(
        PILOTS, GRIDS, USERS, INVERTERS, (0, 1), (0, 1), (0, 1)
    )
]
HEALTHY = Letter(faults.PILOT_C, "healthy", "go", "zero", 1, 0, 0)


@cache
def kinds(codes: bytes) -> tuple[int, int, int]:
    """Return which of the three ways to clear the set codes need."""
    found = [0, 0, 0]
    for code in range(1, len(codes)):
        if codes[code]:
            found[faults.FAULTS[code][2]] = 1
    return (found[0], found[1], found[2])


class Silent:
    """Takes the place of the event ring: events are no state."""

    def emit(self, *_: int) -> None:
        pass


class SettingsOfModel:
    changed = 1
    ventilation = 0
    pilot_digital = 0
    import_rating_w = 7360
    export_rating_w = 7360


class System:
    """The machine. `state` is a tuple of everything that lives from one cycle to the next."""

    def __init__(self) -> None:
        image = Image()
        image.events = Silent()
        self.image = image
        settings = SettingsOfModel()
        self.latch = FaultLatch(image)
        self.session = Session(image, settings)
        self.session.offer(533)
        self.permission = Permission(image)
        self.contactor = Contactor(image)
        self.inverter = InverterImage(image, settings)
        self.selftest = SelfTest(image)
        self.tested = 0  # ghost: the RCD self-test of this closing sequence was answered
        image.inputs.pilot_diode_ok = 1
        image.inputs.inverter_ok = 1
        self._objects = {
            "self": self,
            "latch": self.latch,
            "session": self.session,
            "permission": self.permission,
            "contactor": self.contactor,
            "inverter": self.inverter,
            "selftest": self.selftest,
            "request": image.request,
            "outputs": image.outputs,
            "status": image.status,
            "limits": image.limits,
        }
        self.load, self.save = self._compile()

    # object, attribute, and how a timer is capped (values above the cap behave alike)
    FIELDS = (
        ("self", "tested", ""),
        ("session", "_state_ms", "cap"),
        ("session", "_pwm_ms", ""),
        ("session", "_no_current_ms", "cap"),
        ("session", "_wake_ms", ""),
        ("session", "_woken", ""),
        ("session", "_facts_before", ""),
        ("request", "session_state", ""),
        ("request", "duty_permille", ""),
        ("request", "close_contactor", ""),
        ("request", "stop", ""),
        ("permission", "import_w", ""),
        ("permission", "export_w", ""),
        ("contactor", "step", ""),
        ("contactor", "_step_ms", "cap"),
        ("contactor", "_attempts", ""),
        ("contactor", "_not_open_ms", "cap"),
        ("contactor", "_dropped_ms", "cap"),
        ("contactor", "_bounces", ""),
        ("contactor", "_bounce_ms", "cap"),
        ("contactor", "_gate_ms", "cap"),
        ("contactor", "_rcd_mask_ms", "floor"),
        ("inverter", "_wrong_ms", "cap"),
        ("selftest", "_run_ms", "cap"),
        ("selftest", "_bad", ""),
        ("outputs", "contactor", ""),
        ("outputs", "gate_arm", ""),
        ("outputs", "closed", ""),
        ("outputs", "rcd_test", ""),
        ("outputs", "inverter_enable", ""),
        ("outputs", "inverter_w", ""),
        ("status", "selftest", ""),
        ("status", "fault_count", ""),
        ("limits", "allowed_w", ""),
    )
    ARRAYS = (
        ("status", "fault"),
        ("status", "cause"),
        ("latch", "_latched"),
        ("latch", "_seen_cause"),
        ("latch", "_direct"),
    )

    def key(self) -> tuple:
        """Return what tells states apart: timers only where they are read, faults by the way they clear."""
        session_state = self.image.request.session_state
        status = self.image.status
        step = self.contactor.step
        timed = session_state in (faults.SESSION_PLUGGED, faults.SESSION_STOPPING)
        made = self.session
        box = self.contactor
        outputs = self.image.outputs
        cap = STATE_CAP_MS
        return (
            session_state,
            step,
            min(made._state_ms, cap) if timed else 0,
            made._pwm_ms,
            min(made._no_current_ms, cap) if session_state == faults.SESSION_STOPPING else 0,
            made._wake_ms if session_state == faults.SESSION_PLUGGED else 0,
            made._woken,
            made._facts_before if session_state in (faults.SESSION_IDLE, faults.SESSION_ENERGISED) else 0,
            self.permission.import_w,
            min(box._step_ms, cap) if step != contactor.OPEN else 0,
            box._attempts,
            min(box._not_open_ms, cap) if not outputs.contactor else 0,
            (min(box._dropped_ms, cap), box._bounces, min(box._bounce_ms, cap)) if step == contactor.CLOSED else 0,
            min(box._gate_ms, cap),
            box._rcd_mask_ms if box._rcd_mask_ms > 0 else 0,
            min(self.inverter._wrong_ms, cap) if outputs.closed else 0,
            (status.selftest, self.selftest._run_ms, self.selftest._bad) if status.selftest != 1 else 1,
            outputs.closed,
            outputs.inverter_w,
            outputs.rcd_test,
            self.tested,
            kinds(bytes(status.cause)),
            kinds(bytes(self.latch._latched)),
        )

    def _compile(self):
        """Return load(state) and save() as straight code: they run millions of times."""
        load = ["def load(t):", "  ("]
        names = [f"{owner}.{name}" for owner, name, _ in self.FIELDS] + [
            f"{owner}.{name}[:]" for owner, name in self.ARRAYS
        ]
        load[1] += ", ".join(names) + ") = t"
        parts = []
        for owner, name, how in self.FIELDS:
            value = f"{owner}.{name}"
            if how == "cap":
                value = f"({value} if {value} < {STATE_CAP_MS} else {STATE_CAP_MS})"
            elif how == "floor":
                value = f"({value} if {value} > 0 else 0)"
            parts.append(value)
        parts += [f"bytes({owner}.{name})" for owner, name in self.ARRAYS]
        save = "def save():\n  return (" + ", ".join(parts) + ")"
        scope = dict(self._objects)
        exec("\n".join(load), scope)
        exec(save, scope)
        return scope["load"], scope["save"]

    def step(self, letter: Letter) -> None:
        """One cycle of the firmware with one letter of input."""
        image = self.image
        inputs = image.inputs
        protection = image.protection
        inputs.pilot_state = letter.pilot
        grid = letter.grid
        protection.trip = 1 if grid == "trip" else 0
        permitted = 1 if grid in PERMITTED else 0
        protection.inhibit = 1 - permitted
        protection.service = permitted
        inputs.afe_ok = 0 if grid == "afe stale" else 1
        self.session.stop = 1 if letter.user == "stop" else 0
        inputs.inverter_ok = 0 if letter.inverter == "silent" else 1
        inputs.inverter_w = inputs.grid_w = 5000 if letter.inverter == "power" else 0
        inputs.contactor_open_proven = letter.mirror_open
        inputs.gate_up = letter.gate_up
        inputs.rcd_tripped = letter.rcd
        image.status.cause[faults.FAULT_ESTOP] = 1 if grid == "estop" else 0
        image.status.clear_request = 2 if grid == "clear" else 0
        self.latch.run()
        self.session.run()
        self.permission.run()
        image.limits.allowed_w = 5000 if self.permission.import_w and not image.request.stop else 0
        self.selftest.run() if image.status.selftest != 1 else None
        before = self.contactor.step
        self.contactor.run()
        after = self.contactor.step
        if after != before:
            if after == contactor.RELEASE:
                self.tested = letter.rcd
            elif after not in (contactor.ARM, contactor.CLOSE, contactor.CLOSED):
                self.tested = 0
        self.inverter.run()
