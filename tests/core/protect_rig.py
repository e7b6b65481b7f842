# SPDX-License-Identifier: MIT
"""A profile, settings and an image in service for tests that feed protection by hand."""

from evse.image import Image


class Row:
    def __init__(self, element, threshold, over, delay_ms, reset=1000, clearing=0):
        self.element = element
        self.threshold = threshold
        self.over = over
        self.delay_ms = delay_ms
        self.reset = reset
        self.clearing = clearing


class Profile:
    def __init__(self, **more):
        self.nominal_mv = 230000
        self.nominal_uhz = 50000000
        self.stages = []
        self.volt_var = (0, (), ())
        self.rocof_mhz_s = 0
        self.rocof_delay_ms = 500
        self.mean_mv = 0
        self.vector_shift_mdeg = 0
        self.enter_low_mv, self.enter_high_mv = 210000, 250000
        self.enter_low_uhz, self.enter_high_uhz = 49500000, 50200000
        self.enter_wait_ms = 300
        self.first_wait_ms = 100
        self.enter_random_ms = 0
        self.enter_ramp_permille_min = 0
        self.cessation_low_mv = 0
        self.cessation_high_mv = 0
        for name, value in more.items():
            setattr(self, name, value)


class Settings:
    changed = 0
    phases = 1
    device_id = "rig"
    export_rating_w = 7360
    import_rating_w = 7360
    islanding_enable = 0
    islanding_perturb_permille = 15
    islanding_probe_permille = 120
    islanding_gain_permille_hz = 100
    islanding_half_ms = 100


def image_in_service():
    image = Image()
    image.protection.service = 1
    image.protection.inhibit = 0
    image.inputs.afe_ok = 1
    image.inputs.frequency_ok = 1
    image.inputs.now_ms = 1000
    return image


def events(image):
    row = [0] * 5
    found = []
    for sequence in range(image.events.count):
        image.events.read(sequence, row)
        found.append(tuple(row[1:]))
    return found
