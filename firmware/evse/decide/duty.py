# SPDX-License-Identifier: MIT
"""Control pilot duty <-> current (IEC 61851-1 Annex A; grid-codes 4.1). Pure functions.

1 permille of duty is 60 mA up to 85 % and 250 mA above. A duty offered never reads back as more
than was meant: between 51 A and 52.75 A the standard has no duty of its own, so 51 A is offered.
"""

OFF = 1000  # steady +12 V: no current offered (X1)
UNAVAILABLE = 0  # steady -12 V: state F
DIGITAL = 50  # 5 %: ISO 15118 decides
LEAST_MA = 6000


def duty_for_current(current_ma: int) -> int:
    """Return the duty in permille that offers current_ma (0..80000 mA); below 6 A nothing is offered."""
    if current_ma < LEAST_MA:
        return OFF
    if current_ma <= 51000:
        return current_ma // 60
    duty = current_ma // 250 + 640
    if duty < 850:
        return 850
    if duty > 960:
        return 960
    return duty


def current_for_duty(duty_permille: int) -> int:
    """Return the current in mA that a duty offers; 0 for none, error and 5 % digital alike."""
    if duty_permille < 80 or duty_permille > 970:
        return 0
    if duty_permille < 100:
        return LEAST_MA
    if duty_permille <= 850:
        return duty_permille * 60
    if duty_permille <= 960:
        return (duty_permille - 640) * 250
    return 80000


def is_digital(duty_permille: int) -> bool:
    """Return whether a duty asks for digital communication (3 % to 7 %)."""
    return 30 <= duty_permille <= 70
