# SPDX-License-Identifier: MIT
"""What is sent: a share of the export, smaller on a low voltage, within the room that others leave."""

from islanding_rig import Profile, Settings

from evse.image import Image
from evse.protect.islanding.push import Push

FLOOR = 333


class CurveProfile(Profile):
    volt_var = (1, (207000, 220000, 240000, 258000), (-440, 0, 0, 600))


def push_of(export_w=10000, mv=230000, rating_w=10000, want_var=0, profile=Profile):
    image = Image()
    image.inputs.grid_w = -export_w
    image.inputs.phase_mv[0] = mv
    image.request.want_var = want_var
    push = Push(image, profile())
    push.configure(Settings(rating_w))
    return image, push


def sent(permille=100, floor=0, sign=1, feed=0, **more):
    image, push = push_of(**more)
    push.sign = sign
    push.feed_permille = feed
    push.size(permille, floor)
    return image.protection.perturb_var


def test_a_push_is_a_share_of_the_export_in_whole_permille_of_the_rating():
    for export_w, var in ((10000, 150), (8000, 120), (5000, 70), (4000, 60)):
        assert sent(15, FLOOR, export_w=export_w) == var
        assert sent(15, FLOOR, export_w=export_w, sign=-1) == -var


def test_it_is_no_share_of_more_than_the_rating():
    assert sent(export_w=9900) == 990 and sent(export_w=10000) == 1000
    assert sent(export_w=10010) == 1000 and sent(export_w=30000) == 1000


def test_it_is_not_made_smaller_than_an_inverter_can_resolve():
    assert sent(1000, FLOOR, export_w=3340) == 3340
    for export_w in (3330, 3320, 0, -9000):
        assert sent(1000, FLOOR, export_w=export_w) == 3330, export_w


def test_below_90_percent_voltage_it_shrinks_with_the_square():
    for mv, var in ((400000, 1000), (207000, 1000), (206793, 990), (186300, 810), (103500, 250), (51750, 60), (0, 0)):
        assert sent(mv=mv) == var, mv


def test_the_feedback_joins_it_and_shrinks_with_it():
    assert sent(feed=60) == 1600 and sent(feed=-60) == 400
    assert sent(sign=-1, feed=60) == -400 and sent(sign=-1, feed=-60) == -1600
    assert sent(feed=60, export_w=5000) == 800 and sent(feed=60, mv=103500) == 400


def test_the_feedback_is_as_large_down_as_up():
    """At a third of the rating its smallest step is 1.7 permille of it, either way."""
    assert sent(0, FLOOR, feed=5, export_w=1000) == 16
    for export_w, mv in ((10000, 230000), (5550, 230000), (1000, 230000), (7770, 170000)):
        for feed in (5, 17, 60):
            up, down = (sent(0, FLOOR, feed=sign * feed, export_w=export_w, mv=mv) for sign in (1, -1))
            assert up > 0 and down == -up, (export_w, feed)


def test_what_others_want_is_not_counted_as_ours():
    for want_var in (2000, -2000):
        assert sent(want_var=want_var) == 1000 and sent(want_var=want_var, sign=-1) == -1000
        assert sent(want_var=want_var, feed=-60) == 400


def test_without_room_the_whole_square_moves():
    """44 % of 10 kW: a square of +-1000 var fits around -3400..3400 var."""
    for want_var, up, down in ((3400, 1000, -1000), (3401, 999, -1001), (4400, 0, -2000), (6000, -1600, -3600)):
        assert (sent(want_var=want_var), sent(want_var=want_var, sign=-1)) == (up, down)
        assert (sent(want_var=-want_var, sign=-1), sent(want_var=-want_var)) == (-up, -down)


def test_there_is_more_room_where_the_code_itself_asks_for_more():
    assert sent(want_var=5000, profile=CurveProfile) == 1000 and sent(want_var=5001, profile=CurveProfile) == 999


def test_the_feedback_gives_way_before_the_square():
    assert sent(want_var=3000, feed=60) == 1400 and sent(want_var=3000, feed=60, sign=-1) == -600
    assert sent(want_var=-3000, feed=-60) == 600 and sent(want_var=-3000, feed=-60, sign=-1) == -1400


def test_a_flip_turns_and_restarts_the_clock():
    _, push = push_of()
    push.since_ms = 70
    push.flip()
    assert push.sign == -1 and push.since_ms == 0
    push.flip()
    assert push.sign == 1


def test_the_end_takes_square_away_until_the_next_is_sized():
    image, push = push_of()
    push.size(100, 0)
    push.end()
    assert image.protection.perturb_var == 0
    assert push.feed_permille == 0
    push.feed_permille = 50
    push.send()
    assert image.protection.perturb_var == 500, "the feedback alone"


def test_a_new_rating_counts_at_once():
    image, push = push_of(export_w=5000)
    push.configure(Settings(5000))
    push.size(100, 0)
    assert image.protection.perturb_var == 500 and push.most_var == 2200


def test_without_a_rating_nothing_is_asked_and_nothing_divides_by_zero():
    for export_w in (0, 5000):
        assert sent(120, 30, export_w=export_w, rating_w=0) == 0
