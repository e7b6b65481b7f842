# SPDX-License-Identifier: MIT
"""The simulated inverter's SunSpec map, read by pysunspec2 and pymodbus as independent clients."""

from __future__ import annotations

import pytest
import sunspec2.modbus.client as sunspec
from pymodbus.client import ModbusTcpClient

from hil.plant.modbus_server import ModbusTcpServer, crc16, sealed
from hil.plant.state import ALARM_GRID_DISC

BASE = 40000
MODELS = (1, *range(701, 716))


@pytest.fixture
def device(bench):
    """A scanned pysunspec2 client of an energised station charging at 3 kW."""
    bench.energise(3000.0)
    with ModbusTcpServer(bench.station.inverter) as server:
        client = sunspec.SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=server.port)
        client.scan()
        yield client
        client.disconnect()


@pytest.fixture
def master(bench):
    """A pymodbus client of an idle station."""
    with ModbusTcpServer(bench.station.inverter) as server:
        client = ModbusTcpClient("127.0.0.1", port=server.port)
        client.connect()
        yield client
        client.close()


def address(bench, path: str) -> int:
    return BASE + bench.station.inverter.map.points[path].address


def write(bench, path: str, raw: int) -> None:
    """Write one point as a master would."""
    point = bench.station.inverter.map.points[path]
    words = [(raw >> 16 * k) & 0xFFFF for k in range(point.width - 1, -1, -1)]
    bench.station.inverter.write(BASE + point.address, words)


def request(address: int, count: int, unit: int = 1) -> bytes:
    return sealed(bytes((unit, 3)) + address.to_bytes(2, "big") + count.to_bytes(2, "big"))


def ask(bench, frame: bytes) -> list[tuple[int, bytes]]:
    bench.station.inverter.receive(frame, bench.t_us)
    bench.run(50)
    return bench.station.inverter.transmit()


def test_every_model_is_found_where_its_length_says(device):
    assert tuple(sorted(m for m in device.models if isinstance(m, int))) == MODELS
    assert device.models[701][0].L.value == 153
    assert device.models[702][0].L.value == 50
    assert device.models[704][0].L.value == 65
    assert device.common[0].Md.value == "Simulated bidirectional inverter"


def test_live_points_are_the_inverters(bench, device):
    measures = device.models[701][0]
    assert abs(measures.W.cvalue + 3000) <= 5  # charging is negative generation
    assert abs(measures.Hz.cvalue - 50.0) < 0.01
    assert abs(measures.LNV.cvalue - bench.inputs.afe.voltage_v[0]) < 0.5
    assert (measures.InvSt.value, measures.ConnSt.value, measures.Alrm.value) == (3, 1, 0)
    assert measures.LLV.value is None  # single-phase: not implemented
    storage = device.models[713][0]
    assert abs(storage.SoC.cvalue / 100 - bench.station.vehicle.soc) < 0.001
    assert storage.WHRtg.cvalue == 60000
    assert device.models[702][0].WDisChaRteMaxRtg.cvalue == 7400
    port = device.models[714][0].Prt[0]
    assert (port.PrtTyp.value, port.DCSta.value) == (5, 1)
    assert abs(port.DCW.cvalue + 3000 * 0.96) < 5


def test_repeated_groups_are_read_by_their_own_counts(device):
    curve = device.models[705][0].Crv[1]
    assert [(point.V.cvalue, point.Var.cvalue) for point in curve.Pt] == [(92, 44), (98, 0), (102, 0), (108, -44)]
    trip = device.models[709][0].Crv[0].MustTrip
    assert trip.ActPt.value == 2
    assert (trip.Pt[1].Hz.cvalue, trip.Pt[1].Tms.cvalue) == (pytest.approx(47.08), 0.16)


def test_setpoint_through_the_client_moves_power_and_reverts(bench, device):
    control = device.models[704][0]
    control.WSetEna.value = 1
    control.WSet.cvalue = 2500
    control.WSetRvrtTms.value = 4
    control.write()
    bench.run(3500)
    assert abs(bench.station.truth.power_w + 2500) < 5
    control.read()
    assert control.WSetRvrtRem.value == 1
    bench.run(1500)
    assert abs(bench.station.truth.power_w) < 5
    control.read()
    assert (control.WSetEna.value, control.WSet.value) == (0, 0)


def test_lease_holds_while_renewed(bench):
    bench.energise()
    write(bench, "704.WSetEna", 1)
    write(bench, "704.WSet", 2000)
    for _ in range(6):
        write(bench, "704.WSetRvrtTms", 2)
        bench.run(1000)
    assert abs(bench.station.truth.power_w + 2000) < 5
    bench.run(1500)
    assert abs(bench.station.truth.power_w) < 20


