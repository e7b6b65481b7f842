# SPDX-License-Identifier: MIT
"""How much reactive power may be asked for under a profile, and how slow its answer may be, whoever asks."""

MOST_PERMILLE = 440  # of the rating: what IEEE 1547 asks of category B, and most inverters have
# From a cycle to the inverter's new reactive current; beyond it active anti-islanding misses islands.
SLOWEST_MS = 115  # docs/loss-of-mains.md


def most_reactive_permille(profile) -> int:
    """Return the most reactive power, permille of the rating: 440, or what the code's own volt-var curve asks for."""
    most = MOST_PERMILLE
    enabled, _voltages_mv, shares = profile.volt_var
    if enabled:
        for share in shares:
            most = max(most, abs(share))
    return most
