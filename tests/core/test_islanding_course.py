# SPDX-License-Identifier: MIT
"""What the active method hears: a move is that of 60 ms, drift is measured from a mean of 1.28 s."""

from evse.protect.islanding.course import Course


def course_at(mhz):
    course = Course()
    course.start(mhz)
    return course


def test_a_start_is_no_move():
    course = course_at(49870)
    for _ in range(20):
        course.take(49870)
        assert course.jump_mhz == 0 and course.off_mhz == 0 and course.last_mhz == 49870


def test_a_start_forgets_what_was_before():
    course = course_at(60000)
    for _ in range(5):
        course.take(61000)
    course.start(50000)
    course.take(50000)
    assert (course.jump_mhz, course.off_mhz, course.last_mhz) == (0, 0, 50000)


def test_a_jump_is_the_move_since_six_readings_ago():
    course = course_at(50000)
    heard = [50000] * 6
    for n in range(40):
        mhz = 50000 + 7 * n * n * (1 if n % 2 else -1)
        course.take(mhz)
        heard.append(mhz)
        assert course.jump_mhz == mhz - heard[-7] and course.last_mhz == heard[-2]


def test_drift_is_measured_from_a_mean_of_128_readings():
    for step in (400, -400):
        course = course_at(50000)
        course.take(50000 + step)
        assert course.off_mhz == step
        for _ in range(128):
            course.take(50000 + step)
        assert abs(course.off_mhz * 1000 // step - 368) <= 8, "1/e is left after one time constant"


def test_one_false_reading_hardly_moves_the_mean():
    for false in (65000, 51000, 49000, 40000):
        course = course_at(50000)
        course.take(false)
        assert course.off_mhz == false - 50000
        course.take(50000)
        assert 7 <= abs(course.off_mhz) <= 8 and (course.off_mhz < 0) == (false > 50000)


def test_a_smaller_reading_counts_as_it_is():
    for step, left in ((640, -5), (-640, 5), (320, -2), (-320, 3)):
        course = course_at(50000)
        course.take(50000 + step)
        course.take(50000)
        assert course.off_mhz == left
