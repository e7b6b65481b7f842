# SPDX-License-Identifier: MIT
"""Say in one sentence why power is not what was wanted, from the image alone. For the console; not in the cycle.

The first cause that alone would stop power is named, in the order in which a person has to deal
with them: faults, trip, vehicle, user, grid wait, contactor, then the limiter that won.
"""

from evse import faults
from evse.faults import ELEMENTS, FAULTS, REASONS, SERVICES
from evse.fixed import DAY_MINUTES, SHORTEST_DAY_MINUTES

# What a number in a trip is shown in: unit of the table -> (shown unit, divisor, decimals).
UNITS = {"mV": ("V", 1000, 1), "uHz": ("Hz", 1000000, 3), "mHz/s": ("Hz/s", 1000, 2), "mdeg": ("degrees", 1000, 1)}

STANDING_W = 300  # more than AFE and inverter may differ by behind an open contactor

# What broke the last wait off: element -> how the sentence begins.
DISTURBED = {
    faults.ELEMENT_AFE: "The grid measurement (AFE) was lost",
    faults.ELEMENT_UV1: "The grid's voltage was too low",
    faults.ELEMENT_OV1: "The grid's voltage was too high",
    faults.ELEMENT_UF1: "The grid's frequency was too low or not seen",
    faults.ELEMENT_OF1: "The grid's frequency was too high",
}


def why(image, settings) -> str:
    """Return one sentence that explains the power of this moment."""
    for code in range(1, len(FAULTS)):
        if image.status.fault[code]:
            return _fault(image, code)
    for explain in (_starting, _tripped, _vehicle, _user, _grid, _contactor):
        sentence = explain(image, settings)
        if sentence:
            return sentence
    return _limited(image, settings)


def _fault(image, code: int) -> str:
    more = image.status.fault_count - 1
    others = " (and %d more: see `faults`)" % more if more > 0 else ""
    text = FAULTS[code][3]
    if code == faults.FAULT_CONTACTOR_VOLTAGE and _stands_still(image.inputs, image.outputs):
        text = (
            "behind the open contactor the inverter tells %d W, the front end %d W: "
            "its readings stand still and cannot rule out a weld."
        ) % (image.inputs.inverter_w, image.inputs.grid_w)
    return "Fault %s%s: %s" % (FAULTS[code][0], others, text)


def _stands_still(inputs, outputs) -> bool:
    """Whether the inverter repeats power of a time when the contactor was closed: its voltage is then as old."""
    behind_open = not outputs.contactor and inputs.inverter_ok and inputs.afe_ok
    return bool(behind_open and abs(inputs.inverter_w - inputs.grid_w) > STANDING_W)


