# SPDX-License-Identifier: MIT
"""Integer arithmetic that cannot leave a 31-bit small int.

MicroPython on ESP32 and STM32 keeps ints of +-(2^30 - 1) in the reference itself; one more and
it allocates a big int, which the cycle must never do. Everything here is exact and allocates
nothing as long as each argument and the result are small ints.
"""

INT_MAX = (1 << 30) - 1
DAY_MINUTES = 1440
SHORTEST_DAY_MINUTES = 1380  # summer time begins
WEEK_MINUTES = 10080  # a minute of the week: 0 is Monday 00:00, local
_HALF_BITS = 15
_HALF_MASK = (1 << _HALF_BITS) - 1


def clamp(value: int, low: int, high: int) -> int:
    """Return value kept within low..high (low <= high, any unit)."""
    if value < low:
        return low
    if value > high:
        return high
    return value


def slew(value: int, target: int, step: int) -> int:
    """Move value towards target by at most step (>= 0)."""
    if target > value + step:
        return value + step
    if target < value - step:
        return value - step
    return target


def mul_div(value: int, numerator: int, denominator: int) -> int:
    """Return value * numerator / denominator, truncated towards zero.

    numerator and denominator: 0..32767 and 1..32767, so that no intermediate product leaves 30
    bits. The quotient itself must fit: it saturates at +-INT_MAX.
    """
    sign = 1
    if value < 0:
        sign = -1
        value = -value
    whole = value // denominator
    if numerator and whole > INT_MAX // numerator:
        return sign * INT_MAX
    high = whole * numerator
    low = (value - whole * denominator) * numerator // denominator
    if high > INT_MAX - low:
        return sign * INT_MAX
    return sign * (high + low)


def permille(value: int, share_permille: int) -> int:
    """Return share_permille thousandths of value, truncated towards zero."""
    return mul_div(value, share_permille, 1000)


def ratio(value: int, numerator: int, denominator: int) -> int:
    """Return value * numerator // denominator for non-negative ints of up to 30 bits each.

    Long multiplication bit by bit (about 30 rounds): for set-up and slow paths. The result
    saturates at INT_MAX. denominator must be 1..2^29.
    """
    quotient = 0
    remainder = 0
    whole = value // denominator
    part = value - whole * denominator
    for shift in range(29, -1, -1):
        remainder <<= 1
        carry = remainder // denominator
        remainder -= carry * denominator
        if quotient > (INT_MAX - carry) >> 1:
            return INT_MAX
        quotient = (quotient << 1) + carry
        if (numerator >> shift) & 1:
            remainder += part
            if remainder >= denominator:
                remainder -= denominator
                quotient += 1
            if whole > INT_MAX - quotient:
                return INT_MAX
            quotient += whole
    return quotient


def interpolate(x: int, xs, ys) -> int:
    """Read y at x from the polyline (xs, ys); flat beyond both ends.

    xs: rising ints; ys: ints with |y2 - y1| * (x2 - x1) within 30 bits for each segment.
    """
    if x <= xs[0]:
        return ys[0]
    if x >= xs[-1]:
        return ys[-1]
    i = 1
    while x > xs[i]:
        i += 1
    x0 = xs[i - 1]
    y0 = ys[i - 1]
    return y0 + (ys[i] - y0) * (x - x0) // (xs[i] - x0)


def line_period_to_uhz(period_counts: int) -> int:
    """Turn an ADE9000 line period into uHz.

    f = 8000 * 2^16 / (period + 1) Hz (ADE9000 data sheet, "Line Period Calculation"), which is
    31250000 * 2^24 / (period + 1) uHz: long division in base 64 keeps it exact and inside 30 bits.
    period_counts: 1..16777214 (above 31.25 Hz); returns 0 outside.
    """
    if not 4194303 <= period_counts < 16777215:
        return 0
    divisor = period_counts + 1
    quotient = 31250000 // divisor
    rest = 31250000 - quotient * divisor
    for _ in range(4):
        rest <<= 6
        digit = rest // divisor
        quotient = (quotient << 6) + digit
        rest -= digit * divisor
    return quotient


def age(now_ms: int, then_ms: int) -> int:
    """Return ticks now - then, wrap-safe like time.ticks_diff: -2^29..2^29 - 1 for a 2^30 period."""
    difference = (now_ms - then_ms) & 0x3FFFFFFF
    if difference >= 0x20000000:
        return difference - 0x3FFFFFFF - 1
    return difference


def later(then_ms: int, delay_ms: int) -> int:
    """Return ticks then + delay (>= 0), wrap-safe: the plain sum would leave 31 bits just before the wrap."""
    if then_ms > INT_MAX - delay_ms:
        return then_ms - INT_MAX - 1 + delay_ms
    return then_ms + delay_ms
