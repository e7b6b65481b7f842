# SPDX-License-Identifier: MIT
"""ONE table of every setting, measurement and command.

Console, MQTT, settings store, host tools and generated docs all read it; nothing is named twice.
Plain data, importable on CPython. One row a point:

    (name, kind, unit, low, high, default, access, path, text)

name: unit included, unique, stable. kind: SETTING, MEASUREMENT or COMMAND. low..high: allowed range;
for text settings the length; a tuple of words in `low` means a choice of those. default: settings
only. access: who may write (settings, commands) or read. path: where a measurement lives in the
image, "object.attribute" or "object.attribute.index".
"""

SETTING, MEASUREMENT, COMMAND = 0, 1, 2
KINDS = ("setting", "measurement", "command")

VIEW, USER, INSTALLER = 0, 1, 2
ACCESS = ("view", "user", "installer")

# Columns of a row.
NAME, KIND, UNIT, LOW, HIGH, DEFAULT, WHO, PATH, TEXT = range(9)

PROFILE_NAMES = (
    "uk_g98",
    "uk_g99",
    "en50549_1",
    "vde_4105_2018",
    "ieee1547_cat_b",
    "ieee1547_cat_1",
    "ieee1547_cat_2",
    "ieee1547_cat_3",
    "ca_rule21",
    "as4777_a",
    "as4777_b",
    "as4777_c",
    "nz_4777",
    "cei_0_21",
    "denmark",
    "spain_rd1699",
    "japan_50",
    "japan_60",
)

