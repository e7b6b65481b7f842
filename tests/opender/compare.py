# SPDX-License-Identifier: MIT
"""Run one trajectory through OpenDER and through Protect, and say where they differ.

python tests/opender/compare.py [TRAJECTORIES] [--category ieee1547_cat_3]
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parents[1] / "firmware", HERE.parent / "cpython", HERE.parent / "core"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from grid_rig import settings_of  # noqa: E402
from trajectories import DEAD_MV, NOMINAL_MV, Piece, trajectory  # noqa: E402

from evse.image import Image  # noqa: E402
from evse.profiles.loader import load  # noqa: E402
from evse.protect import Protect  # noqa: E402
from evse.protect.stage import CLEARING_ALLOWANCE_MS  # noqa: E402
from opender import DER, DER_PV  # noqa: E402

logging.disable(logging.WARNING)

CATEGORIES = {
    "ieee1547_cat_1": ("CAT_I", "CAT_A"),
    "ieee1547_cat_2": ("CAT_II", "CAT_B"),
    "ieee1547_cat_3": ("CAT_III", "CAT_B"),
}
ELEMENTS = ("OV1", "OV2", "UV1", "UV2", "OF1", "OF2", "UF1", "UF2")
WAIT_MS = 5_000  # both models enter service after this, so that one trajectory holds several trips


@dataclass
class Outcome:
    """What one trajectory gave. Changes: (ms, in service) at each change of either model."""

    oracle: list[tuple[int, bool]] = field(default_factory=list)
    ours: list[tuple[int, bool]] = field(default_factory=list)
    step_ms: int = 0


def samples(step_ms: int, pieces: list[Piece]):
    """Yield (ms, mV, uHz) at each step."""
    now_ms = 0
    for piece in pieces:
        for _ in range(piece.ms // step_ms):
            yield now_ms, piece.mv, piece.uhz
            now_ms += step_ms


def oracle(name: str) -> DER_PV:
    """Return OpenDER with a category's defaults."""
    abnormal, normal = CATEGORIES[name]
    return DER_PV(
        NP_PHASE="SINGLE",
        NP_ABNORMAL_OP_CAT=abnormal,
        NP_NORMAL_OP_CAT=normal,
        NP_AC_V_NOM=NOMINAL_MV / 1000,
        NP_P_MAX=7000,
        NP_VA_MAX=7000,
        ES_DELAY=WAIT_MS / 1000,
        ES_RAMP_RATE=0,
        STATUS_INIT=True,
    )


@dataclass(frozen=True)
class Stage:
    """A stage as OpenDER has it: threshold in mV or uHz, clearing time in ms."""

    threshold: float
    of_voltage: bool
    over: bool
    clears_ms: float


@cache
def oracle_stages(name: str) -> tuple[Stage, ...]:
    """Return the oracle's own stages of a category."""
    file = oracle(name).der_file
    stages = []
    for element in ELEMENTS:
        unit = element[1]
        threshold = getattr(file, f"{element}_TRIP_{unit}") * (NOMINAL_MV if unit == "V" else 1_000_000)
        clears_ms = 1000 * getattr(file, f"{element}_TRIP_T")
        stages.append(Stage(threshold, unit == "V", element[0] == "O", clears_ms))
    return tuple(stages)


def oracle_changes(name: str, step_ms: int, pieces: list[Piece]) -> list[tuple[int, bool]]:
    """Return OpenDER's changes between Trip and everything else."""
    DER.t_s = step_ms / 1000
    der = oracle(name)
    _undo_early_step(der, step_ms)
    der.update_der_input(p_dc_pu=1.0, v=120.0, f=60.0, theta=0)
    changes, serving = [], True
    for now_ms, mv, uhz in samples(step_ms, pieces):
        der.update_der_input(v=mv / 1000, f=uhz / 1e6)
        der.run()
        if (der.der_status != "Trip") != serving:
            serving = not serving
            changes.append((now_ms, serving))
    return changes


def _undo_early_step(der: DER_PV, step_ms: int) -> None:
    """Add one step to OpenDER's times: its timers count the step in which a value first lies beyond.

    A hundredth of a step less, so that rounding of its summed steps cannot cost one more.
    """
    file = der.der_file
    for name in [f"{element}_TRIP_T" for element in ELEMENTS]:
        setattr(file, name, getattr(file, name) + step_ms * 0.99e-3)
    file.ES_DELAY = file.ES_DELAY + step_ms * 0.99e-3