def shown(value: int, unit: str) -> str:
    """Return a measured value as a person reads it: 253400 mV -> 253.4 V."""
    if unit not in UNITS:
        return "%d %s" % (value, unit)
    name, divisor, decimals = UNITS[unit]
    sign = "-" if value < 0 else ""
    value = abs(value)
    digits = value % divisor * 10**decimals // divisor
    text = str(digits)
    return "%s%d.%s%s %s" % (sign, value // divisor, "0" * (decimals - len(text)), text, name)


def _starting(image, settings) -> str:
    if image.status.selftest == 0:
        return "Starting: the self-test is still running."
    return ""


def _tripped(image, settings) -> str:
    protection = image.protection
    if not protection.trip:
        return ""
    name, _, unit = ELEMENTS[protection.trip_element]
    phase = " on L%d" % protection.trip_phase if protection.trip_phase else ""
    text = "Grid protection tripped: %s%s" % (name, phase)
    if unit:
        value, threshold = shown(protection.trip_value, unit), shown(protection.trip_threshold, unit)
        text += " at %s, threshold %s" % (value, threshold)
    return text + _since_trip(image, settings)


def _since_trip(image, settings) -> str:
    """Return what keeps a tripped charger off now, and the full stop."""
    if image.inputs.afe_ok and image.protection.unhealthy:
        return "; still outside the limits: %s." % _outside(image.inputs, settings, image.protection.unhealthy)
    if image.inputs.afe_ok and image.protection.wait_ms > 0:
        return "; %d s more of a healthy grid until reconnecting." % ((image.protection.wait_ms + 999) // 1000)
    return "."


def _vehicle(image, settings) -> str:
    pilot = image.inputs.pilot_state
    if pilot == faults.PILOT_A:
        return "No vehicle is plugged in."
    if pilot in (faults.PILOT_UNKNOWN, faults.PILOT_E, faults.PILOT_F):
        return "The control pilot shows no vehicle: its state is %s." % faults.PILOT_STATES[pilot]
    if pilot == faults.PILOT_D and not settings.ventilation:
        return "The vehicle asks for ventilation and none is fitted."
    return ""


def _user(image, settings) -> str:
    if image.status.locked:
        return "The charger is locked by its user: `lock 0` unlocks it."
    if image.request.session_state == faults.SESSION_STOPPING:
        return "Stopping: power goes to zero before the contactor opens."
    if image.request.reason == faults.REASON_USER_STOP:
        return "Stopped by its user: `stop 0` carries on."
    return ""


def _grid(image, settings) -> str:
    protection = image.protection
    inputs = image.inputs
    if inputs.afe_ok and protection.service and not protection.inhibit:
        return ""
    if not inputs.afe_ok:
        return "No fresh grid measurement: power waits for the AFE."
    unseen = protection.unhealthy == faults.ELEMENT_UF1 and not inputs.frequency_ok
    lost = protection.wait_element == faults.ELEMENT_AFE and (unseen or protection.unhealthy == faults.ELEMENT_AFE)
    if not lost:
        disturbed = _disturbed(image, settings)
        if disturbed:
            return disturbed
    wait_s = (protection.wait_ms + 999) // 1000
    before = DISTURBED.get(protection.wait_element)
    if before:
        return "%s: the grid must stay healthy for %d s more before reconnecting." % (before, wait_s)
    return "Waiting %d s more for the grid to stay healthy before reconnecting." % wait_s


def _disturbed(image, settings) -> str:
    """Return what about the grid forbids to connect at this moment, or ""."""
    protection = image.protection
    if protection.unhealthy:
        what = _outside(image.inputs, settings, protection.unhealthy)
        return "The grid is outside the limits for reconnecting: %s." % what
    for element in range(1, len(ELEMENTS)):
        if protection.element_active[element]:
            return "The grid protection's element %s has not reset: reconnecting waits for it." % ELEMENTS[element][0]
    return ""


def _outside(inputs, settings, element: int) -> str:
    """Return the value that is outside the window, with the phase it was measured on."""
    if element == faults.ELEMENT_UF1 or element == faults.ELEMENT_OF1:
        return "frequency %s" % shown(inputs.frequency_uhz, "uHz") if inputs.frequency_ok else "no frequency is seen"
    volts = inputs.phase_mv[: settings.phases]
    mv = min(volts) if element == faults.ELEMENT_UV1 else max(volts)
    return "voltage %s on L%d" % (shown(mv, "mV"), volts.index(mv) + 1)


def _contactor(image, settings) -> str:
    if image.inputs.pilot_state == faults.PILOT_B:
        return "The vehicle is plugged in but does not ask for power."
    if image.outputs.closed:
        return ""
    if image.request.reason == faults.REASON_CABLE:
        return "The cable coding allows no current: seat the plug or check the cable."
    if not image.inputs.inverter_ok and not settings.inverter_wake_s:
        return "The inverter has not answered for %d ms: the contactor stays open." % image.inputs.inverter_age_ms
    if not image.protection.may_close:
        return _disturbed(image, settings)
    if image.outputs.across_doubt:
        return "The inverter's terminals are not shown dead (%s) behind the open contactor: closing waits." % shown(
            image.inputs.inverter_mv, "mV"
        )
    return "The contactor is not closed yet: the closing sequence is running."


def _limited(image, settings) -> str:
    """Power flows or could flow: which limiter or service decides."""
    reason = image.limits.reason
    allowed = "%d W wanted, %d W allowed" % (image.request.want_w, image.limits.allowed_w)
    explain = DETAILS.get(reason)
    if explain:
        return explain(image, settings, allowed)
    if reason == faults.REASON_NONE:
        return "Nothing limits the power: %s by %s." % (allowed, SERVICES[image.request.owner])
    return "%s: %s." % (REASONS[reason][1].rstrip("."), allowed)


def _soc(permille: int) -> str:
    return "%d.%d %%" % (permille // 10, permille % 10)


def _soc_floor(image, settings, allowed: str) -> str:
    return "Battery is at %s, its minimum is %s: no export until %s." % (
        _soc(image.inputs.soc_permille),
        _soc(settings.soc_floor_permille),
        _soc(settings.soc_floor_permille + settings.soc_hysteresis_permille),
    )


def _soc_reserve(image, settings, allowed: str) -> str:
    return "Battery is at %s, the driver's reserve is %s: no export." % (
        _soc(image.inputs.soc_permille),
        _soc(settings.soc_reserve_permille),
    )


def _soc_max(image, settings, allowed: str) -> str:
    return "Battery is at %s, its maximum is %s: no charging." % (
        _soc(image.inputs.soc_permille),
        _soc(settings.soc_max_permille),
    )


def _soc_stale(image, settings, allowed: str) -> str:
    return "The last battery charge reading is %d s old, %d s is allowed: no export." % (
        image.inputs.soc_age_ms // 1000,
        settings.soc_stale_ms // 1000,
    )


def _lease_expired(image, settings, allowed: str) -> str:
    return "The remote setpoint's lease ran out: power stays at zero until a new setpoint or a word of the user."


def _budget(image, settings, allowed: str) -> str:
    budget = image.budget
    text = "Today's discharge budget is used up: %d of %d Wh" % (budget.day_discharge_wh, settings.discharge_budget_wh)
    least = DAY_MINUTES if image.request.minute_of_week < 0 else SHORTEST_DAY_MINUTES
    left = least - budget.day_run_minutes
    return text + ("; renewed in %d min of running at the earliest." % left if left > 0 else ".")


def _battery_temperature(image, settings, allowed: str) -> str:
    return "Battery is at %s, its window is %s to %s: no power." % (
        _celsius(image.inputs.battery_cdeg),
        _celsius(settings.battery_cold_cdeg),
        _celsius(settings.battery_hot_cdeg),
    )


def _celsius(cdeg: int) -> str:
    sign = "-" if cdeg < 0 else ""
    return "%s%d.%d C" % (sign, abs(cdeg) // 100, abs(cdeg) % 100 // 10)


def _temperature(image, settings, allowed: str) -> str:
    return "Temperature reduces the power: board %s, connector %s, %s." % (
        _celsius(image.inputs.board_cdeg),
        _celsius(image.inputs.connector_cdeg),
        allowed,
    )


def _volt_watt(image, settings, allowed: str) -> str:
    highest_mv = max(image.inputs.phase_mv)
    return "Grid voltage is high (%s), export is reduced: %s." % (shown(highest_mv, "mV"), allowed)


def _site(image, settings, allowed: str) -> str:
    return "The site meter reads %d W and the connection's limit comes first: %s." % (image.inputs.meter_w, allowed)


def _meter_stale(image, settings, allowed: str) -> str:
    return "The site meter has been silent for %d ms, so the connection's limit allows no power: %s." % (
        image.inputs.meter_age_ms,
        allowed,
    )


def _v2x(image, settings, allowed: str) -> str:
    return "The vehicle needs %d Wh more before it allows discharge." % image.inputs.v2x_min_request_wh


def _departure(image, settings, allowed: str) -> str:
    request = image.request
    if request.departure_state == faults.DEPARTURE_CLOCK_UNKNOWN:
        return "The clock is unknown, so charging for departure starts at once: %s." % allowed
    if request.departure_state == faults.DEPARTURE_UNREACHABLE:
        return "Departure is in %d min and only %s can be reached: charging comes first." % (
            request.departure_minutes,
            _soc(request.departure_soc_permille),
        )
    return "Departure is in %d min: charging to %s comes first." % (
        request.departure_minutes,
        _soc(request.departure_soc_permille),
    )


def _droop(image, settings, allowed: str) -> str:
    return "Grid frequency is %s: the frequency response changes the power by %d W." % (
        shown(image.inputs.frequency_uhz, "uHz"),
        image.request.droop_w,
    )


DETAILS = {
    faults.REASON_SOC_FLOOR: _soc_floor,
    faults.REASON_SOC_RESERVE: _soc_reserve,
    faults.REASON_SOC_MAX: _soc_max,
    faults.REASON_SOC_STALE: _soc_stale,
    faults.REASON_LEASE_EXPIRED: _lease_expired,
    faults.REASON_DAILY_BUDGET: _budget,
    faults.REASON_BATTERY_TEMPERATURE: _battery_temperature,
    faults.REASON_TEMPERATURE: _temperature,
    faults.REASON_VOLT_WATT: _volt_watt,
    faults.REASON_V2X_REQUEST: _v2x,
    faults.REASON_SITE_LIMIT: _site,
    faults.REASON_METER_STALE: _meter_stale,
    faults.REASON_DEPARTURE: _departure,
    faults.REASON_DROOP: _droop,
}
