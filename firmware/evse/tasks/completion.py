# SPDX-License-Identifier: MIT
"""What Tab may complete: verbs first, then what the verb takes (a setting, a choice of it, a point, a part)."""

from evse.points import COMMAND, KIND, LOW, NAME, POINTS, SETTING, SETTINGS, find
from evse.tasks.bringup import PARTS
from evse.tasks.verbs import VERBS

_WORDS = {
    "unlock": ("user", "installer"),
    "pin": ("user", "installer"),
    "mode": ("script", "terminal"),
    "calibrate": ("voltage", "current"),
    "faults": ("all",),
    "factory": ("yes",),
}


def _second(verb: str):
    if verb == "help":
        return [row[0] for row in VERBS]
    if verb == "set":
        return [row[NAME] for row in SETTINGS]
    if verb in ("get", "watch"):
        return [row[NAME] for row in POINTS if row[KIND] != COMMAND]
    if verb == "bringup":
        return sorted(PARTS)
    return _WORDS.get(verb, ())


def candidates(text: str):
    """Return the words that the last word of `text` may become."""
    words = text.split(" ")
    if len(words) == 1:
        names = [row[0] for row in VERBS]
    elif len(words) == 2 or words[0] in ("get", "watch"):
        names = _second(words[0])
    elif len(words) == 3 and words[0] == "set":
        row = find(words[1])
        choice = row is not None and row[KIND] == SETTING and isinstance(row[LOW], tuple)
        names = row[LOW] if choice else ()
    else:
        names = ()
    return [name for name in names if name.startswith(words[-1])]


def common(names) -> str:
    """Return what all names begin with."""
    start = names[0]
    for name in names:
        while not name.startswith(start):
            start = start[:-1]
    return start
