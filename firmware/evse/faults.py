# SPDX-License-Identifier: MIT
"""ONE table of everything that can stop or limit power, and ONE of what the event ring records.

A *fault* opens the contactor. A *reason* limits or refuses power. Both carry a name (stable, for
scripts and MQTT), who sets it, how it clears and a sentence for a person: what it means and what
to do. Plain data, importable on CPython: host tools read it as a table.

Codes are list positions; append only, so that a stored journal keeps its meaning.
"""

# How a fault clears.
AUTO = 0  # by itself, once its cause is gone
PERSON = 1  # by `clear` on the console or over MQTT, once its cause is gone
REPAIR = 2  # only by an installer's `clear`, after the hardware was looked at

CLEARS = ("auto", "person", "repair")

# name, set by, clears, sentence
FAULTS = (
    ("none", "-", AUTO, "No fault."),
    ("estop", "sense", PERSON, "Emergency stop is pressed. Release it, then clear."),
    ("afe_stale", "sense", AUTO, "No fresh grid measurement. Check the AFE's supply and SPI wiring."),
    ("afe_implausible", "sense", AUTO, "Grid measurement is out of range or frozen. Check the AFE."),
    ("pilot_diode", "sense", AUTO, "Control pilot has no diode in the vehicle. Unplug and check the vehicle."),
    ("pilot_short", "sense", AUTO, "Control pilot is shorted to earth or earth is lost. Unplug and check the cable."),
    ("pilot_invalid", "sense", AUTO, "Control pilot voltage is between states. Check cable and pilot driver."),
    ("pilot_generator", "sense", PERSON, "Pilot generator is out of tolerance. Check the +-12 V supply."),
    ("proximity", "sense", AUTO, "Cable coding resistor is not a known value. Check the cable."),
    ("rcd_trip", "actuate", PERSON, "Residual current tripped. Find the leakage before clearing."),
    ("rcd_test", "actuate", PERSON, "Residual current self-test failed. Replace the sensor."),
    ("contactor_weld", "actuate", REPAIR, "Contactor did not open (welded). Switch off upstream and replace it."),
    ("contactor_no_close", "actuate", PERSON, "Contactor did not close in time. Check coil, fuse and mirror contact."),
    ("gate_feedback", "actuate", PERSON, "Safety gate does not follow its edges. Check the monostable."),
    ("over_temperature", "limit", AUTO, "Too hot to go on. Let it cool, check fan and terminals."),
    ("inverter_lost", "sense", AUTO, "Inverter does not answer. Check RS-485 wiring, address and baud rate."),
    ("inverter_alarm", "sense", AUTO, "Inverter reports a fault. Read its alarms with `status`."),
    ("inverter_readback", "actuate", PERSON, "Inverter power does not follow its setpoint. Check its mode and limits."),
    (
        "cycle_late",
        "cycle",
        PERSON,
        "The 10 ms cycle ran late and the safety gate dropped. Report this with `version`.",
    ),
    ("settings", "store", PERSON, "Settings were damaged and defaults are in use. Check them, then clear."),
    ("pilot_stop_ignored", "decide", AUTO, "Vehicle did not stop within 6 s of the stop signal: opened under load."),
    ("selftest", "actuate", PERSON, "Self-test failed at boot. See `selftest`."),
    ("contactor_bounce", "actuate", PERSON, "Contactor bounced while closed. Check coil voltage and terminals."),
    ("contactor_dropout", "actuate", PERSON, "Contactor fell open under load. Check coil, fuse and supply."),
    ("task", "supervisor", PERSON, "A part of the program failed again and again. See `log`, then clear."),
    ("profile", "main", REPAIR, "Grid code profile cannot be used: no power. `set profile`, then reboot."),
    (
        "contactor_voltage",
        "actuate",
        REPAIR,
        "Inverter reports mains behind the open contactor: a weld the mirror hides, or a false reading. Check all.",
    ),
)

