# SPDX-License-Identifier: MIT
# runs on: cpython, micropython
"""The ADE9000 driver against a register file with the part's SPI protocol."""

from ade9000_peer import ADDRESS, Part

from evse import fixed
from evse.drivers import ade9000, ade9000_registers
from evse.drivers.ade9000 import Ade9000, AfeError

SCALES = {"afe_voltage_full_mv": 700743, "afe_current_full_ma": 80353}
FULL_W = 700743 * 80353 // 1000000
ade9000.sleep_ms = lambda _ms: None  # the register file needs no time to start


def started(phases=1, part=None):
    part = part or Part()
    afe = Ade9000(part, part.cs, SCALES)
    afe.start(phases)
    return afe, part


def code(value, full_value, full_code):
    return (value * full_code + full_value // 2) // full_value


def grid(part, phase, mv, ma, w, var):
    part.set(phase + "VRMSONE_2", code(mv, 700743, 52702092))
    part.set(phase + "IRMSONE_2", code(ma, 80353, 52702092))
    part.set(phase + "WATT_2", code(w, FULL_W, 20694066))
    part.set(phase + "VAR_2", code(var, FULL_W, 20694066))


def test_start_configures_the_part():
    afe, part = started(3)
    assert part.get("RUN") == 1
    assert part.get("EP_CFG") == 1
    assert part.get("EGY_TIME") == 159
    assert part.get("ACCMODE") == 0
    assert part.get("ZX_LP_SEL") == 0x1E
    assert part.get("VLEVEL") == 1144084
    assert part.get("CONFIG1") == 0x800
    assert afe.version == 0xC0
    assert afe.crc_checked == 1


def test_start_at_60_hz_on_one_phase():
    part = Part()
    Ade9000(part, part.cs, SCALES).start(1, 60)
    assert part.get("ACCMODE") == 0x100
    assert part.get("ZX_LP_SEL") == 0


def ones(received):
    """MISO floats, pulled up."""
    for i in range(len(received)):
        received[i] = 0xFF


def test_a_part_that_is_not_there_is_named():
    part = Part()
    part.fault = ones
    try:
        Ade9000(part, part.cs, SCALES).start(1)
    except AfeError as error:
        text = str(error)
        assert "0x472" in text and "not an ADE9000" in text and "wiring" in text
    else:
        raise AssertionError("a part that reads all ones was accepted")


def test_a_register_that_does_not_keep_its_value_is_named():
    part = Part()
    original = part.write_readinto

    def stubborn(sent, received):
        original(sent, received)
        part.values[0x4B2] = 0

    part.write_readinto = stubborn
    try:
        Ade9000(part, part.cs, SCALES).start(1)
    except AfeError as error:
        assert "0x4B2 reads 0x0000 after writing 0x009F" in str(error)
    else:
        raise AssertionError("a register that was not written was accepted")


def test_every_phase_reads_its_own_values():
    afe, part = started(3)
    grid(part, "A", 230000, 32000, 7360, -150)
    grid(part, "B", 231500, 16000, -3690, 40)
    grid(part, "C", 110, 5, 0, 0)
    part.set("APERIOD", 10485759)
    part.set("BPERIOD", 10506772)
    part.set("CPERIOD", 8738132)
    afe.read()
    assert afe.ok == 1
    for measured, wanted, slack in (
        (afe.phase_mv, (230000, 231500, 110), 8),
        (afe.phase_ma, (32000, 16000, 5), 1),
        (afe.phase_w, (7360, -3690, 0), 1),
        (afe.phase_var, (-150, 40, 0), 1),
    ):
        for phase in range(3):
            assert abs(measured[phase] - wanted[phase]) <= slack, (measured, wanted)
    assert afe.phase_period == [10485759, 10506772, 8738132]
    assert fixed.line_period_to_uhz(afe.phase_period[0]) == 50000000


def test_scales_hold_over_the_whole_range():
    afe, part = started(1)
    for mv in range(0, 700000, 997):
        grid(part, "A", mv, mv // 10, mv // 13, -(mv // 17))
        afe.read()
        assert afe.ok == 1
        assert abs(afe.phase_mv[0] - mv) <= 1 + mv // 25000, mv  # 40 ppm: the 15-bit factor
        assert abs(afe.phase_ma[0] - mv // 10) <= 1 + mv // 250000
        assert abs(afe.phase_w[0] - mv // 13) <= 1 + mv // 250000
        assert abs(afe.phase_var[0] + mv // 17) <= 1 + mv // 250000


def test_no_line_period_reads_as_none():
    afe, part = started(1)
    part.set("APERIOD", 0x01000000)
    afe.read()
    assert afe.phase_period[0] == 0


def test_impossible_codes_are_not_believed():
    afe, part = started(1)
    grid(part, "A", 230000, 0, 0, 0)
    afe.read()
    assert afe.ok == 1
    for name, value in (
        ("AVRMSONE_2", 0xFFFFFFFF), ("AVRMSONE_2", 0x08000000), ("AIRMSONE_2", 0x80000000),
        ("AWATT_2", 0x10000000), ("AWATT_2", 0xEFFFFFFF), ("AVAR_2", 0x7FFFFFFF),
    ):  # fmt: skip
        grid(part, "A", 230000, 0, 0, 0)
        part.set(name, value)
        afe.read()
        assert afe.ok == 0, name
    assert afe.range_errors == 6
    for mv, ok in ((230100, 0), (230100, 1), (230200, 1)):
        before = afe.sequence
        grid(part, "A", mv, 0, 0, 0)
        afe.read()
        assert afe.ok == ok, "after so many it has to move once"
    assert afe.sequence == before + 1


def test_a_frozen_part_stands_still():
    afe, part = started(1)
    grid(part, "A", 230000, 1000, 230, 0)
    afe.read()
    first = afe.sequence
    for _ in range(10):
        afe.read()
    assert afe.sequence == first
    for name in ("AVRMSONE_2", "AIRMSONE_2", "AWATT_2"):
        part.set(name, part.get(name) + 1)
        before = afe.sequence
        afe.read()
        assert afe.sequence == before + 1, name


def test_a_wrong_crc_is_not_believed():
    afe, part = started(1)
    for byte in range(2, 8):

        def flip(received, byte=byte):
            if len(received) == 8:
                received[byte] ^= 4

        errors = afe.crc_errors
        part.fault = flip
        afe.read()
        assert afe.ok == 0 and afe.crc_errors > errors, byte
        part.fault = None
        afe.read()
        assert afe.ok == 1
    assert afe.restarts == 0, "a single disturbance is no reset"


def test_a_burst_that_does_not_read_twice_alike_is_not_believed():
    afe, part = started(1)
    grid(part, "A", 230000, 1000, 230, 0)
    turn = [0]

    def flip(received):
        turn[0] += 1
        if len(received) > 8:
            received[-(turn[0] % 4) - 1] ^= 0x10

    part.fault = flip
    for _ in range(20):
        afe.read()
        assert afe.ok == 0
    assert afe.burst_errors == 20 and afe.sequence == 0 and afe.restarts == 0

    def seldom(received):
        if turn[0] % 8 == 0:
            flip(received)
        else:
            turn[0] += 1

    part.fault = seldom
    for _ in range(50):  # one of two bursts now and then: the third settles it
        afe.read()
        assert not afe.ok or abs(afe.phase_mv[0] - 230000) <= 8
    assert afe.ok == 1


def test_a_part_that_appends_no_crc_in_burst_mode_still_reads():
    afe, part = started(1, Part(crc_in_burst=0))
    assert afe.crc_checked == 0
    grid(part, "A", 230000, 0, 0, 0)
    part.set("APERIOD", 10485759)
    afe.read()
    assert afe.ok == 1 and afe.phase_period[0] == 10485759


def test_energy_goes_to_import_or_export_and_nothing_is_lost():
    afe, part = started(1)
    total = 0
    codes_per_wh = afe.codes_per_wh

    def settle():
        part.set("AWATTHR_HI", total & 0xFFFFFFFF)
        for _ in range(ade9000.ENERGY_EVERY):
            afe.read()

    settle()
    step = codes_per_wh * 7 // 3
    for _ in range(30):
        total += step
        settle()
    for _ in range(12):
        total -= step
        settle()
    assert afe.import_wh[0] == 30 * step // codes_per_wh
    assert afe.export_wh[0] == 12 * step // codes_per_wh
    assert afe.energy_jumps == 0


def test_energy_register_may_wrap():
    afe, part = started(1)
    step = 8000000
    at = 0x7FFFFFFF - 3 * step
    taken = 0
    part.set("AWATTHR_HI", at)
    for _ in range(ade9000.ENERGY_EVERY):
        afe.read()
    for _ in range(200):
        at = (at + step) & 0xFFFFFFFF
        taken += step
        part.set("AWATTHR_HI", at)
        for _ in range(ade9000.ENERGY_EVERY):
            afe.read()
    assert afe.energy_jumps == 0
    assert afe.import_wh[0] == taken // afe.codes_per_wh


def test_a_reset_of_the_energy_register_is_no_energy():
    afe, part = started(1)
    part.set("AWATTHR_HI", 900000000)
    for _ in range(ade9000.ENERGY_EVERY):
        afe.read()
    part.set("AWATTHR_HI", 0)
    for _ in range(ade9000.ENERGY_EVERY):
        afe.read()
    assert afe.energy_jumps == 1
    assert afe.import_wh[0] == 0 and afe.export_wh[0] == 0


def until_running(afe, part, most=40):
    """Read on a bus that lives; return after how many readings the part is believed."""
    for reads in range(1, most):
        part.set("AVRMSONE_2", 17000000 + reads)
        afe.read()
        if afe.ok:
            return reads
    raise AssertionError("the part did not come back")


def test_a_part_that_resets_is_never_believed_and_comes_back_with_its_gains():
    for crc_in_burst in (1, 0):
        afe, part = started(3, Part(crc_in_burst))
        afe.set_gain(1, ade9000_registers.VGAIN, -10000)
        grid(part, "A", 230000, 1000, 230, 0)
        afe.read()
        assert afe.ok == 1
        before = dict(part.values)
        part.reset()
        afe.read()
        assert afe.ok == 0, "the very first reading after the reset"
        reads = until_running(afe, part)
        assert reads <= 35, reads  # 10 ms each
        assert afe.restarts == 1
        before.pop(ADDRESS["AVRMSONE_2"])
        for name in ("ACCMODE", "EGY_TIME", "EP_CFG", "VLEVEL", "RUN", "CONFIG1", "BVGAIN", "ZX_LP_SEL"):
            assert part.get(name) == before.get(ADDRESS[name], 0), name


def test_a_reset_costs_no_energy_and_counts_none():
    """The register starts from 0: neither that step nor what it shows during the reset is energy."""
    afe, part = started(1)
    codes = afe.codes_per_wh
    for _ in range(2):
        for _ in range(ade9000.ENERGY_EVERY):
            afe.read()
        part.set("AWATTHR_HI", 5 * codes)
    for _ in range(ade9000.ENERGY_EVERY):
        afe.read()
    assert afe.import_wh[0] == 5
    for reads in range(ade9000.ENERGY_EVERY + 2):  # the reset at any place between two energy readings
        part.reset()
        until_running(afe, part)
        part.set("AWATTHR_HI", 2 * codes)
        for _ in range(2 * ade9000.ENERGY_EVERY + reads):
            afe.read()
        assert afe.export_wh[0] == 0 and afe.energy_jumps == 0, reads
        assert 5 + 2 * reads <= afe.import_wh[0] <= 5 + 2 * (reads + 1), (reads, afe.import_wh)


def test_a_part_that_was_not_there_at_start_is_taken_when_it_comes():
    part = Part()
    part.fault = ones
    afe = Ade9000(part, part.cs, SCALES)
    try:
        afe.start(1)
        raise AssertionError("a silent part was accepted")
    except AfeError:
        pass
    for _ in range(50):
        afe.read()
        assert afe.ok == 0
    part.fault = None
    until_running(afe, part)
    assert part.get("CONFIG1") == 0x800


def test_a_frozen_part_is_reset_and_not_believed_by_it():
    afe, part = started(1)
    grid(part, "A", 230000, 1000, 230, 0)
    afe.read()
    first = afe.sequence
    for _ in range(400):
        afe.read()
        grid(part, "A", 230000, 1000, 230, 0)  # it goes on showing the same
    assert afe.restarts >= 2
    assert afe.sequence == first, "standing still all the time"


def test_gains_are_written_in_the_parts_format():
    afe, part = started(3)
    afe.set_gain(0, ade9000_registers.VGAIN, 10000)
    afe.set_gain(1, ade9000_registers.VGAIN, -10000)
    afe.set_gain(2, ade9000_registers.IGAIN, 0)
    assert abs(part.get("AVGAIN") - 1342177) <= 1
    assert abs(part.get("BVGAIN") - (2**32 - 1342177)) <= 1
    assert part.get("CIGAIN") == 0
    try:
        afe.set_gain(0, ade9000_registers.VGAIN, 100001)
    except ValueError as error:
        assert "100001 ppm" in str(error)
    else:
        raise AssertionError("a gain out of range was taken")


def test_a_scale_out_of_range_is_refused():
    try:
        Ade9000(Part(), None, {"afe_voltage_full_mv": 0, "afe_current_full_ma": 1000})
    except ValueError as error:
        assert "SCALES" in str(error)
    else:
        raise AssertionError("a zero scale was taken")
