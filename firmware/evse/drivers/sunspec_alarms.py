# SPDX-License-Identifier: MIT
"""SunSpec alarm bits in words: 701 Alrm, and Evt1 of the older models 101-103, which counts alike."""

ALARMS = (
    "ground fault", "DC over-voltage", "AC disconnect open", "DC disconnect open", "grid disconnect",
    "cabinet open", "manual shutdown", "over-temperature", "over-frequency", "under-frequency", "AC over-voltage",
    "AC under-voltage", "blown fuse", "under-temperature", "memory loss", "hardware test failed", "manufacturer alarm",
)  # fmt: skip


def alarm_text(alarms: int) -> str:
    """Return the names of the alarm bits."""
    return ", ".join([ALARMS[bit] for bit in range(len(ALARMS)) if alarms >> bit & 1])