SETTINGS = (
    # Grid connection
    ("profile", SETTING, "", PROFILE_NAMES, 0, "uk_g98", INSTALLER, "", "Grid code profile."),
    ("profile_changes", SETTING, "", 0, 200, "", INSTALLER, "", "Changes the code allows: ov1.delay_ms=1500,..."),
    ("phases", SETTING, "", 1, 3, 1, INSTALLER, "", "Phases connected."),
    ("import_rating_w", SETTING, "W", 0, 22080, 7360, INSTALLER, "", "Most power drawn from the grid."),
    ("export_rating_w", SETTING, "W", 0, 22080, 7360, INSTALLER, "", "Most power exported; 0 forbids export."),
    ("droop_enable", SETTING, "", 0, 1, 1, INSTALLER, "", "1: answer grid frequency as the profile says."),
    # Active anti-islanding
    ("islanding_enable", SETTING, "", 0, 1, 1, INSTALLER, "", "1: ask for loss of mains with reactive power."),
    ("islanding_perturb_permille", SETTING, "permille", 5, 20, 15, INSTALLER, "", "Quiet push, share of the export."),
    ("islanding_probe_permille", SETTING, "permille", 80, 200, 120, INSTALLER, "", "Loud push, share of the export."),
    ("islanding_gain_permille_hz", SETTING, "permille/Hz", 0, 200, 100, INSTALLER, "", "Positive feedback; 0 = off."),
    ("islanding_half_ms", SETTING, "ms", 80, 200, 100, INSTALLER, "", "Mean half period of the quiet push."),
    # Battery
    ("soc_floor_permille", SETTING, "permille", 100, 500, 200, USER, "", "No export at or below this charge."),
    (
        "soc_hysteresis_permille",
        SETTING,
        "permille",
        10,
        100,
        20,
        INSTALLER,
        "",
        "Export resumes this far above the floor.",
    ),
    (
        "soc_taper_permille",
        SETTING,
        "permille",
        0,
        200,
        50,
        INSTALLER,
        "",
        "Export tapers over this span above the floor.",
    ),
    ("soc_max_permille", SETTING, "permille", 500, 1000, 970, USER, "", "No import at or above this charge."),
    ("soc_stale_ms", SETTING, "ms", 1000, 120000, 30000, INSTALLER, "", "Older charge readings forbid export."),
    ("soc_reserve_permille", SETTING, "permille", 0, 900, 0, USER, "", "Driver's reserve: no export below; 0 = none."),
    ("battery_capacity_wh", SETTING, "Wh", 5000, 300000, 60000, USER, "", "Usable energy of the vehicle's battery."),
    ("battery_cold_cdeg", SETTING, "cdeg", -4000, 2500, -1000, INSTALLER, "", "No power with a colder battery."),
    ("battery_hot_cdeg", SETTING, "cdeg", 2500, 7000, 5000, INSTALLER, "", "No power with a hotter battery."),
    ("discharge_budget_wh", SETTING, "Wh", 0, 300000, 0, USER, "", "Most energy exported in a day; 0 = no limit."),
    # Temperature of the charger
    ("board_derate_cdeg", SETTING, "cdeg", 3000, 9000, 6500, INSTALLER, "", "Power falls above: board."),
    ("board_stop_cdeg", SETTING, "cdeg", 3500, 10000, 8000, INSTALLER, "", "Power stops at: board."),
    ("connector_derate_cdeg", SETTING, "cdeg", 3000, 9000, 6000, INSTALLER, "", "Power falls above: connector."),
    ("connector_stop_cdeg", SETTING, "cdeg", 3500, 10000, 7500, INSTALLER, "", "Power stops at: connector."),
    # Ramps, share of rating a minute: 10 permille/min = 1 %/min; 0 = step
    ("ramp_up_permille_min", SETTING, "permille/min", 0, 600000, 6000, INSTALLER, "", "Fastest rise of import."),
    ("ramp_export_permille_min", SETTING, "permille/min", 0, 600000, 6000, INSTALLER, "", "Fastest rise of export."),
    ("ramp_down_permille_min", SETTING, "permille/min", 0, 600000, 30000, INSTALLER, "", "Fastest fall towards zero."),
    ("ramp_droop_permille_min", SETTING, "permille/min", 0, 600000, 0, INSTALLER, "", "Fastest frequency response."),
    # Pilot and cable
    ("cable_family", SETTING, "", ("tethered", "iec", "j1772"), 0, "tethered", INSTALLER, "", "Proximity coding."),
    ("cable_ma", SETTING, "mA", 6000, 80000, 32000, INSTALLER, "", "Rating of a tethered or J1772 cable."),
    ("pilot_digital", SETTING, "", 0, 1, 0, INSTALLER, "", "1: offer 5 % duty for ISO 15118."),
    ("ventilation", SETTING, "", 0, 1, 0, INSTALLER, "", "1: the site is ventilated, state D may charge."),
    # Departure: minute of the day, -1 = none
    ("departure_soc_permille", SETTING, "permille", 0, 1000, 0, USER, "", "Charge wanted at departure; 0 = off."),
    ("departure_mon_minute", SETTING, "min", -1, 1439, -1, USER, "", "Departure on Monday."),
    ("departure_tue_minute", SETTING, "min", -1, 1439, -1, USER, "", "Departure on Tuesday."),
    ("departure_wed_minute", SETTING, "min", -1, 1439, -1, USER, "", "Departure on Wednesday."),
    ("departure_thu_minute", SETTING, "min", -1, 1439, -1, USER, "", "Departure on Thursday."),
    ("departure_fri_minute", SETTING, "min", -1, 1439, -1, USER, "", "Departure on Friday."),
    ("departure_sat_minute", SETTING, "min", -1, 1439, -1, USER, "", "Departure on Saturday."),
    ("departure_sun_minute", SETTING, "min", -1, 1439, -1, USER, "", "Departure on Sunday."),
    ("charge_taper_permille", SETTING, "permille", 500, 1000, 800, USER, "", "Vehicle charges slower above this."),
    # What the user wants when nobody else does
    ("charge_w", SETTING, "W", 0, 22080, 7360, USER, "", "Charging power when nobody else asks."),
    # Inverter link
    ("inverter_address", SETTING, "", 1, 247, 1, INSTALLER, "", "Modbus unit id of the inverter."),
    ("inverter_baud", SETTING, "Bd", 9600, 115200, 115200, INSTALLER, "", "RS-485 speed of the inverter."),
    ("inverter_stale_ms", SETTING, "ms", 500, 10000, 2000, INSTALLER, "", "Older inverter data stop power."),
    (
        "inverter_lease_ms",
        SETTING,
        "ms",
        2000,
        10000,
        4000,
        INSTALLER,
        "",
        "The inverter returns to zero by itself after this.",
    ),
    # Network
    ("wifi_ssid", SETTING, "", 0, 32, "", INSTALLER, "", "Wi-Fi name; empty: radio off. After reboot."),
    ("wifi_password", SETTING, "secret", 0, 63, "", INSTALLER, "", "Wi-Fi password; never shown. After reboot."),
    ("device_id", SETTING, "", 1, 32, "backfeed", INSTALLER, "", "Name in MQTT topics."),
    ("mqtt_host", SETTING, "", 0, 64, "", INSTALLER, "", "Brokers host[:port],...; empty: MQTT off."),
    ("mqtt_port", SETTING, "", 1, 65535, 1883, INSTALLER, "", "Broker port."),
    ("mqtt_user", SETTING, "", 0, 64, "", INSTALLER, "", "Broker user."),
    ("mqtt_password", SETTING, "secret", 0, 64, "", INSTALLER, "", "Broker password; never shown."),
    ("telemetry_ms", SETTING, "ms", 100, 3600000, 1000, USER, "", "Time between telemetry messages."),
    (
        "lease_max_ms",
        SETTING,
        "ms",
        1000,
        86400000,
        3600000,
        INSTALLER,
        "",
        "Longest lease a remote setpoint may ask for.",
    ),
    ("mqtt_tls", SETTING, "", 0, 1, 0, INSTALLER, "", "1: TLS; certs/ca.der, client.der, client.key."),
    ("mqtt_access", SETTING, "", ("view", "user"), 0, "user", INSTALLER, "", "What MQTT may do."),
    ("discovery_prefix", SETTING, "", 0, 32, "homeassistant", INSTALLER, "", "Home Assistant; empty: off."),
    ("utc_offset_min", SETTING, "min", -720, 840, 0, USER, "", "Standard time's offset from UTC."),
    ("summer_time", SETTING, "", ("none", "eu", "us"), 0, "none", USER, "", "Summer time rule."),
    ("ntp_host", SETTING, "", 0, 64, "", INSTALLER, "", "Time server; empty switches NTP off."),
)

