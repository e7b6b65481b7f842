# SPDX-License-Identifier: MIT
"""A seeded sample of the mutants of limit/ and protect/ dies; the full run is `python -m tests.mutation`."""

from __future__ import annotations

import random

from tests.mutation import run
from tests.mutation.mutate import mutants

SAMPLE = 40
SEED = 20250428


def test_kinds_of_mutants():
    source = "LIMIT = 5\n\n\ndef f(a, b):\n    if a < 3 and not b:\n        a = a - 1\n    return min(a, -b)\n"
    made = mutants("x.py", source)
    kinds = {mutant.kind for mutant in made}
    assert kinds == {
        "LIMIT doubled",
        "Lt to LtE",
        "Lt to GtE",
        "bound + 1",
        "and/or",
        "not/minus dropped",
        "sign",
        "min/max",
        "dropped",
    }
    assert len({mutant.source for mutant in made}) == len(made), "each mutant is another program"
    assert all(mutant.source.strip() != source.strip() for mutant in made)


def test_the_unchanged_source_survives():
    """Or every mutant would be killed by a test that always fails."""
    path = run.FIRMWARE / "evse" / "limit" / "soc.py"
    same = run.Mutant("limit/soc.py", 1, "none", "", path.read_text())
    assert run.run([same], 1).survivors == [same]


FILES = ("limit", "protect/stage.py", "protect/latch.py", "protect/cessation.py", "protect/enter_service.py")


def test_a_graft_changes_code_and_constants_in_place():
    """A mutant that cannot be killed by accident: the bound of a test that names it."""
    path = run.FIRMWARE / "evse" / "protect" / "stage.py"
    source = path.read_text().replace("CLEARING_ALLOWANCE_MS = 90", "CLEARING_ALLOWANCE_MS = 80")
    assert run.run([run.Mutant("protect/stage.py", 1, "by hand", "", source)], 1).killed == 1


def test_a_sample_is_killed():
    chosen = random.Random(SEED).sample(run.collect(list(FILES)), SAMPLE)
    report = run.run(chosen, 2)
    known = run.excused()
    unexplained = [mutant.name for mutant in report.survivors if mutant.name not in known]
    assert not unexplained, unexplained
