# SPDX-License-Identifier: MIT
"""How much reactive power may be asked for under a profile, whoever asks: limit and the active method share it."""

MOST_PERMILLE = 440  # of the rating: what IEEE 1547 asks of category B, and most inverters have


def most_reactive_permille(profile) -> int:
    """Return the most reactive power, permille of the rating: 440, or what the code's own volt-var curve asks for."""
    most = MOST_PERMILLE
    enabled, _voltages_mv, shares = profile.volt_var
    if enabled:
        for share in shares:
            most = max(most, abs(share))
    return most
