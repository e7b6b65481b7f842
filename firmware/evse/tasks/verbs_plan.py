# SPDX-License-Identifier: MIT
"""Console verb for departure: plan."""

from evse.faults import DEPARTURE_STATES
from evse.fixed import DAY_MINUTES
from evse.tasks.verbs import VerbError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


async def plan(session, words) -> str:
    if words:
        _order(session, words)
    request = session.station.image.request
    settings = session.station.settings
    for day in range(7):
        minute = getattr(settings, "departure_%s_minute" % DAYS[day].lower())
        if minute >= 0:
            await session.line("%s %02d:%02d charge to %d permille" % (
                DAYS[day], minute // 60, minute % 60, settings.departure_soc_permille))  # fmt: skip
    return "departure=%s in=%d min reachable=%d permille" % (
        DEPARTURE_STATES[request.departure_state],
        request.departure_minutes,
        request.departure_soc_permille,
    )


def _order(session, words) -> None:
    """Order a one-off departure, or withdraw it; it outlives a restart."""
    usage = "plan [soc_permille hh:mm|off], such as `plan 800 07:30`"
    request = session.station.image.request
    one_off = session.station.one_off
    if words == ["off"]:
        one_off.withdraw()
        return
    hour, colon, minutes = words[1].partition(":") if len(words) == 2 else ("", "", "")
    if not (words[0].isdigit() and colon and hour.isdigit() and minutes.isdigit() and len(words[1]) <= 5):
        raise VerbError("usage", usage)
    soc_permille, minute = int(words[0][:5]), int(hour) * 60 + int(minutes)
    if not 1 <= soc_permille <= 1000 or minute >= DAY_MINUTES or int(minutes) > 59:
        raise VerbError("usage", "soc_permille 1..1000 and a time 00:00..23:59; " + usage)
    now = request.minute_of_week
    now_s = session.station.clock.now_s()
    if now < 0 or now_s is None:
        raise VerbError("state", "the time of day is unknown; set it with `time`")
    minute += now - now % DAY_MINUTES
    if minute <= now:
        minute += DAY_MINUTES
    one_off.order(soc_permille, minute, now, now_s)
