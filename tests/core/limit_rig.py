# SPDX-License-Identifier: MIT
"""Settings and an image in which everything permits, for tests of limiters."""

from vehicle_rig import Settings

from evse import faults


def settings_of(**values):
    settings = Settings()
    settings.put(**values)
    return settings


def ready(image):
    """Everything that Permission asks for."""
    image.inputs.afe_ok = 1
    image.inputs.inverter_ok = 1
    image.inputs.pilot_state = faults.PILOT_C
    image.protection.inhibit = 0
    image.outputs.closed = 1
    image.request.session_state = faults.SESSION_ENERGISED
    return image
