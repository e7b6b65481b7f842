# SPDX-License-Identifier: MIT
"""Random times of the active method: told apart by name and reading, even, and repeatable."""

from evse.protect.chance import Chance


def draws(name, count=200, spread=41, stir=0):
    chance = Chance(name)
    return [chance.draw(spread, stir) for _ in range(count)]


def test_units_of_different_name_draw_differently():
    names = ("", "a", "b", "ab", "ba", "unit", "unit1", "unit2", "0000000000000001", "0000000000000010")
    seen = [draws(name) for name in names]
    for n in range(len(seen)):
        for m in range(n):
            equal = sum([1 for k in range(200) if seen[n][k] == seen[m][k]])
            assert equal < 25, (names[n], names[m])  # 1 in 41 is chance


def test_a_unit_draws_the_same_again():
    """Trials name their seed by the unit's name: what is drawn may not change from one release to the next."""
    assert draws("unit", 8) == [36, 33, 8, 1, 22, 22, 31, 0]
    assert draws("unit", 4, 51, 200) == [44, 14, 25, 36]


def test_the_last_bits_of_a_reading_part_units_of_equal_name():
    for bit in range(8):
        one, other = Chance("a"), Chance("a")
        one.draw(41, 50000000)
        other.draw(41, 50000000 ^ 1 << bit)
        differ = [1 for _ in range(100) if one.draw(41, 50000000) != other.draw(41, 50000000)]
        assert len(differ) > 80, bit


def test_every_time_of_the_spread_is_drawn_evenly():
    for spread in (41, 51):
        found = [0] * spread
        for value in draws("even", 100 * spread, spread, 50012345):
            assert 0 <= value < spread
            found[value] += 1
        assert min(found) > 50 and max(found) < 170


def test_it_stays_small_whatever_is_stirred_in():
    chance = Chance("z" * 64)
    for stir in (0, 255, 256, 70000000, (1 << 30) - 1) * 200:
        chance.draw(41, stir)
        assert 0 <= chance._state < 65537