# Why power is less than wanted, or zero. name, sentence.
REASONS = (
    ("none", "Nothing limits the power."),
    ("boot", "Starting: inputs are not all fresh yet."),
    ("fault", "A fault is active: see `faults`."),
    ("trip", "Grid protection tripped: see `trips`."),
    ("enter_service", "Waiting for the grid to stay healthy before reconnecting."),
    ("no_vehicle", "No vehicle is plugged in."),
    ("vehicle_not_ready", "The vehicle is plugged in but not ready for power."),
    ("contactor_open", "The contactor is not closed yet."),
    ("soc_floor", "Battery is at its minimum charge: no export."),
    ("soc_unknown", "Battery charge is unknown or too old: no export."),
    ("soc_max", "Battery is at its maximum charge: no import."),
    ("soc_taper", "Battery is near its limit: power tapers."),
    ("rating_import", "Import is at the smallest rating."),
    ("rating_export", "Export is at the smallest rating."),
    ("cable", "The cable or pilot limits the current."),
    ("vehicle_limit", "The vehicle limits the power."),
    ("inverter_limit", "The inverter limits the power."),
    ("temperature", "Temperature reduces the power."),
    ("ramp", "Power is ramping."),
    ("enter_ramp", "Power is ramping after reconnection."),
    ("inverter_stale", "Inverter data is too old: no power."),
    ("lease_expired", "The setpoint's lease ran out: power returns to zero."),
    ("export_disabled", "Export is switched off in settings."),
    ("no_request", "Nobody asks for power."),
    ("droop", "Frequency response changes the power."),
    ("daily_budget", "Today's discharge budget is used up: no export."),
    ("departure", "Charging for departure comes first."),
    ("battery_temperature", "Battery temperature is outside its window."),
    ("v2x_request", "The vehicle does not allow discharge below its V2X energy."),
    ("stopping", "Stopping: power goes to zero before the contactor opens."),
    ("locked", "The charger is locked by its user."),
    ("soc_reserve", "The driver's reserve is reached: no export."),
    ("soc_implausible", "Battery charge reading is implausible: no export."),
    ("momentary_cessation", "Voltage is in the momentary-cessation region: zero current."),
    ("volt_watt", "Grid voltage is high: export is reduced."),
    ("islanding", "Loss of mains is suspected."),
    ("selftest", "Self-test is running."),
    ("ventilation", "The vehicle asks for ventilation and none is fitted."),
    ("user_stop", "Stopped by its user."),
    ("v2x_above", "The battery is above the vehicle's V2X range: no charging."),
    ("soc_stale", "Battery charge reading is too old: no export."),
    ("too_slow", "The inverter answers too slowly for this service."),
    ("no_reactive", "The inverter takes no reactive setpoint."),
    ("site_limit", "The site's connection limit comes first."),
    ("meter_stale", "The site meter is silent: no power on the side it watches."),
)

# What the event ring records: name, what `subject` indexes, unit of `value`.
EVENTS = (
    ("none", "", ""),
    ("boot", "", ""),
    ("fault_set", "fault", ""),
    ("fault_cleared", "fault", ""),
    ("pickup", "element", "element"),
    ("reset", "element", "element"),
    ("trip", "element", "element"),
    ("hold", "element", "element"),
    ("grid_healthy", "", "ms"),
    ("grid_unhealthy", "element", "element"),
    ("service_entered", "", "ms"),
    ("pilot", "pilot_state", "mV"),
    ("session", "session_state", ""),
    ("contactor_closed", "", "ms"),
    ("contactor_opened", "", "ms"),
    ("limit", "reason", "W"),
    ("owner", "service", "W"),
    ("lease", "service", "W"),
    ("lease_end", "service", "W"),
    ("setting", "", ""),
    ("cycle_overrun", "", "us"),
    ("selftest", "", ""),
    ("energy", "", "Wh"),
    ("soc", "reason", "permille"),
    ("departure", "departure_state", "min"),
    ("contactor_retry", "", "count"),
    ("wake_up", "", ""),
    ("setting_was", "", ""),
    ("session_end", "session_end", ""),
    ("text", "", ""),  # in the journal only: a piece of the text of the record after it
    ("broker_refused", "broker_refusal", ""),  # value: its place in mqtt_host, from 0
    ("unlocked", "access", ""),
    ("pin_wrong", "access", "in a row"),
    ("pin_set", "access", ""),
    ("factory_reset", "", ""),
)