def test_dead_reversion_timer_holds_the_power(bench):
    bench.energise()
    write(bench, "704.WSetRvrtTms", 2)
    write(bench, "704.WSetEna", 1)
    write(bench, "704.WSet", 2000)
    bench.station.faults.set("modbus_ignores_lease")
    bench.run(5000)
    assert abs(bench.station.truth.power_w + 2000) < 5


def test_heartbeat_once_begun_must_go_on(bench):
    bench.energise()
    write(bench, "704.WSetEna", 1)
    write(bench, "704.WSet", 2000)
    for beat in range(8):
        write(bench, "715.ControllerHb", beat)
        bench.run(1000)
    assert abs(bench.station.truth.power_w + 2000) < 5
    bench.run(5500)
    assert abs(bench.station.truth.power_w) < 5
    write(bench, "715.ControllerHb", 9)
    bench.run(500)
    assert abs(bench.station.truth.power_w + 2000) < 5


def test_reactive_setpoint_and_percent_modes(bench):
    bench.energise()
    write(bench, "704.VarSetEna", 1)
    write(bench, "704.VarSet", 1000)
    write(bench, "704.WSetMod", 0)
    write(bench, "704.WSetPct", 500 - 1000)  # -50.0 %: charging
    write(bench, "704.WSetEna", 1)
    bench.run(1000)
    assert abs(bench.station.truth.reactive_var + 1000) < 5  # injecting is negative here
    assert abs(bench.station.truth.power_w - 3700) < 5


def test_own_trip_shows_and_is_reset(bench):
    bench.energise(-2000.0)
    bench.station.faults.set("inverter_trip")
    bench.run(100)
    inverter = bench.station.inverter
    inverter.refresh()
    assert inverter.map.raw("701.InvSt") == 6
    assert inverter.map.raw("701.Alrm") & ALARM_GRID_DISC
    assert abs(bench.station.truth.power_w) < 1
    write(bench, "715.AlarmReset", 1)
    bench.run(100)
    assert bench.station.unit()["tripped"] == 1  # the cause is still there
    bench.station.faults.clear("inverter_trip")
    write(bench, "715.AlarmReset", 1)
    bench.run(1000)
    inverter.refresh()
    assert (inverter.map.raw("701.InvSt"), inverter.map.raw("701.Alrm")) == (3, 0)


def test_standby_and_permit_service(bench):
    bench.energise(-2000.0)
    write(bench, "715.OpCtl", 0)
    bench.run(100)
    assert abs(bench.station.truth.power_w) < 1
    write(bench, "715.OpCtl", 1)
    write(bench, "703.ES", 0)
    bench.run(1000)
    assert abs(bench.station.truth.power_w) < 1
    write(bench, "703.ES", 1)
    bench.run(1000)
    assert abs(bench.station.truth.power_w + 2000) < 5


def test_own_anti_islanding_is_switched_by_its_point(bench):
    write(bench, "704.AntiIslEna", 1)
    assert bench.station.unit()["ai_gain_var_hz"] > 0
    write(bench, "704.AntiIslEna", 0)
    assert bench.station.unit()["ai_gain_var_hz"] == 0


@pytest.mark.parametrize(
    "path, words, code",
    (
        ("704.WSetEna", [7], 3),  # not a choice
        ("704.WSet", [0, 7401], 3),  # above the rating
        ("701.W", [0], 2),  # read-only
        ("704.WSet", [0], 2),  # half a point
        ("702.WMaxRtg", [1], 2),  # rating
        ("704.WMaxLimPct", [1001], 3),
    ),
)
def test_writes_are_checked_as_a_device_would(bench, master, path, words, code):
    before = list(bench.station.inverter.map.registers)
    answer = master.write_registers(address(bench, path), words)
    assert answer.isError() and answer.exception_code == code
    assert bench.station.inverter.map.registers == before


def test_reads_outside_the_map_and_unknown_functions(bench, master):
    assert master.read_holding_registers(39999, count=2).exception_code == 2
    assert master.read_holding_registers(BASE + len(bench.station.inverter.map.registers), count=1).exception_code == 2
    assert master.read_coils(0, count=1).exception_code == 1
    assert master.read_holding_registers(BASE, count=2).registers == [0x5375, 0x6E53]
    assert bench.station.inverter.map.registers[-2:] == [0xFFFF, 0]


