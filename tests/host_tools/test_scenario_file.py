# SPDX-License-Identifier: MIT
"""Everything in a scenario file is checked before anything runs, and a mistake is one line that names it."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from backfeed.checkout import HIL
from backfeed.errors import InputError
from backfeed.recorder import CODES, MEASURED
from backfeed.stimuli import ACTIONS as DONE
from hil.scenario import load
from hil.scenario_words import ACTIONS, KINDS, MEASURES, SAID

HEAD = 'name = "made"\ntitle = "Made"\nduration_s = 5\n'
STEP = "[[step]]\nat_s = 1\n"
EXPECT = "[[expect]]\nsince = 0\nlow = 1\n"


def written(folder: Path, text: str) -> Path:
    path = folder / "s.toml"
    path.write_text(text)
    return path


def test_the_scenarios_of_the_project_are_good() -> None:
    for path in [HIL / "scenarios" / "demo.toml", *(HIL / "scenarios" / "lom").glob("*.toml")]:
        assert load(path).duration_s > 0


def test_what_is_left_away_has_its_default(tmp_path: Path) -> None:
    scenario = load(written(tmp_path, HEAD + "[plant]\nphases = 3\nnominal_v = 120\n[plant.vehicle]\nsoc = 0.3\n"))
    assert (scenario.board, scenario.seed, scenario.plant.phases, scenario.plant.vehicle.soc) == ("virtual", 1, 3, 0.3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = 'x'\nduration_s = 1", "name is missing"),
        (HEAD.replace('"made"', '"../x"'), "name = '../x'; lower-case letters"),
        (HEAD.replace("5", "0"), "duration_s = 0; give seconds, above 0"),
        (HEAD.replace("5", "nan"), "duration_s = nan"),
        (HEAD + "seed = 'a'", "seed = 'a'; give a whole number"),
        (HEAD + "board = 'toaster'", "board = 'toaster' is no board; choose"),
        (HEAD + "step = 5", "step = 5; write it as a table, [[step]]"),
        (HEAD + "step = [1]", "write it as a table, [[step]]"),
        (HEAD + "settings = 5", "write it as a table, [settings]"),
        (HEAD + "colour = 5", "top level: 'colour' is unknown; allowed: about, board"),
        (HEAD + "[plant]\nphases = 2", "phases = 2; a station has 1 or 3"),
        (HEAD + "[plant]\nnominal_v = 'x'", "nominal_v = 'x'; it must be a number"),
        (HEAD + "[plant]\nvehicle = 1", "vehicle = 1; it must be a table"),
        (HEAD + "[plant.inverter]\nown_protection = 1", "own_protection = 1; it must be true or false"),
        (HEAD + STEP + "do = 'fly'", "do = 'fly' is unknown; allowed: plug"),
        (HEAD + STEP + "do = 'plug'\ncable_a = 'x'", "step 'plug': cable_a = 'x'; it must be a number"),
        (HEAD + STEP + "do = 'grid'\nvoltage_v = [230, 'x']", "it must be a number or one a phase"),
        (HEAD + STEP + "do = 'soc'", "step 'soc': share is missing"),
        (HEAD + STEP + "do = 'fault'\nname = 'gremlin'", "fault 'gremlin' is unknown"),
        (HEAD + STEP.replace("1", "9"), "at_s = 9 comes after the end, 5 s"),
        (HEAD + STEP.replace("1", "-1"), "give a number of seconds, 0 or more"),
        (HEAD + (STEP + "name = 'a'\n") * 2, "two steps have the same name"),
        (HEAD + EXPECT + "measure = 'guess'", "measure = 'guess' is unknown"),
        (HEAD + EXPECT + "measure = 'at'\nsignal = 'powr'", "signal = 'powr' is unknown; allowed: voltage"),
        (HEAD + EXPECT + "measure = 'min'\nsignal = 'power'\nfor_s = 'x'", "for_s = 'x'; it must be a number"),
        (HEAD + EXPECT + "measure = 'events'\nevent = 'tripp'\nfor_s = 1", "event = 'tripp' is unknown"),
        (HEAD + EXPECT + "measure = 'at'\nsignal = 'power'\nhigh = 0", "low 1 is above high 0"),
        (HEAD + "[[expect]]\nsince = 0\nmeasure = 'at'\nsignal = 'power'", "neither low nor high"),
        (HEAD + EXPECT.replace("0", "'x'") + "measure = 'at'\nsignal = 'power'", "since = 'x' is no step"),
        (HEAD + EXPECT.replace("0", "6") + "measure = 'at'\nsignal = 'power'", "it begins at 6 s, after the end"),
    ],
)
def test_a_mistake_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load(path)
    assert caught.value.message.startswith(f"scenario {path}: ")
    assert message in caught.value.message and "\n" not in caught.value.message


def test_the_words_are_those_that_something_is_done_with() -> None:
    assert set(ACTIONS) == set(DONE)
    for action, parameters in ACTIONS.items():
        taken = list(inspect.signature(DONE[action]).parameters.values())[1:]
        if action == "grid":
            continue  # handed on as it is
        assert [parameter.name for parameter in taken] == list(parameters), action
        assert {parameter.name: parameter.default is parameter.empty for parameter in taken} == parameters, action
    assert set(SAID) == {*MEASURED, *CODES}
    anything = {"payload", "value", "since"}
    for table in (ACTIONS, MEASURES):
        assert {name for row in table.values() for name in row} <= {*KINDS, *anything}
