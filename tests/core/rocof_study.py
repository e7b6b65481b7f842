# SPDX-License-Identifier: MIT
"""The figures of docs/rocof.md, measured on the firmware's own sensing and relay behind a model of the front end.

python tests/core/rocof_study.py [RUNS]
python tests/core/rocof_study.py --json [RUNS]      the figures of `backfeed bench`
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(folder) for folder in (HERE, HERE.parents[1] / "firmware", HERE.parent / "cpython")]

from afe_waveform import LPF_HZ, RATE_HZ, crossings  # noqa: E402
from test_grid_rocof_property import START_S, play, ramp  # noqa: E402

NOISE = 0.002
# Profiles without a ROCOF element, so that nothing trips on the way; nominal frequency and line cycles of the window.
PROFILES = (("vde_4105_2018", 50.0, 12), ("ieee1547_cat_b", 60.0, 14))
MEDIAN_CYCLES = 3  # the frequency is the median of three line periods
SLOPES = (0.0, 0.95, -0.95, 1.05)
# slope in Hz/s, length in s
RAMPS = (
    (1.05, 9),
    (1.05, 0.5),
    (1.2, 9),
    (1.5, 9),
    (2.0, 9),
    (5.0, 9),
    (0.95, 2.1),
    (1.05, 0.45),
    (1.5, 0.45),
    (2.0, 0.45),
)


def crossing_jitter_s(nominal_hz: float, seconds: float = 30.0) -> float:
    """Return the RMS jitter of one zero crossing from noise alone, as measured on a steady line."""
    found = crossings(lambda t: nominal_hz, seconds, noise=NOISE, thd=0.0)
    times = [when for when, _ in found]
    n = len(times)
    mean_k, mean_t = (n - 1) / 2, sum(times) / n
    step = sum((k - mean_k) * (t - mean_t) for k, t in enumerate(times)) / sum((k - mean_k) ** 2 for k in range(n))
    return math.sqrt(sum((t - mean_t - step * (k - mean_k)) ** 2 for k, t in enumerate(times)) / n)


def cramer_rao_hz_s(nominal_hz: float, cycles: int) -> float:
    """Return the least standard deviation of df/dt from cycles + 1 crossings of white jitter."""
    jitter_cycles = crossing_jitter_s(nominal_hz) * nominal_hz
    times = [(k - cycles / 2) / nominal_hz for k in range(cycles + 1)]
    n, s2, s4 = len(times), sum(t**2 for t in times), sum(t**4 for t in times)
    # Quadratic fit of the phase: variance of the t^2 coefficient, twice which is df/dt.
    return 2 * jitter_cycles * math.sqrt(n / (n * s4 - s2 * s2))


def cramer_rao_hz(nominal_hz: float, cycles: int) -> float:
    """Return the least standard deviation of a constant frequency from cycles + 1 crossings of white jitter."""
    jitter_cycles = crossing_jitter_s(nominal_hz) * nominal_hz
    times = [(k - cycles / 2) / nominal_hz for k in range(cycles + 1)]
    return jitter_cycles / math.sqrt(sum(t**2 for t in times))


def errors(nominal: float, name: str, slope: float, runs: int) -> tuple[list[float], list[float]]:
    """Return ROCOF errors in mHz/s once the window is full, and frequency errors in mHz on a steady line."""
    rocof, frequency = [], []

    def watch(t, inputs):
        if inputs.rocof_ok and t > START_S + 0.35:
            rocof.append(inputs.rocof_mhz_s - slope * 1000)
            frequency.append(inputs.frequency_uhz / 1000 - nominal * 1000)

    for seed in range(runs):
        play(name, ramp(nominal - slope, slope), START_S + 2.1, seed=seed, noise=NOISE, watch=watch)
    return rocof, frequency


def rms(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))


def figures(runs: int) -> dict[str, float]:
    """Return the accuracy at 50 and 60 Hz together, and the bounds of the same windows (the larger of the two).

    samples counts firmware cycles; about half of them repeat the line cycle before.
    """
    rocof, steady, hz_bounds, slope_bounds = [], [], [], []
    for name, nominal, cycles in PROFILES:
        for slope in SLOPES:
            found, frequency = errors(nominal, name, slope, runs)
            rocof += found
            steady += [] if slope else frequency
        hz_bounds.append(cramer_rao_hz(nominal, MEDIAN_CYCLES))
        slope_bounds.append(cramer_rao_hz_s(nominal, cycles))
    return {
        "freq_rms_error_mhz": rms(steady),
        "freq_bound_mhz": max(hz_bounds) * 1000,
        "rocof_error_max_mhz_s": max(map(abs, rocof)),
        "rocof_error_rms_mhz_s": rms(rocof),
        "rocof_bound_mhz_s": max(slope_bounds) * 1000,
        "samples": len(rocof),
    }


def main(runs: int) -> None:
    print(f"noise {NOISE:.1%} of RMS a sample at {RATE_HZ} S/s, LPF {LPF_HZ:g} Hz, THD 5 %, {runs} runs a row")
    for name, nominal, cycles in PROFILES:
        bound = cramer_rao_hz_s(nominal, cycles) * 1000
        for slope in (0.0, 0.95, -0.95, 1.05, 2.0):
            rocof, frequency = errors(nominal, name, slope, runs)
            text = f"{nominal:g} Hz slope {slope:+.2f}: error rms {rms(rocof):.1f} max {max(map(abs, rocof)):.0f} mHz/s"
            print(text + f", bound {bound:.1f}" + (f", f rms {rms(frequency):.2f} mHz" if not slope else ""))
    for slope, length in RAMPS:
        for sign in (1, -1):
            line = ramp(50.0 - sign * min(slope, 1.5), sign * slope, length_s=length)
            opened = [play("uk_g98", line, START_S + 2.4, seed=seed) for seed in range(runs)]
            tripped = [ms for ms in opened if ms >= 0]
            span = f"opens {min(tripped):.0f}..{max(tripped):.0f} ms" if tripped else "holds"
            print(f"uk_g98 {sign * slope:+.2f} Hz/s for {length} s: {len(tripped)} of {runs} trip, {span}")


if __name__ == "__main__":
    arguments = [word for word in sys.argv[1:] if word != "--json"]
    count = int(arguments[0]) if arguments else 20
    if "--json" in sys.argv:
        print(json.dumps(figures(count)))
    else:
        main(count)
