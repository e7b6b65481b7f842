# SPDX-License-Identifier: MIT
"""SunSpec points in big-endian register buffers that the caller owns: raw values, scale factors, not-implemented.

Source: SunSpec Information Model Specification; offsets of models 1, 103, 701-715 from the public model definitions.
Offsets count registers from a model's ID register (ID = 0, L = 1). Everything stays within 31 bits: a 32-bit value
that does not fit, like one that is not implemented, decodes to NONE.
"""

NONE = -0x3FFFFFFF  # not implemented, or out of range

MARK_HIGH = 0x5375  # "Su"
MARK_LOW = 0x6E53  # "nS"
BASES = (40000, 0, 50000)
END_MODEL = 0xFFFF

SCALE_MIN, SCALE_MAX = -10, 10
_POWERS = (1, 10, 100, 1000, 10000, 100000, 1000000)


def u16(data, register: int) -> int:
    """Return an unsigned 16-bit point (0xFFFF = not implemented)."""
    value = data[2 * register] << 8 | data[2 * register + 1]
    return NONE if value == 0xFFFF else value


def raw16(data, register: int) -> int:
    """Return a register as it stands: bit fields, IDs, lengths."""
    return data[2 * register] << 8 | data[2 * register + 1]


def s16(data, register: int) -> int:
    """Return a signed 16-bit point (0x8000 = not implemented)."""
    value = data[2 * register] << 8 | data[2 * register + 1]
    if value == 0x8000:
        return NONE
    return value - 0x10000 if value & 0x8000 else value


def u32(data, register: int) -> int:
    """Return an unsigned 32-bit point below 2^30 (0xFFFFFFFF = not implemented)."""
    high = data[2 * register]
    if high >= 0x40:
        return NONE
    at = 2 * register
    return high << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


def s32(data, register: int) -> int:
    """Return a signed 32-bit point of -0x3F000000..0x3FFFFFFF (0x80000000 = not implemented)."""
    at = 2 * register
    high = data[at]
    if 0x40 <= high <= 0xC0:  # 0xC0 << 24 is the one value that leaves 31 bits on the way
        return NONE
    if high > 0xC0:
        high -= 0x100
    return (high << 24) + (data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3])


def bits30(data, register: int) -> int:
    """Return the low 30 bits of a 32-bit bit field; not implemented (all ones) gives 0."""
    at = 2 * register
    if data[at] == 0xFF and data[at + 1] == 0xFF and data[at + 2] == 0xFF and data[at + 3] == 0xFF:
        return 0
    return (data[at] & 0x3F) << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]


def scale_factor(data, register: int) -> int:
    """Return a scale factor -10..10; not implemented means 0; anything else is impossible: NONE."""
    value = s16(data, register)
    if value == NONE:
        return 0
    return value if SCALE_MIN <= value <= SCALE_MAX else NONE


def scaled(value: int, factor: int, unit_exponent: int) -> int:
    """Return value x 10^factor in units of 10^-unit_exponent (3 = milli), rounded; NONE stays NONE.

    NONE too when the result leaves 30 bits.
    """
    if value == NONE:
        return NONE
    if factor == NONE:
        return NONE
    shift = factor + unit_exponent
    if shift >= 0:
        if value == 0:
            return 0
        if shift > 6 or abs(value) > 0x3FFFFFFE // _POWERS[shift]:
            return NONE
        return value * _POWERS[shift]
    shift = -shift
    while shift > 6:
        value = value // 10 if value >= 0 else -(-value // 10)
        shift -= 1
    divisor = _POWERS[shift]
    size = value if value >= 0 else -value
    whole = size // divisor
    if (size - whole * divisor) * 2 >= divisor:
        whole += 1
    return whole if value >= 0 else -whole


def unscaled(value: int, factor: int) -> int:
    """Return the raw value that stands for `value` (whole units) at scale factor `factor`, towards zero."""
    if factor == NONE:
        return NONE
    if factor >= 0:
        power = _POWERS[min(factor, 6)]
        return value // power if value >= 0 else -(-value // power)
    if factor < -6 or abs(value) > 0x3FFFFFFE // _POWERS[-factor]:
        return NONE
    return value * _POWERS[-factor]


def put16(data, register: int, value: int) -> None:
    """Write a 16-bit point, signed or not."""
    data[2 * register] = value >> 8 & 0xFF
    data[2 * register + 1] = value & 0xFF


def put32(data, register: int, value: int) -> None:
    """Write a 32-bit point, signed or not."""
    put16(data, register, value >> 16)
    put16(data, register + 1, value)


def text(data, register: int, registers: int) -> str:
    """Return a string point, without what is not printable ASCII."""
    shown = ""
    for byte in data[2 * register : 2 * (register + registers)]:
        if not byte:
            break
        shown += chr(byte) if 32 <= byte < 127 else "?"
    return shown.strip()
