# SPDX-License-Identifier: MIT
"""`time` on virtual time: ticks wrap at 2^30 as on a 32-bit board, 60 s after boot."""

from _link import world
from utime import gmtime, localtime, mktime  # noqa: F401  (of the port)

_MASK = (1 << 30) - 1
_HALF = 1 << 29


_READS_FREE = 200  # reads of the clock that take no time; a loop that waits by reading it must come to an end
_READ_US = 10


def _now_us():
    world.reads += 1
    if world.reads > _READS_FREE:
        world.now += _READ_US
    elif world.creep_us:
        world.now += world.creep_us
    return world.now + world.ticks_offset_us


def ticks_ms():
    if world.creep_us or world.reads >= _READS_FREE:
        return _now_us() // 1000 & _MASK
    world.reads += 1
    return (world.now + world.ticks_offset_us) // 1000 & _MASK


def ticks_us():
    if world.creep_us or world.reads >= _READS_FREE:
        return _now_us() & _MASK
    world.reads += 1
    return world.now + world.ticks_offset_us & _MASK


def ticks_cpu():
    return _now_us() & _MASK


def ticks_diff(end, start):
    return ((end - start + _HALF) & _MASK) - _HALF


def ticks_add(ticks, delta):
    if not -_HALF < delta < _HALF:
        raise OverflowError("ticks interval overflow")
    return (ticks + delta) & _MASK


def sleep_ms(ms):
    if ms > 0:
        world.sleep_until(world.now + ms * 1000)


def sleep_us(us):
    if us > 0:
        world.sleep_until(world.now + us)


def sleep(seconds):
    sleep_us(int(seconds * 1000000))


_epoch_s = 0  # set by machine.RTC


def time():
    """Seconds since 2000-01-01, as both ports count; the clock starts there until it is set."""
    return _epoch_s + (world.now - world.boot_us) // 1000000


def time_ns():
    return _epoch_s * 1000000000 + (world.now - world.boot_us) * 1000
