# SPDX-License-Identifier: MIT
"""What a session keeps of the plant's truth: each opening and closing of the main contacts, and the power."""

from __future__ import annotations

from typing import Any, NamedTuple

from hil.plant.station import Station

SAMPLE_US = 50_000


class Sample(NamedTuple):
    """The unit's terminals at one instant: us; W, + charging; var, + absorbed; V RMS of L1."""

    t_us: int
    power_w: float
    reactive_var: float
    voltage_v: float


class Watch:
    """A sync hook of the virtual board. Times in us of plant time; the plant keeps the instants itself."""

    def __init__(self, station: Station) -> None:
        self._truth = station.truth
        self._closed = False
        self._next_us = 0
        self.opened_us: list[int] = []
        self.closed_us: list[int] = []
        self.samples: list[Sample] = []

    def __call__(self, t_us: int, outputs: Any, inputs: Any) -> None:
        truth = self._truth
        closed = truth.contactor_closed
        if closed != self._closed:
            self._closed = closed
            (self.closed_us if closed else self.opened_us).append(
                truth.contactor_closed_us if closed else truth.contactor_opened_us
            )
        if t_us >= self._next_us:
            self._next_us = t_us + SAMPLE_US
            self.samples.append(Sample(t_us, truth.power_w, truth.reactive_var, truth.voltage_v))

    @property
    def current_end_us(self) -> int:
        """Last instant at which current flowed (more than the plant's floor)."""
        return self._truth.current_end_us

    def between(self, from_us: float, to_us: float) -> list[Sample]:
        """Return the samples of a span."""
        return [sample for sample in self.samples if from_us <= sample.t_us <= to_us]

    def openings(self, from_us: int, to_us: int) -> list[int]:
        """Return the openings in a span."""
        return [t_us for t_us in self.opened_us if from_us <= t_us <= to_us]

    def closings(self, from_us: int, to_us: int) -> list[int]:
        """Return the closings in a span."""
        return [t_us for t_us in self.closed_us if from_us <= t_us <= to_us]
