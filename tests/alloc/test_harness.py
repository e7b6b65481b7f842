# SPDX-License-Identifier: MIT
"""The 31-bit VM is what it is taken for: it catches each kind of allocation the cycle must not do."""

from __future__ import annotations

import pytest

from backfeed.vm31 import ScriptFailed, run_on_31bit

pytestmark = pytest.mark.usefixtures("vm31")


LOCKED = """
import micropython
{setup}
def body():
    {body}
def main():
    if {warm}:
        body()
    micropython.heap_lock()
    try:
        for _ in range(100):
            body()
    finally:
        micropython.heap_unlock()
    print('free')
main()
"""


def locked(body: str, setup: str = "", warm: bool = True) -> str:
    return run_on_31bit(LOCKED.format(setup=setup, body=body, warm=warm))


def test_small_ints_have_31_bits() -> None:
    assert run_on_31bit("import sys\nprint(sys.maxsize)") == "2147483647\n"
    assert "MemoryError" not in locked("x = (1 << 29) - 1 + (1 << 29)")


@pytest.mark.parametrize(
    "body",
    [
        "x = N + N",  # crosses 2^30: harmless on 64-bit, a big int on a board
        "x = 1.5 * N",
        "x = (N, N)",
        "x = V[1:3]",
        "x = body.__name__.upper",
        "x = 'a%d' % N",
        "x = lambda: N",
        "x = [i for i in V]",
        "for i, v in enumerate(V): pass",
        "x = divmod(N, 3)",
    ],
)
def test_an_allocation_is_caught(body: str) -> None:
    with pytest.raises(ScriptFailed, match="MemoryError"):
        locked(body, "N = (1 << 29) + 5\nV = memoryview(bytearray(8))")


@pytest.mark.parametrize(
    "body",
    [
        "B[0] = (B[0] + 1) & 255",
        "x = (N * 3) // 7 if N < 1000 else -N",
        "for i in range(8): B[i] = i",
        "T.a = T.a + 1 if T.a < N else 0",
        "T.f(N)",
        "x = 1 if 2 < N < 2000000 else 0",
    ],
)
def test_what_the_cycle_does_is_free(body: str) -> None:
    setup = "N = 12345\nB = bytearray(8)\nclass C:\n  def __init__(s): s.a = 0\n  def f(s, n): s.a = n\nT = C()"
    assert locked(body, setup) == "free\n"


def test_fixed_is_free_of_allocation_at_its_bounds() -> None:
    setup = "from evse.fixed import *\nX = (-10, 0, 30)\nY = (5, 0, 99)"
    for body in (
        "mul_div(INT_MAX, 32766, 32767)",
        "mul_div(-INT_MAX, 32767, 1)",
        "ratio(INT_MAX, INT_MAX, 1 << 29)",
        "ratio(INT_MAX, 12345678, 87654321)",
        "line_period_to_uhz(10485759)",
        "line_period_to_uhz(8738131)",
        "interpolate(7, X, Y)",
        "slew(-INT_MAX // 2, INT_MAX // 2, 7360)",
        "age(5, (1 << 30) - 7)",
        "permille(-22080, 999)",
    ):
        assert locked(body, setup) == "free\n", body


def test_a_failing_script_shows_the_vms_traceback() -> None:
    with pytest.raises(ScriptFailed, match="ZeroDivisionError"):
        run_on_31bit("def f():\n    return 1 // 0\nf()\n")
