# SPDX-License-Identifier: MIT
"""The arbiter: one fixed table says who decides the power. Every cycle.

Fault > loss of mains > vehicle and pilot > departure (when time is short) > remote lease > user.
What SOC, ratings, ramps and grid voltage allow is not decided here: `limit` comes after and can
only take away. Frequency droop is added to the power of whoever may command any; it is the owner
while it moves the power. Writes request.want_w, want_var, owner, droop_w; emits changes of owner.
"""

from evse.faults import (
    EVENT_OWNER,
    REASON_DEPARTURE,
    REASON_DROOP,
    REASON_LEASE_EXPIRED,
    REASON_NO_REQUEST,
    REASON_NONE,
    SERVICE_DEPARTURE,
    SERVICE_DROOP,
    SERVICE_FAULT,
    SERVICE_PROTECT,
    SERVICE_REMOTE,
    SERVICE_USER,
    SERVICE_VEHICLE,
    SESSION_ENERGISED,
)

# Highest first. Those before DEPARTURE claim zero.
PRIORITY = (SERVICE_FAULT, SERVICE_PROTECT, SERVICE_VEHICLE, SERVICE_DEPARTURE, SERVICE_REMOTE, SERVICE_USER)
# One bit a claim, in the order of PRIORITY; the user always claims. OWNERS[claims] is the first that claims.
FAULT_BIT, PROTECT_BIT, VEHICLE_BIT, DEPARTURE_BIT, REMOTE_BIT = 1, 2, 4, 8, 16
DROOP_HOLD_MS = 1000  # ownership returns this long after droop has ended: no flood of events


def first_claim(claims: int) -> int:
    """Return the service of PRIORITY with the first bit set; the user when none is."""
    for place in range(len(PRIORITY) - 1):
        if claims >> place & 1:
            return PRIORITY[place]
    return SERVICE_USER


OWNERS = bytes(first_claim(claims) for claims in range(32))


class Arbiter:
    """Collects claims, lets the first of PRIORITY win and records it."""

    def __init__(self, image, settings):
        self._image = image
        self._inputs = image.inputs
        self._protection = image.protection
        self._status = image.status
        self._request = image.request
        self._settings = settings
        self._droop_ms = DROOP_HOLD_MS
        self._reported_owner = 0

    def run(self, lease, departure, droop, user_w: int) -> None:
        """Decide on this cycle's claims. user_w: power the user wishes, W."""
        self._request.want_var = 0
        owner = OWNERS[self._claims(lease, departure)]
        if owner >= SERVICE_DEPARTURE:
            user_w = self._wanted(owner, lease, user_w)
            owner = self._add_droop(owner, user_w, droop)
        else:
            self._request.droop_w = 0
            self._request.want_w = 0
        self._request.owner = owner
        if owner != self._reported_owner:
            self._report(owner)

    def _report(self, owner: int) -> None:
        self._reported_owner = owner
        self._image.events.emit(self._inputs.now_ms, EVENT_OWNER, owner, self._request.want_w)

    def _claims(self, lease, departure) -> int:
        """Return who claims the power, as bits."""
        protection = self._protection
        claims = REMOTE_BIT if lease.active or lease.ended else 0
        if departure.urgent:
            claims |= DEPARTURE_BIT
        if self._request.session_state != SESSION_ENERGISED:
            claims |= VEHICLE_BIT
        if protection.trip or protection.inhibit:
            claims |= PROTECT_BIT
        if self._status.fault_count:
            claims |= FAULT_BIT
        return claims

    def _wanted(self, owner: int, lease, user_w: int) -> int:
        """Return the base power of the owner and write request.reason, why it is zero."""
        request = self._request
        if owner == SERVICE_DEPARTURE:
            request.reason = REASON_DEPARTURE
            return self._settings.import_rating_w
        if owner == SERVICE_REMOTE:
            if not lease.active:
                request.reason = REASON_LEASE_EXPIRED
                return 0
            request.want_var = lease.reactive_var
            request.reason = REASON_NONE
            return lease.power_w
        request.reason = REASON_NONE if user_w else REASON_NO_REQUEST
        return user_w

    def _add_droop(self, owner: int, base_w: int, droop) -> int:
        """Write want_w and droop_w and return the owner, which is DROOP while frequency moves power."""
        request = self._request
        droop_w = droop.on(base_w)
        request.droop_w = droop_w
        request.want_w = base_w + droop_w
        if droop_w:
            self._droop_ms = 0
            request.reason = REASON_DROOP
            return SERVICE_DROOP
        if self._droop_ms < DROOP_HOLD_MS:
            self._droop_ms += self._inputs.elapsed_ms
            return SERVICE_DROOP
        return owner
