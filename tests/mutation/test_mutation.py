# SPDX-License-Identifier: MIT
"""A seeded sample of the mutants of limit/ and protect/ dies; the full run is `python -m tests.mutation`."""

from __future__ import annotations

import importlib
import random

from tests.mutation import run
from tests.mutation.graft import takers
from tests.mutation.mutate import Mutant, mutants

SAMPLE = 40
SEED = 20250428


def by_hand(path: str, source: str) -> Mutant:
    return Mutant(path, 1, "by hand", "", "", 1, lambda: source)


def test_kinds_of_mutants():
    source = "LIMIT = 5\nLOW, HIGH = 1, 2\n"
    source += "\n\ndef f(a, b):\n    if a < 3 and not b:\n        a = a - 1\n    return min(a, -b)\n"
    made = mutants("x.py", source)
    kinds = {mutant.kind for mutant in made}
    assert kinds == {
        "LIMIT doubled",
        "LOW doubled",
        "HIGH doubled",
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
    same = by_hand("limit/soc.py", path.read_text())
    assert run.run([same], 1).survivors == [same]


def test_a_graft_changes_code_and_constants_in_place():
    """A mutant that cannot be killed by accident: the bound of a test that names it."""
    path = run.FIRMWARE / "evse" / "protect" / "stage.py"
    source = path.read_text().replace("CLEARING_ALLOWANCE_MS = 90", "CLEARING_ALLOWANCE_MS = 80")
    assert run.run([by_hand("protect/stage.py", source)], 1).killed == 1


def test_a_graft_reaches_who_took_a_constant_and_nobody_else():
    run.paths()
    probe = importlib.import_module("evse.protect.islanding.probe")
    importlib.import_module("evse.protect")
    assert takers(probe.__name__)["ENOUGH"] == [("evse.protect.islanding", "ENOUGH")]
    assert "FLOOR_PERMILLE" not in takers(probe.__name__), "the quiet search has one of its own"


def test_equal_lines_have_names_of_their_own():
    source = "def f(a):\n    if a:\n        return 0\n    return 0\n\n\ndef g(a):\n    return 0\n"
    names = [mutant.name for mutant in mutants("x.py", source) if mutant.text == "return 0"]
    assert sorted(names) == ["x.py:f:dropped (2):return 0", "x.py:f:dropped:return 0", "x.py:g:dropped:return 0"]


def test_every_excuse_is_that_of_a_mutant_and_says_why():
    """A line that has changed needs a new reason. That it survives still, the full run tells."""
    names = {mutant.name for mutant in run.collect(list(run.FOLDERS))}
    known = run.excused()
    assert not [name for name in known if name not in names]
    assert all(len(reason) > 15 for reason in known.values())


def test_a_sample_is_killed():
    chosen = random.Random(SEED).sample(run.collect(list(run.FOLDERS)), SAMPLE)
    report = run.run(chosen, 2)
    known = run.excused()
    unexplained = [mutant.name for mutant in report.survivors if mutant.name not in known]
    assert not unexplained, unexplained
