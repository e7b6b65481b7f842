# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""Calendar, summer time, NTP answers and line editing: pure parts of the tasks."""

from evse.tasks import access
from evse.tasks.clock import parse_utc, utc_text
from evse.tasks.line_editor import BREAK, COMPLETE, END, LINE, LineEditor
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


def _noise(seed):
    while True:
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        yield seed >> 16


def test_the_screen_shows_what_the_line_is_whatever_is_typed():
    keys = [bytes([byte]) for byte in b"ab cd\x7f\x15\x17\x0b\x04\x01\x05\x02\x06\r"]
    keys += [b"\x1b[" + code for code in (b"A", b"B", b"C", b"D", b"H", b"F", b"3~", b"1~", b"4~")]
    noise = _noise(3)
    editor = LineEditor(12)
    shown, column = "", 0  # one line of a terminal, wide enough
    for _ in range(4000):
        for byte in keys[next(noise) % len(keys)]:
            if editor.feed(byte) == LINE:
                editor.start()
            for echoed in editor.echo:
                if echoed == 0x0A:
                    shown, column = "", 0
                elif echoed == 0x08:
                    assert column > 0, "the cursor leaves the line"
                    column -= 1
                elif echoed >= 0x20:
                    shown = shown[:column] + chr(echoed) + shown[column + 1 :]
                    column += 1
        assert shown.rstrip(" ") == editor.text().rstrip(" ")
        assert column == editor.cursor <= len(editor.text()) <= 12


def test_keys_in_the_middle_of_a_line():
    editor = LineEditor()
    for typed, wanted in (
        (b"abz\x1b[Dc\r", "abcz"),
        (b"bc\x01a\x05d\r", "abcd"),
        (b"xabc\x1b[H\x1b[3~\r", "abc"),
        (b"abc def\x02\x02\x02\x17\r", "def"),
        (b"abcdef\x02\x02\x0b\r", "abcd"),
        (b"abc\x1bOD\x1bOD\x04\r", "ac"),
        (b"abc\x1b[1;5D\x1b[15~\x1b[200~!\r", "abc!"),
    ):
        assert _type(editor, typed) == LINE
        assert editor.line == wanted
    assert _type(editor, b"\x04") == END


class _Memory:
    size = 32768

    def __init__(self):
        self.data = bytearray(self.size)

    def readinto(self, address, buffer):
        buffer[:] = self.data[address : address + len(buffer)]

    def write(self, address, buffer):
        self.data[address : address + len(buffer)] = buffer


def test_a_lock_out_doubles_and_ends_however_long_ago_it_was():
    now_ms = [0]
    memory = _Memory()
    store = access.Access(memory, lambda: now_ms[0])
    for failures, locked_s in ((2, 0), (3, 10), (4, 20), (5, 40), (11, 2560), (12, 3600), (100, 3600)):
        store._count(failures)
        assert store.locked_s() == locked_s
        now_ms[0] += locked_s * 1000 - 1
        assert store.locked_s() == min(locked_s, 1)
        now_ms[0] += 1
        assert store.locked_s() == 0
        for passed_days in (1, 7, 9, 13, 400):  # beyond the wrap of the ticks
            now_ms[0] += passed_days * 86400000
            assert store.locked_s() == 0
        assert access.Access(memory, lambda: now_ms[0]).locked_s() == locked_s, "a restart starts it over"
