# SPDX-License-Identifier: MIT
"""What must survive a power cut: settings, events, energy, trips and sessions, in FRAM."""
