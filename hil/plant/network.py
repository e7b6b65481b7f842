# SPDX-License-Identifier: MIT
"""The feeder of one phase as an exact discrete-time system.

Source e behind R_g, L_g and a switch; at the connection point R, L and C in parallel and the
chargers' injected current j:

    L_g di/dt = u,  u = e - v - R_g i_g,  i_g = i + u / R_d    (all 0 while the switch is open)
    C dv/dt   = i_g - v/R - i_l + j
    L di_l/dt = v - R_l i_l

R_d, parallel to L_g, stands for the losses of lines and transformers at high frequency. Without it L_g
and a small C would ring for ever above half the step rate. It is R_d = L_g * max(1/sqrt(L_g C), 100 w0):
a quality of about 1 at that resonance, and 1 % of X_g at mains frequency.

With the inputs held at their mid-step values, x' = A x + B u is exact for any step and stiffness:
A = exp(M dt), B from the exponential of the matrix extended by the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Coefficients a phase and switch position: 3 rows of (i_g, v, i_l, e, j).
COEFFICIENTS = 15
_COIL_OHM = 1e-4  # winding of the load's inductor: keeps a direct current from circling for ever


@dataclass(frozen=True)
class Network:
    """One phase: grid impedance and the parallel load at the connection point."""

    grid_ohm: float
    grid_h: float
    load_ohm: float
    load_h: float  # inf: no inductor
    load_f: float
    nominal_hz: float = 50.0

    @property
    def damping_ohm(self) -> float:
        """Resistance parallel to the grid's inductance."""
        resonance = 1 / np.sqrt(self.grid_h * self.load_f)
        return self.grid_h * max(resonance, 100 * 2 * np.pi * self.nominal_hz)

    def matrices(self, dt_s: float) -> np.ndarray:
        """Return (2, 15) coefficients: row 0 switch open, row 1 closed."""
        return np.stack([_discrete(self._continuous(closed), dt_s) for closed in (False, True)])

    def _continuous(self, closed: bool) -> np.ndarray:
        m = np.zeros((5, 5))
        if closed:
            share = 1 / (1 + self.grid_ohm / self.damping_ohm)
            u = share * np.array([-self.grid_ohm, -1, 0, 1, 0])
            m[0] = u / self.grid_h
            m[1] = u / self.damping_ohm / self.load_f
            m[1, 0] += 1 / self.load_f
        m[1, 1] -= 1 / (self.load_ohm * self.load_f)
        m[1, 4] = 1 / self.load_f
        if np.isfinite(self.load_h):
            m[1, 2] = -1 / self.load_f
            m[2, 1] = 1 / self.load_h
            m[2, 2] = -_COIL_OHM / self.load_h
        return m


def _discrete(m: np.ndarray, dt_s: float) -> np.ndarray:
    """Return the first three rows of exp(m dt), by scaling and squaring a Taylor series."""
    squarings = max(0, int(np.ceil(np.log2(max(np.abs(m * dt_s).sum(axis=1).max(), 1e-12)))) + 4)
    x = m * (dt_s / 2**squarings)
    term = np.eye(5)
    total = np.eye(5)
    for k in range(1, 14):
        term = term @ x / k
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total[:3].ravel()


def grid_impedance(
    short_circuit_va: float, nominal_v: float, nominal_hz: float, x_over_r: float
) -> tuple[float, float]:
    """Return (ohm, henry) of one phase; short_circuit_va is that of one phase."""
    z = nominal_v * nominal_v / short_circuit_va
    r = z / np.sqrt(1 + x_over_r * x_over_r)
    return r, r * x_over_r / (2 * np.pi * nominal_hz)


def island_load(
    power_w: float, quality: float, reactive_var: float, nominal_v: float, nominal_hz: float
) -> tuple[float, float, float]:
    """Return (ohm, henry, farad) of a parallel load of one phase at nominal voltage and frequency.

    power_w > 0 drawn; reactive_var + absorbed (inductive excess); quality = R sqrt(C / L), so that
    sqrt(Q_L Q_C) = quality * power_w and Q_L - Q_C = reactive_var.
    """
    w = 2 * np.pi * nominal_hz
    half = reactive_var / 2
    q_l = half + np.sqrt(half * half + (quality * power_w) ** 2)
    q_c = q_l - reactive_var
    v2 = nominal_v * nominal_v
    return v2 / power_w, v2 / (w * q_l), q_c / (w * v2)
