# SPDX-License-Identifier: MIT
"""Limiter from the site meter: the connection's import and export limits go before every service.

What the rest of the site takes is the meter's reading less our own power at that moment. A meter and our own reading
are never of the same instant, so the worse of the last two readings counts. A silent meter allows nothing on the side
that has a limit: unknown is not room.
"""

from evse.faults import REASON_METER_STALE, REASON_SITE_LIMIT
from evse.limit.limiter import UNLIMITED_W, Limiter

OFF = -1  # export limit: not watched; 0 W is a zero-export site


class SiteLimit(Limiter):
    """Room left by settings.site_import_limit_w (0 = off) and site_export_limit_w (-1 = off). Every 50 ms."""

    def __init__(self, image, settings):
        super().__init__(REASON_SITE_LIMIT)
        self._inputs = image.inputs
        self._settings = settings
        self._age_ms = 0
        self._others_w = 0  # the rest of the site, + takes
        self._before_w = 0  # in the reading before

    def run(self) -> None:
        settings = self._settings
        import_limit_w = settings.site_import_limit_w
        export_limit_w = settings.site_export_limit_w
        inputs = self._inputs
        known = inputs.meter_ok
        if known and inputs.meter_age_ms <= self._age_ms:
            self._before_w = self._others_w
            self._others_w = inputs.meter_w - (inputs.grid_w if inputs.afe_ok else inputs.inverter_w)
        self._age_ms = inputs.meter_age_ms
        self.import_reason = REASON_SITE_LIMIT if known else REASON_METER_STALE
        self.export_reason = self.import_reason
        room_w = import_limit_w - max(self._others_w, self._before_w) if known else 0
        self.import_w = self._room(room_w) if import_limit_w else UNLIMITED_W
        room_w = export_limit_w + min(self._others_w, self._before_w) if known else 0
        self.export_w = self._room(room_w) if export_limit_w != OFF else UNLIMITED_W

    def _room(self, room_w: int) -> int:
        """Return a room within 0..UNLIMITED_W."""
        return min(max(0, room_w), UNLIMITED_W)