# Protection elements: name, ANSI device number, unit of the measured value.
ELEMENTS = (
    ("none", "", ""),
    ("ov1", "59", "mV"),
    ("ov2", "59", "mV"),
    ("ov_mean", "59AVG", "mV"),
    ("uv1", "27", "mV"),
    ("uv2", "27", "mV"),
    ("uv3", "27", "mV"),
    ("of1", "81O", "uHz"),
    ("of2", "81O", "uHz"),
    ("uf1", "81U", "uHz"),
    ("uf2", "81U", "uHz"),
    ("rocof", "81R", "mHz/s"),
    ("vector_shift", "78", "mdeg"),
    ("islanding", "AI", "mHz"),
    ("inverter_trip", "DER", ""),
    ("afe", "AFE", "ms"),
)

SELFTEST_STATES = ("running", "passed", "failed")
PILOT_STATES = ("unknown", "A", "B", "C", "D", "E", "F")
SESSION_STATES = ("boot", "idle", "plugged", "ready", "closing", "energised", "stopping", "tripped", "fault")
DEPARTURE_STATES = ("off", "waiting", "charging", "unreachable", "clock_unknown", "reached", "soc_unknown")
INVERTER_ISLANDING_STATES = ("unknown", "off", "on")  # its own method, as far as it tells
# Why a session's record ends, named as in OCPP 2.1 (ReasonEnumType). Append only.
SESSION_ENDS = (
    "Other",
    "EVDisconnected",
    "StoppedByEV",
    "Local",
    "EmergencyStop",
    "GroundFault",
    "PowerQuality",
    "PowerLoss",
    "Reboot",
)
# Why a broker and this station do not trust each other.
BROKER_REFUSALS = ("none", "tls", "user_or_password", "not_authorised", "subscription")
SERVICES = ("none", "fault", "protect", "vehicle", "departure", "remote", "droop", "user")


def _number(table, prefix: str, into: dict) -> None:
    for code in range(len(table)):
        into[prefix + table[code][0].upper()] = code


# FAULT_ESTOP, REASON_BOOT, EVENT_TRIP, ELEMENT_OV1 ... as module constants, from the tables alone.
_number(FAULTS, "FAULT_", globals())
_number(REASONS, "REASON_", globals())
_number(EVENTS, "EVENT_", globals())
_number(ELEMENTS, "ELEMENT_", globals())

PILOT_UNKNOWN, PILOT_A, PILOT_B, PILOT_C, PILOT_D, PILOT_E, PILOT_F = range(7)
(
    SESSION_BOOT,
    SESSION_IDLE,
    SESSION_PLUGGED,
    SESSION_READY,
    SESSION_CLOSING,
    SESSION_ENERGISED,
    SESSION_STOPPING,
    SESSION_TRIPPED,
    SESSION_FAULT,
) = range(9)
(
    SERVICE_NONE,
    SERVICE_FAULT,
    SERVICE_PROTECT,
    SERVICE_VEHICLE,
    SERVICE_DEPARTURE,
    SERVICE_REMOTE,
    SERVICE_DROOP,
    SERVICE_USER,
) = range(8)
(
    DEPARTURE_OFF,
    DEPARTURE_WAITING,
    DEPARTURE_CHARGING,
    DEPARTURE_UNREACHABLE,
    DEPARTURE_CLOCK_UNKNOWN,
    DEPARTURE_REACHED,
    DEPARTURE_SOC_UNKNOWN,
) = range(7)
BROKER_OK, BROKER_TLS, BROKER_PASSWORD, BROKER_NOT_AUTHORISED, BROKER_SUBSCRIPTION = range(5)
END_OTHER, END_UNPLUGGED, END_BY_EV, END_LOCAL, END_ESTOP, END_GROUND_FAULT, END_GRID, END_POWER_LOSS, END_REBOOT = (
    range(9)
)
