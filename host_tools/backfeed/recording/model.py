# SPDX-License-Identifier: MIT
"""What a recording is, whatever file it came from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

RMS = "rms"
WAVEFORM = "waveform"


@dataclass(frozen=True)
class Choice:
    """What the user chose about reading. columns: names or numbers from 1; rate_hz: samples (or rows) a second."""

    columns: tuple[str, ...] = ()
    rate_hz: float | None = None


@dataclass
class Recording:
    """Voltages of one to three phases over time.

    t_s rises from 0. voltage_v is (samples, phases): RMS where kind is RMS, instantaneous where it is WAVEFORM, in
    the file's own volts until fitted. frequency_hz only with RMS. NaN means not recorded. stated_nominal_v is what the
    file says of its nominal phase voltage, if it does. network: recorded on a network above the charger's own.
    """

    source: str
    kind: str
    t_s: FloatArray
    voltage_v: FloatArray
    frequency_hz: FloatArray | None = None
    stated_nominal_v: float | None = None
    network: bool = False
    channels: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def phases(self) -> int:
        """Number of phases, 1..3."""
        return int(self.voltage_v.shape[1])

    @property
    def duration_s(self) -> float:
        """Time from the first to the last sample, s."""
        return float(self.t_s[-1])

    def say(self, note: str) -> None:
        """Record something the user should know about how the recording was read."""
        self.notes.append(note)