MEASUREMENTS = (
    ("voltage_l1_mv", MEASUREMENT, "mV", 0, 400000, None, VIEW, "inputs.phase_mv.0", "Grid voltage L1, one-cycle RMS."),
    ("voltage_l2_mv", MEASUREMENT, "mV", 0, 400000, None, VIEW, "inputs.phase_mv.1", "Grid voltage L2."),
    ("voltage_l3_mv", MEASUREMENT, "mV", 0, 400000, None, VIEW, "inputs.phase_mv.2", "Grid voltage L3."),
    ("frequency_uhz", MEASUREMENT, "uHz", 0, 70000000, None, VIEW, "inputs.frequency_uhz", "Grid frequency."),
    (
        "rocof_mhz_s",
        MEASUREMENT,
        "mHz/s",
        -100000,
        100000,
        None,
        VIEW,
        "inputs.rocof_mhz_s",
        "Rate of change of frequency.",
    ),
    ("grid_w", MEASUREMENT, "W", -30000, 30000, None, VIEW, "inputs.grid_w", "Power at the charger, + import."),
    ("grid_var", MEASUREMENT, "var", -30000, 30000, None, VIEW, "inputs.grid_var", "Reactive power, + absorbed."),
    ("inverter_w", MEASUREMENT, "W", -30000, 30000, None, VIEW, "inputs.inverter_w", "Power the inverter reports."),
    ("soc_permille", MEASUREMENT, "permille", 0, 1000, None, VIEW, "inputs.soc_permille", "Battery charge."),
    ("soc_ok", MEASUREMENT, "", 0, 1, None, VIEW, "inputs.soc_ok", "1: battery charge is known and fresh."),
    ("pilot_state", MEASUREMENT, "pilot_state", 0, 6, None, VIEW, "inputs.pilot_state", "Control pilot state."),
    ("session_state", MEASUREMENT, "session_state", 0, 8, None, VIEW, "request.session_state", "Session state."),
    ("wanted_w", MEASUREMENT, "W", -30000, 30000, None, VIEW, "request.want_w", "Power wanted."),
    ("owner", MEASUREMENT, "service", 0, 7, None, VIEW, "request.owner", "Service that owns the power."),
    ("lease_ms", MEASUREMENT, "ms", 0, 86400000, None, VIEW, "request.lease_ms", "Left on the remote setpoint."),
    ("allowed_w", MEASUREMENT, "W", -30000, 30000, None, VIEW, "limits.allowed_w", "Power allowed."),
    ("reason", MEASUREMENT, "reason", 0, 99, None, VIEW, "limits.reason", "Why power is less than wanted."),
    ("trip", MEASUREMENT, "", 0, 1, None, VIEW, "protection.trip", "1: grid protection has tripped."),
    (
        "trip_element",
        MEASUREMENT,
        "element",
        0,
        15,
        None,
        VIEW,
        "protection.trip_element",
        "Element that tripped last.",
    ),
    ("service", MEASUREMENT, "", 0, 1, None, VIEW, "protection.service", "1: the grid has been healthy long enough."),
    ("wait_ms", MEASUREMENT, "ms", 0, 3600000, None, VIEW, "protection.wait_ms", "Left before power may return."),
    ("contactor", MEASUREMENT, "", 0, 1, None, VIEW, "outputs.contactor", "1: contactor coil is driven."),
    ("gate_up", MEASUREMENT, "", 0, 1, None, VIEW, "inputs.gate_up", "1: the hardware safety gate is up."),
    (
        "departure_state",
        MEASUREMENT,
        "departure_state",
        0,
        6,
        None,
        VIEW,
        "request.departure_state",
        "Where departure charging stands.",
    ),
    ("departure_minutes", MEASUREMENT, "min", 0, 10080, None, VIEW, "request.departure_minutes", "Until departure."),
    (
        "departure_soc_permille_reachable",
        MEASUREMENT,
        "permille",
        0,
        1000,
        None,
        VIEW,
        "request.departure_soc_permille",
        "Charge reachable by departure.",
    ),
    ("day_discharge_wh", MEASUREMENT, "Wh", 0, 1 << 29, None, VIEW, "budget.day_discharge_wh", "Exported today."),
    ("charged_wh", MEASUREMENT, "Wh", 0, 1 << 29, None, VIEW, "budget.charged_wh", "Charged in its lifetime."),
    ("discharged_wh", MEASUREMENT, "Wh", 0, 1 << 29, None, VIEW, "budget.discharged_wh", "Discharged in its lifetime."),
    ("battery_cycles_milli", MEASUREMENT, "", 0, 1 << 29, None, VIEW, "budget.cycles_milli", "Full cycles, 1/1000."),
    ("pilot_high_mv", MEASUREMENT, "mV", -15000, 15000, None, VIEW, "inputs.pilot_high_mv", "Pilot, positive peak."),
    ("pilot_low_mv", MEASUREMENT, "mV", -15000, 15000, None, VIEW, "inputs.pilot_low_mv", "Pilot, negative peak."),
    ("cable_ma_coded", MEASUREMENT, "mA", 0, 80000, None, VIEW, "inputs.cable_ma", "Current the cable may carry."),
    ("import_room_w", MEASUREMENT, "W", 0, 30000, None, VIEW, "limits.import_w", "Room for import now."),
    ("export_room_w", MEASUREMENT, "W", 0, 30000, None, VIEW, "limits.export_w", "Room for export now."),
    ("fault_count", MEASUREMENT, "", 0, 99, None, VIEW, "status.fault_count", "Active faults."),
    ("locked", MEASUREMENT, "", 0, 1, None, VIEW, "status.locked", "1: the charger is locked by its user."),
    ("cycles", MEASUREMENT, "", 0, 1 << 30, None, VIEW, "status.cycles", "Cycles since boot."),
    ("overruns", MEASUREMENT, "", 0, 1 << 30, None, VIEW, "status.overruns", "Cycles over their time budget."),
    ("late_worst_us", MEASUREMENT, "us", 0, 1 << 30, None, VIEW, "status.late_worst_us", "Worst lateness of a cycle."),
)

COMMANDS = (
    ("setpoint", COMMAND, "W", -22080, 22080, None, USER, "", "Hold a power for a duration: power_w, duration_s."),
    ("stop", COMMAND, "", 0, 1, None, USER, "", "1: stop and open; 0: carry on."),
    ("lock", COMMAND, "", 0, 1, None, USER, "", "1: refuse all power; 0: unlock."),
    ("clear", COMMAND, "", 0, 1, None, USER, "", "Clear faults whose cause is gone."),
    ("time", COMMAND, "s", 1704067200, 4102444799, None, USER, "", "Set the time of day: unix_s."),
)

POINTS = SETTINGS + MEASUREMENTS + COMMANDS


def find(name: str):
    """Return the row of a point, or None."""
    for row in POINTS:
        if row[NAME] == name:
            return row
    return None
