# SPDX-License-Identifier: MIT
"""What the cycle refuses when the inverter is slow or takes no reactive setpoint, and what it waits longer for."""

from evse.decide.droop import Droop
from evse.faults import REASON_NONE, REASON_TOO_SLOW
from evse.image import Image
from evse.profiles.loader import load
from evse.sense.inverter import InverterMail
from evse.store.settings import Settings


def deviated(response_ms):
    """Return (droop, image) after a cycle at 51 Hz with an inverter of that speed."""
    image = Image()
    image.inputs.frequency_ok = 1
    image.inputs.frequency_uhz = 51000000
    image.inputs.inverter_response_ms = response_ms
    droop = Droop(image, Settings(), load("uk_g98"))
    droop.run()
    return droop, image


def test_droop_refuses_above_what_the_code_allows_and_comes_back():
    for response_ms in (0, 200, 2000):
        droop, image = deviated(response_ms)
        assert droop.power_w > 0 and image.request.droop_refused == REASON_NONE
    droop, image = deviated(2001)
    assert droop.power_w == 0 and image.request.droop_refused == REASON_TOO_SLOW
    image.inputs.inverter_response_ms = 200
    droop.run()
    assert droop.power_w > 0 and image.request.droop_refused == REASON_NONE


def test_a_slow_device_says_how_long_its_word_holds():
    image = Image()
    settings = Settings()
    mail = InverterMail(image, settings, None, None)
    box = image.mail.inverter
    for stale_ms, good_ms in ((0, settings.inverter_stale_ms), (1, settings.inverter_stale_ms), (10000, 10000)):
        box.begin()
        box.stale_ms = stale_ms
        box.end(image.inputs.now_ms)
        image.inputs.elapsed_ms = 10
        mail.run()
        assert image.inputs.inverter_ok == 1
        image.inputs.elapsed_ms = good_ms
        mail.run()
        assert image.inputs.inverter_ok == 1
        image.inputs.elapsed_ms = 1
        mail.run()
        assert image.inputs.inverter_ok == 0
