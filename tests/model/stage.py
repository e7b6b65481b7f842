# SPDX-License-Identifier: MIT
"""A stage of the cycle as a finite machine: the firmware's own object, run once for each distinct case and remembered.

A stage declares what lives in it from one cycle to the next (`KEEPS`) and what it is given (`GIVEN`). Each stage has
an image of its own in which everything else is poison: code that reads what was not declared fails, so that a
remembered result can never have depended on something else.
"""

from __future__ import annotations

from typing import Any

from evse import faults
from evse.fixed import age
from evse.image import Image
from tests.model.limits import CAP_MS

RECORDS = ("inputs", "protection", "request", "limits", "outputs", "status")


class Undeclared(AssertionError):
    """The firmware read or changed something that the model does not know of."""


class Poison:
    """Stands for a value that the stage may not look at. Writing over it is allowed."""

    def _refuse(self, *_: object) -> Any:
        raise Undeclared("the code reads a value of the image that its stage in the model does not declare")

    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = _refuse  # type: ignore[assignment]
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = __and__ = __rand__ = _refuse
    __or__ = __ror__ = __index__ = __int__ = __iter__ = __getitem__ = __floordiv__ = __mod__ = _refuse


class Silent:
    """Takes the place of the event ring: events are no state."""

    def emit(self, *_: int) -> None:
        pass


class Stage:
    """Base of the five. Rows of KEEPS: object, attribute, how it is bounded.

    "cap": a timer, "floor": one that counts down, "since": an instant, "codes": an array by fault or element.
    """

    KEEPS: tuple[tuple[str, str, str], ...] = ()
    GIVEN: tuple[tuple[str, str], ...] = ()
    # Written by the code with no effect on it: what it counts or tells others.
    TELLS: tuple[tuple[str, str], ...] = ()

    def __init__(self) -> None:
        self.image = Image()
        self.image.events = Silent()
        self.parts: dict[str, Any] = {name: getattr(self.image, name) for name in RECORDS}
        self.known: dict[Any, tuple[Any, ...]] = {}
        self.runs = 0
        self.build()
        self._keeps = [(vars(self.parts[owner]), name, how) for owner, name, how in self.KEEPS]
        for values, name, _ in self._keeps:
            assert name in values, name
        self._given = [(vars(self.parts[owner]), name) for owner, name in self.GIVEN]
        self._poison = [(vars(self.parts[name]), self._template(name)) for name in RECORDS]
        own = [
            (owner, vars(part), name, value)
            for owner, part in self.parts.items()
            if owner not in RECORDS
            for name, value in vars(part).items()
            if isinstance(value, int)
        ]
        changing = {row[:2] for row in (*self.KEEPS, *self.GIVEN, *self.TELLS)}
        self._constant = [row[1:] for row in own if (row[0], row[2]) not in changing]
        self._tells = [row[1:] for row in own if (row[0], row[2]) in self.TELLS]

    def build(self) -> None:
        """Make the firmware's objects on self.image and name them in self.parts."""
        raise NotImplementedError

    def go(self, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run the code; return what it hands on."""
        raise NotImplementedError

    def _template(self, record: str) -> dict[str, Any]:
        declared = {name for owner, name, _ in self.KEEPS if owner == record}
        declared |= {name for owner, name in self.GIVEN if owner == record}
        template: dict[str, Any] = {}
        for name, value in vars(self.parts[record]).items():
            if name in declared:
                continue
            if isinstance(value, (bytearray, list)):
                continue  # shared by reference; a stage that uses one sets it itself
            template[name] = 0 if (record, name) in self.TELLS else Poison()
        if record == "inputs":
            template.update(elapsed_ms=10, now_ms=NOW_MS)
        return template

    def start(self) -> tuple[Any, ...]:
        """Return what it keeps at power-up."""
        return self._save()

    def settle(self) -> None:
        """Put timers that the present state does not read to one value; a stage that has such overrides it."""

    def _save(self) -> tuple[Any, ...]:
        self.settle()
        return tuple([bounded(values[name], how) if how else values[name] for values, name, how in self._keeps])

    def run(self, kept: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return (kept after the cycle, what is handed on); the code runs only for what was never met."""
        key = (kept, given)
        result = self.known.get(key)
        if result is None:
            result = self.known[key] = self._run(kept, given)
        return result

    def _run(self, kept: tuple[Any, ...], given: tuple[Any, ...]) -> tuple[Any, ...]:
        self.runs += 1
        for values, template in self._poison:
            values.update(template)
        for values, name, value in self._tells:
            values[name] = value
        for (values, name, how), value in zip(self._keeps, kept, strict=True):
            if how == "codes":
                values[name][:] = value
            else:
                values[name] = NOW_MS - value - 10 if how == "since" else value
        for (values, name), value in zip(self._given, given, strict=False):
            values[name] = value
        handed = self.go(given)
        for values, name, value in self._constant:
            if values[name] != value:
                raise Undeclared(f"{type(self).__name__}: {name} changed and is not kept")
        return self._save(), handed


def bounded(value: Any, how: str) -> Any:
    """Return a kept value as far as the code tells it apart."""
    if how == "cap":
        return value if value < CAP_MS else CAP_MS
    if how == "floor":
        return value if value > 0 else 0
    if how == "since":
        return min(age(NOW_MS, value), CAP_MS)
    return bytes(value) if how == "codes" else value


def kinds(codes: Any) -> tuple[int, int, int]:
    """Return which of the three ways to clear the set codes need: by itself, by a person, after a repair."""
    found = [0, 0, 0]
    for code in range(1, len(codes)):
        if codes[code]:
            found[faults.FAULTS[code][2]] = 1
    return found[0], found[1], found[2]


NOW_MS = 1_000_000  # every cycle is "now": instants are kept as what has passed since