def our_changes(name: str, step_ms: int, pieces: list[Piece], allowance: bool) -> list[tuple[int, bool]]:
    """Return Protect's changes of `service`. allowance False: relay delays equal to the clearing times."""
    profile = load(name)
    profile.enter_wait_ms = profile.first_wait_ms = WAIT_MS
    if not allowance:
        for stage in profile.stages:
            stage.clearing = 0
    image = Image()
    protect = Protect(image, settings_of(1), profile)
    inputs, protection = image.inputs, image.protection
    inputs.afe_ok = protection.service = 1
    protection.ramp_permille = 1000
    changes, serving = [], True
    for now_ms, mv, uhz in samples(step_ms, pieces):
        inputs.now_ms = now_ms
        inputs.phase_mv[0] = mv
        inputs.frequency_ok = 1 if mv >= DEAD_MV else 0
        inputs.frequency_uhz = uhz
        protect.run()
        if bool(protection.service) != serving:
            serving = not serving
            changes.append((now_ms, serving))
    return changes


def differences(oracle: list[tuple[int, bool]], ours: list[tuple[int, bool]], step_ms: int) -> str:
    """Return "" where both changed in the same order within one step, else what differs."""
    if [serving for _, serving in oracle] != [serving for _, serving in ours]:
        return f"changes differ: oracle {oracle}, ours {ours}"
    for (oracle_ms, serving), (our_ms, _) in zip(oracle, ours, strict=True):
        if abs(our_ms - oracle_ms) > step_ms:
            return f"{'return' if serving else 'trip'} at {our_ms} ms, oracle at {oracle_ms} ms, step {step_ms} ms"
    return ""


def logic(name: str, seed: int) -> str:
    """Compare with relay delays equal to the clearing times: the logic alone, exactly."""
    step_ms, pieces = trajectory(seed, load(name).stages)
    oracle = oracle_changes(name, step_ms, pieces)
    return differences(oracle, our_changes(name, step_ms, pieces, allowance=False), step_ms)


def product(name: str, seed: int) -> str:
    """Compare the first trip with the delays as shipped: opened by the oracle's time, and early by no more than stated.

    Returns "", or "margin" where only ours trips because a value stayed beyond for less than the clearing time but
    for more than it less the stated allowance, or what is wrong.
    """
    step_ms, pieces = trajectory(seed, load(name).stages)
    oracle = oracle_changes(name, step_ms, pieces)
    ours = our_changes(name, step_ms, pieces, allowance=True)
    oracle_ms = oracle[0][0] if oracle else 1 << 40
    our_ms = ours[0][0] + CLEARING_ALLOWANCE_MS if ours else 1 << 40
    if our_ms > oracle_ms + step_ms:
        return f"opens at {our_ms} ms, oracle clears at {oracle_ms} ms"
    if our_ms >= oracle_ms - step_ms:
        return ""
    # We opened and the oracle did not, or later: the value must have come back within the allowance.
    relay_ms = ours[0][0]
    explained = any(_beyond_for(stage, pieces, step_ms, relay_ms) for stage in oracle_stages(name))
    return "margin" if explained else f"opens at {our_ms} ms without a reason, oracle at {oracle_ms} ms"


def _beyond_for(stage: Stage, pieces: list[Piece], step_ms: int, until_ms: int) -> bool:
    """Return whether the stage's quantity lay beyond for its time less the allowance, ending at until_ms."""
    beyond_ms = 0
    for now_ms, mv, uhz in samples(step_ms, pieces):
        value = mv if stage.of_voltage else uhz
        beyond = value > stage.threshold if stage.over else value < stage.threshold
        if now_ms >= until_ms:
            return beyond and beyond_ms >= stage.clears_ms - CLEARING_ALLOWANCE_MS
        beyond_ms = beyond_ms + step_ms if beyond else 0
    return False


def seeds(name: str, count: int) -> range:
    """Return the seeds of a category's trajectories: no two categories share one."""
    first = list(CATEGORIES).index(name) * 100_000
    return range(first, first + count)


def tally(name: str, count: int) -> Counter[str]:
    """Compare count trajectories of a category, printing each unexplained disagreement; return how many gave what."""
    found: Counter[str] = Counter()
    for seed in seeds(name, count):
        for which, verdict in (("logic", logic(name, seed)), ("product", product(name, seed))):
            found[f"{which} {'agrees' if not verdict else verdict if verdict == 'margin' else 'DISAGREES'}"] += 1
            if verdict not in ("", "margin"):
                print(f"  {name} seed {seed} {which}: {verdict}", flush=True)
    return found


def main(count: int, names: tuple[str, ...] = tuple(CATEGORIES)) -> int:
    """Compare count trajectories of each category and print the figures; return the unexplained disagreements."""
    wrong = 0
    for name in names:
        found = tally(name, count)
        wrong += sum(number for what, number in found.items() if what.endswith("DISAGREES"))
        print(name, count, dict(found), flush=True)
    return wrong


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trajectories", nargs="?", type=int, default=500, help="of each category (default 500)")
    parser.add_argument("--category", choices=list(CATEGORIES), help="only this one")
    return parser.parse_args()


if __name__ == "__main__":
    wanted = arguments()
    sys.exit(1 if main(wanted.trajectories, (wanted.category,) if wanted.category else tuple(CATEGORIES)) else 0)
