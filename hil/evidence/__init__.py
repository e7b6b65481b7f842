# SPDX-License-Identifier: MIT
"""Cases of grid protection, generated from profile data and run through the whole firmware."""
