# SPDX-License-Identifier: MIT
"""`why` on the console of the whole firmware names each blocking situation in one correct sentence."""

from __future__ import annotations

import pytest

from hil.campaign.answers import Life, ask, lives

SITUATIONS = 20


def test_there_are_twenty_different_situations():
    wanted = {step["why"] for life in lives() for step in life.steps if "why" in step}
    assert len(wanted) >= SITUATIONS


@pytest.mark.parametrize("life", lives(), ids=lambda life: life.name.replace(" ", "-"))
def test_each_is_named_in_one_sentence(life: Life):
    answers = ask(life)
    assert len(answers) == sum("why" in step for step in life.steps)
    for answer in answers:
        assert answer.right, f"{answer.said!r} does not match {answer.wanted!r}"
        assert answer.said.endswith(".") and "\n" not in answer.said