@pytest.mark.parametrize("baud, silence_us", ((9600, 4010), (19200, 2005), (38400, 1750), (115200, 1750)))
def test_answer_is_on_time_to_the_character(make_bench, baud, silence_us):
    bench = make_bench(baud=baud)
    bench.run(20)
    sent_us = bench.t_us
    ((arrival_us, frame),) = ask(bench, request(BASE, 40))
    assert frame[:3] == bytes((1, 3, 80)) and crc16(frame) == 0
    expected_us = sent_us + silence_us + 2000 + len(frame) * 10e6 / baud
    assert abs(arrival_us - expected_us) <= 1


@pytest.mark.parametrize("piece", (1, 3, 7))
def test_request_may_come_in_pieces(bench, piece):
    bench.run(20)
    frame = request(BASE, 2)
    t_us = bench.t_us
    for start in range(0, len(frame), piece):
        bench.station.inverter.receive(frame[start : start + piece], t_us + start * 87)
    assert bench.station.inverter.transmit()[0][1] == sealed(bytes((1, 3, 4)) + b"SunS")


def test_garbage_is_not_answered_and_does_not_spoil_the_next_request(bench):
    assert ask(bench, b"\x01\x03\x9c\x40\x00\x02\x00\x00") == []
    assert ask(bench, b"\x55") == []
    assert ask(bench, request(BASE, 2, unit=9)) == []
    assert len(ask(bench, request(BASE, 2))) == 1
    assert bench.station.inverter.bad_frames == 2


@pytest.mark.parametrize(
    "fault, check",
    (
        ("modbus_silent", lambda got, good: got == []),
        ("modbus_crc", lambda got, good: crc16(got[0][1]) != 0),
        ("modbus_unit", lambda got, good: got[0][1][0] != 1 and crc16(got[0][1]) == 0),
        ("modbus_exception", lambda got, good: got[0][1][1:3] == b"\x83\x04"),
        ("modbus_half", lambda got, good: len(got[0][1]) == len(good[0][1]) // 2),
        ("modbus_noise", lambda got, good: got[0][1] == b"\xff\x00" + good[0][1]),
    ),
)
def test_link_faults(bench, fault, check):
    bench.run(20)
    good = ask(bench, request(BASE, 2))
    bench.station.faults.set(fault)
    assert check(ask(bench, request(BASE, 2)), good)
    bench.station.faults.clear(fault)
    assert ask(bench, request(BASE, 2))[0][1] == good[0][1]


def test_slow_answer_is_late_by_its_delay(bench):
    bench.run(20)
    bench.station.faults.set("modbus_slow", 250.0)
    sent_us = bench.t_us
    assert ask(bench, request(BASE, 2))[0][0] - sent_us > 250_000


def test_soc_faults(bench):
    inverter, faults = bench.station.inverter, bench.station.faults
    point = address(bench, "713.SoC")
    assert inverter.read(point, 1) == [600]
    faults.set("soc_missing")
    assert inverter.read(point, 1) == [0xFFFF]
    faults.clear("soc_missing")
    assert inverter.read(point, 1) == [600]
    faults.set("soc_frozen")
    bench.station.vehicle.soc = 0.4
    assert inverter.read(point, 1) == [600]
    faults.clear("soc_frozen")
    assert inverter.read(point, 1) == [400]
    faults.set("soc_value", 0.9)
    assert inverter.read(point, 1) == [900]


def test_frozen_registers_do_not_move(bench):
    bench.energise(2000.0)
    point = address(bench, "701.W")
    before = bench.station.inverter.read(point, 1)
    bench.station.faults.set("modbus_frozen")
    bench.station.unit().set(power_w=0.0)
    bench.run(1000)
    assert bench.station.inverter.read(point, 1) == before
    bench.station.faults.clear("modbus_frozen")
    assert bench.station.inverter.read(point, 1) != before


def test_a_changed_scale_factor_counts_from_the_next_value(bench):
    bank = bench.station.inverter.map
    bank.set("701.W", 1234)
    assert bank.get("701.W") == 1234
    bank.set_raw("701.W_SF", 2)
    assert bank.get("701.W") == 123400
    bank.set("701.W", 1234)
    assert bank.raw("701.W") == 12


@pytest.mark.parametrize(("frame", "crc"), [(b"123456789", 0x4B37), (b"", 0xFFFF), (bytearray(b"\x01\x03"), 0x2140)])
def test_checksum_of_known_frames(frame, crc):
    """0x4B37 is the check value of CRC-16/MODBUS in the catalogue of CRC algorithms."""
    assert crc16(frame) == crc
    assert crc16(sealed(bytes(frame))) == 0
