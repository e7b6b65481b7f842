# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""Calendar, summer time, NTP answers and line editing: pure parts of the tasks."""

from evse.tasks.clock import parse_utc, utc_text
from evse.tasks.line_editor import BREAK, COMPLETE, LINE, LineEditor
from evse.tasks.local_time import days, minute_of_week, summer
from evse.tasks.ntp import answer, request


def _refused(function, *arguments):
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    raise AssertionError("accepted")


def test_days_of_known_dates():
    assert days(1970, 1, 1) == 0
    assert days(2000, 2, 29) == 11016
    assert days(2000, 3, 1) == 11017
    assert days(2026, 11, 23) == 20780
    assert days(2100, 3, 1) == 47541


def test_utc_text_comes_back():
    for unix_s in (1704067200, 1709164799, 1709164800, 1740700800, 1790000000, 1798761599, 4102444799):
        assert parse_utc(utc_text(unix_s)) == unix_s
    assert parse_utc("1790000000") == 1790000000
    assert utc_text(1795406706) == "2026-11-23T04:05:06Z"


def test_wrong_times_are_refused():
    for text in ("", "now", "2026-11-23", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "-5", "26-11-23T04:05:06+1"):
        assert "time" in _refused(parse_utc, text)


def test_summer_time_changes_at_the_second():
    start = parse_utc("2026-03-29T01:00:00Z")
    end = parse_utc("2026-10-25T01:00:00Z")
    assert not summer("eu", start - 1, 0)
    assert summer("eu", start, 0)
    assert summer("eu", end - 1, 60)
    assert not summer("eu", end, 60)
    start = parse_utc("2026-03-08T10:00:00Z")  # 02:00 in Los Angeles
    end = parse_utc("2026-11-01T09:00:00Z")
    assert not summer("us", start - 1, -480)
    assert summer("us", start, -480)
    assert summer("us", end - 1, -480)
    assert not summer("us", end, -480)
    assert not summer("none", start, 0)


def test_minute_of_the_week():
    monday = parse_utc("2026-11-23T00:00:00Z")
    assert minute_of_week(monday, 0, "none") == 0
    assert minute_of_week(monday - 60, 0, "none") == 10079
    assert minute_of_week(monday, 60, "none") == 60
    assert minute_of_week(monday, -60, "none") == 10020
    july = parse_utc("2026-07-06T00:30:00Z")
    assert minute_of_week(july, 60, "eu") == 150


def _ntp(nonce, mode=4, stratum=2, leap=0, seconds=3998988800):
    packet = bytearray(48)
    packet[0] = leap << 6 | 4 << 3 | mode
    packet[1] = stratum
    packet[24:32] = nonce
    for at in range(4):
        packet[40 + at] = seconds >> (24 - 8 * at) & 0xFF
    return packet


def test_ntp_believes_only_a_set_server_that_answers_us():
    nonce = b"12345678"
    assert len(request(nonce)) == 48
    assert answer(_ntp(nonce), nonce) == 1790000000
    assert answer(_ntp(nonce, seconds=100), nonce) == 100 + (1 << 32) - 2208988800
    for wrong in (_ntp(b"87654321"), _ntp(nonce, mode=3), _ntp(nonce, stratum=0), _ntp(nonce, stratum=16)):
        assert answer(wrong, nonce) == 0
    assert answer(_ntp(nonce, leap=3), nonce) == 0
    assert answer(_ntp(nonce)[:47], nonce) == 0


def _type(editor, keys):
    """Feed keys; return the last action that was not nothing."""
    last = 0
    for byte in keys:
        last = editor.feed(byte) or last
    return last


def test_a_line_with_corrections():
    editor = LineEditor()
    assert _type(editor, b"gett\x7f status\x17points\r") == LINE
    assert editor.line == "get points"
    assert _type(editor, b"abc\x15help\r\n") == LINE
    assert editor.line == "help"
    assert _type(editor, b"\n") == LINE
    assert editor.line == ""


def test_history_goes_back_and_forth_and_keeps_no_secret():
    editor = LineEditor()
    secrets = (b"unlock installer 1234\r", b"pin user 1234\r", b"set mqtt_password x\r")
    for line in (b"one\r", b"two\r", b"two\r") + secrets:
        _type(editor, line)
    _type(editor, b"\x1b[A")
    assert editor.text() == "two"
    _type(editor, b"\x1b[A")
    assert editor.text() == "one"
    _type(editor, b"\x1b[A")
    assert editor.text() == "one"
    _type(editor, b"\x1b[B\x1b[B")
    assert editor.text() == ""


def test_an_overlong_line_is_marked_not_cut():
    editor = LineEditor(8)
    assert _type(editor, b"123456789\r") == LINE
    assert editor.overlong
    editor.start()
    assert _type(editor, b"12345678\r") == LINE
    assert not editor.overlong
    assert editor.line == "12345678"


def test_control_keys():
    editor = LineEditor()
    assert _type(editor, b"abc\t") == COMPLETE
    assert _type(editor, b"\x03") == BREAK
    assert editor.text() == ""
    _type(editor, b"\x1b[1;5Cx\x00\x80\xff")
    assert editor.text() == "x"
