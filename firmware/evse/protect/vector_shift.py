# SPDX-License-Identifier: MIT
"""Vector shift (ANSI 78): trips at once on a jump of the phase. Off in every profile delivered here.

The UK has forbidden it as loss-of-mains protection; it stays for codes that still ask for it. From line periods
a jump and one false sample look alike: do not use it on a single-phase unit without need.
"""

from evse.faults import ELEMENT_VECTOR_SHIFT


class VectorShift:
    """The vector-shift element. Does nothing where the profile has none."""

    def __init__(self, profile, latch):
        self._latch = latch
        self.setting_mdeg = profile.vector_shift_mdeg

    def run(self, inputs) -> None:
        """Judge the last line cycle."""
        jump = inputs.phase_jump_mdeg
        if inputs.frequency_ok and (jump > self.setting_mdeg or jump < -self.setting_mdeg):
            self._latch.trip(ELEMENT_VECTOR_SHIFT, 0, jump, self.setting_mdeg)
