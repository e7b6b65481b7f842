# SPDX-License-Identifier: MIT
"""What a board's contactor, wiring and connector carry."""


class Ratings:
    """import_w, export_w: magnitudes in W. current_ma: per phase."""

    def __init__(self, ratings):
        self.import_w = ratings["import_w"]
        self.export_w = ratings["export_w"]
        self.current_ma = ratings["current_ma"]
