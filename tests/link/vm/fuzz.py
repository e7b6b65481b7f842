# SPDX-License-Identifier: MIT
"""Random and mutated input for every parser of link, drivers and store, on the MicroPython VM.

    micropython fuzz.py COUNT SEED             COUNT inputs, shared out among the parsers
    micropython fuzz.py COUNT SEED PARSER ...  COUNT inputs for each of these

Prints JSON: inputs and escapes per parser, how many inputs were accepted, the heap's growth in bytes. An escape is an
exception that the parser's contract does not name. A parser that accepts nothing, or everything, is not being tested.
"""

import gc
import json
import random
import sys

sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

from evse.drivers import can_mcp2515, inverter_infypower
from evse.drivers.can_bus import CanFrame
from evse.drivers.inverter_sunspec import InverterSunSpec
from evse.drivers.sunspec_device import DeviceError, SunSpecDevice
from evse.link import modbus, sunspec
from evse.store.ring import Ring
from evse.store.settings import Settings
from evse.store.slots import TwoSlots

BUFFER = bytearray(320)
REGION = ("fuzz", 0, 128, 2)
RING = ("fuzz", 0, 32, 8)


class Memory:
    """A FRAM full of what was stored and then hit."""

    def __init__(self, size):
        self.size = size
        self.data = bytearray(size)

    def readinto(self, address, buffer):
        buffer[:] = self.data[address : address + len(buffer)]

    def write(self, address, buffer):
        self.data[address : address + len(buffer)] = buffer


def noise(buffer, length):
    for i in range(length):
        buffer[i] = random.getrandbits(8)


def hit(buffer, length):
    """Spoil a few bytes."""
    for _ in range(random.getrandbits(2)):
        buffer[random.randrange(length)] = random.getrandbits(8)


def rtu():
    """One frame on the RTU line: a good answer, mutated; or noise."""
    count = random.randrange(1, 126)
    function = random.choice((3, 4, 16))
    address = random.getrandbits(16)
    length = random.randrange(5, 320)
    noise(BUFFER, length)
    if random.getrandbits(1):
        BUFFER[0] = 1
        BUFFER[1] = function
        BUFFER[2] = 2 * count
        if function == 16:
            modbus._put16(BUFFER, 2, address)
            modbus._put16(BUFFER, 4, count)
        length = modbus.close_rtu(BUFFER, modbus.reply_bytes(function, count))
        hit(BUFFER, length)
    found = modbus.find_rtu(BUFFER, 0, length, 1, function, address, count)
    if found < 0:
        return 0
    at = found >> 1
    if at + 5 > length:
        raise AssertionError("answer found beyond what was received")
    end = at + (5 if found & 1 else modbus.reply_bytes(function, count) + 2)
    if modbus.crc.modbus(BUFFER, at, end - 2) != BUFFER[end - 2] | BUFFER[end - 1] << 8:
        raise AssertionError("a frame with a wrong CRC was taken")
    return 1


def tcp():
    """One TCP frame: good, mutated or noise."""
    length = random.randrange(0, 261)
    noise(BUFFER, length)
    count = random.randrange(1, 126)
    if random.getrandbits(1):
        BUFFER[6] = 1
        BUFFER[7] = 3
        BUFFER[8] = 2 * count
        length = modbus.close_tcp(BUFFER, 6 + modbus.reply_bytes(3, count), random.getrandbits(16))
        hit(BUFFER, length)
    whole = modbus.tcp_length(BUFFER, length)
    if whole <= 0 or whole > length:
        return 0
    if whole > modbus.TCP_MAX:
        raise AssertionError("a frame longer than any Modbus frame")
    return 1 if modbus.check_reply(BUFFER, 6, whole, 1, 3, 0, count) == 0 else 0


def points():
    """Every decoder on random registers: results stay within 31 bits or are NONE."""
    noise(BUFFER, 16)
    register = random.randrange(4)
    factor = sunspec.scale_factor(BUFFER, register) if random.getrandbits(2) == 0 else random.randrange(-10, 11)
    exponent = random.randrange(-3, 7)
    good = 0
    for decode in (sunspec.u16, sunspec.s16, sunspec.u32, sunspec.s32, sunspec.bits30, sunspec.raw16):
        value = decode(BUFFER, register)
        scaled = sunspec.scaled(value, factor, exponent)
        raw = sunspec.unscaled(scaled, factor) if scaled != sunspec.NONE else sunspec.NONE
        for number in (value, scaled, raw):
            if not -(1 << 30) < number < 1 << 30:
                raise AssertionError("%d leaves 31 bits" % number)
        good += scaled != sunspec.NONE
    return 1 if good else 0


class Bus:
    """Answers every read with random registers, or a chain of models, mutated."""

    baud = 9600

    async def transact(self, transfer):
        if random.getrandbits(5) == 0:
            return random.choice((2, 16, 17))
        for i in range(2 * transfer.count):
            transfer.data[i] = random.getrandbits(8)
        if transfer.address in (40000, 0, 50000) and random.getrandbits(2):
            transfer.data[0:4] = b"SunS"
        elif transfer.count == 2:
            model = random.choice((1, 701, 702, 704, 713, 714, 715, 0xFFFF, random.getrandbits(16)))
            sunspec.put16(transfer.data, 0, model)
            sunspec.put16(transfer.data, 1, random.choice((0, 7, 50, 57, 66, 153, random.getrandbits(16))))
        return 0


def drive(coroutine):
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


def device():
    """Discovery of a device that answers anything."""
    found = SunSpecDevice(Bus(), 1, "inverter")
    try:
        drive(found.discover())
    except DeviceError:
        return 0
    if len(found.models) > 64:
        raise AssertionError("more models than a chain may have")
    return 1


INVERTER = InverterSunSpec(Bus(), 1, 4000)


def connect_inverter():
    """An inverter whose registers are anything: connect() and every take_...()."""
    inverter = INVERTER
    inverter.device.models = {
        701: (40070, 153), 702: (40225, 50), 704: (40277, 57), 713: (40336, 7), 714: (40345, 43), 715: (40390, 7)
    }  # fmt: skip
    inverter.has_storage = inverter.has_dc = inverter.has_control = 1
    inverter._make_transfers()


def inverter():
    """Random registers through every decoder of the inverter; what comes out is inside its range."""
    driver = INVERTER
    for transfer in (driver.status, driver.ratings, driver.setpoints, driver.storage, driver.dc, driver.control):
        noise(transfer.data, len(transfer.data))
    if random.getrandbits(1):
        sunspec.put16(driver.storage.data, 2, random.randrange(0, 1100))
        sunspec.put16(driver.storage.data, 6, -1)
    driver._w_factor = random.randrange(-10, 11)
    driver._set_w_factor = random.randrange(-10, 11)
    driver.take_status()
    driver.take_storage()
    driver.take_dc()
    driver.take_control()
    driver.take_setpoints()
    try:
        driver.take_ratings()
    except DeviceError:
        pass
    if not 0 <= driver.soc_permille <= 1000 or (driver.soc_permille and not driver.soc_ok):
        raise AssertionError("charge of %d" % driver.soc_permille)
    if not (0 <= driver.charge_w <= 1000000 and 0 <= driver.discharge_w <= 1000000):
        raise AssertionError("rating of %d, %d W" % (driver.charge_w, driver.discharge_w))
    if not -27315 <= driver.battery_cdeg <= 15000:
        raise AssertionError("battery at %d" % driver.battery_cdeg)
    return driver.soc_ok


class CanSpi:
    """An MCP2515 whose receive buffers hold anything."""

    def __init__(self):
        self.frame = bytearray(13)
        self.written = bytearray(128)

    def write_readinto(self, sent, received):
        command = sent[0]
        if command == can_mcp2515.WRITE:
            for i in range(2, len(sent)):
                self.written[sent[1] + i - 2] = sent[i]
        for i in range(1, len(received)):
            if command in can_mcp2515.READ_RX:
                received[i] = self.frame[i - 1]
            elif command == can_mcp2515.STATUS:
                received[i] = random.getrandbits(8)
            elif command == can_mcp2515.READ and i > 1:
                received[i] = self.written[sent[1] + i - 2]
        if command == can_mcp2515.RESET:
            self.written[can_mcp2515.CANSTAT] = can_mcp2515.CONFIGURATION
        elif command == can_mcp2515.WRITE and sent[1] == can_mcp2515.CANCTRL:
            self.written[can_mcp2515.CANSTAT] = sent[2]


CAN_SPI = CanSpi()
CAN = can_mcp2515.Mcp2515(CAN_SPI, lambda level: None, 125000, inverter_infypower.OURS, inverter_infypower.OURS_MASK,
                          16000000)  # fmt: skip
CAN_FRAME = CanFrame()
MODULE = inverter_infypower.InverterInfypower(Bus(), 1, 4000, (300000, 450000))


def can():
    """One frame out of the controller: a module's answer, mutated, or noise; through the driver's decoders."""
    frame = CAN_SPI.frame
    noise(frame, 13)
    ask = random.choice(MODULE._asks)
    if random.getrandbits(2):
        answer = 11 << 22 | 0x23 << 16 | inverter_infypower.CONTROLLER << 8 | 5
        CAN._put_identifier(frame, 0, answer)
        frame[4] = 8
        frame[5], frame[6] = ask.data[0], ask.data[1]
        if random.getrandbits(1):
            frame[9], frame[10] = 0, frame[10] & 0x0F  # volts and amperes that can be
        hit(frame, 13)
    if not CAN.receive(CAN_FRAME):
        return 0
    if not 0 <= CAN_FRAME.identifier < 1 << 29:
        raise AssertionError("identifier %d" % CAN_FRAME.identifier)
    result = inverter_infypower.match(CAN_FRAME, ask)
    if not -1 <= result <= 7:
        raise AssertionError("result %d" % result)
    if result:
        return 0
    ask.answer[:] = CAN_FRAME.data
    good = MODULE.take_status()
    for number in (MODULE.power_w, MODULE.alarms, MODULE.voltage_mv, MODULE.current_ma):
        if not -(1 << 30) < number < 1 << 30:
            raise AssertionError("%d leaves 31 bits" % number)
    if not 0 <= MODULE.voltage_mv <= 1500000 or not 0 <= MODULE.current_ma <= 1000000 or MODULE.state not in (0, 3, 6):
        raise AssertionError("an impossible value was believed")
    return 1 if good else 0


GOOD = Settings().export_json()


def settings_text():
    """Settings as JSON text, mutated."""
    text = GOOD
    for _ in range(random.randrange(4)):
        at = random.randrange(len(text))
        text = text[:at] + chr(random.randrange(32, 127)) + text[at + random.randrange(3) :]
    store = Settings()
    before = store.as_dict()
    errors = store.import_json(text)
    if errors and store.as_dict() != before:
        raise AssertionError("half an import")
    return 0 if errors else 1


SETTINGS_MEMORY = Memory(32768)
SLOTS = ("settings", 0, 4096, 2)


def stored_settings():
    """The stored form, mutated below the CRC, as an older or broken firmware might have left it."""
    text = bytearray(
        b'{"version": 1, "values": {"phases": 3, "soc_floor_permille": 300, "profile": "uk_g98", "x": [1]}}'
    )
    hit(text, len(text))
    slots = TwoSlots(SETTINGS_MEMORY, SLOTS)
    slots.load()
    slots.save(text)
    store = Settings(SETTINGS_MEMORY)
    if not store.load():
        return 0
    if not 1 <= store.phases <= 3 or not 100 <= store.soc_floor_permille <= 500:
        raise AssertionError("a stored value out of range is in force")
    return 1


MEMORY = Memory(32768)


def records():
    """Two slots, ring, journal and energy over memory that was hit."""
    memory = Memory(256)
    slots = TwoSlots(memory, REGION)
    slots.load()
    slots.save(b"a body of some length")
    hit(memory.data, 256)
    body = TwoSlots(memory, REGION).load()
    ring = Ring(memory, RING, 16)
    ring.append()
    hit(memory.data, 256)
    again = Ring(memory, RING, 16)
    again.read(again.newest)
    if body is not None and body != b"a body of some length":
        raise AssertionError("a spoiled record was believed")
    return 1 if body else 0


PARSERS = (
    ("modbus_rtu", rtu, 10),
    ("modbus_tcp", tcp, 10),
    ("sunspec_points", points, 10),
    ("sunspec_chain", device, 4),
    ("inverter_registers", inverter, 4),
    ("can_frames", can, 10),
    ("settings_import", settings_text, 1),
    ("settings_stored", stored_settings, 1),
    ("records", records, 4),
)


def fuzz(parse, count):
    accepted = escapes = 0
    first = ""
    for _ in range(count):
        try:
            accepted += parse()
        except Exception as error:  # whatever gets out is what is counted
            escapes += 1
            first = first or "%s: %s" % (type(error).__name__, error)
    return accepted, escapes, first


def main(count, seed, names):
    random.seed(seed)
    connect_inverter()
    report = {}
    shares = sum(share for _name, _parse, share in PARSERS)
    for name, parse, share in PARSERS:
        if names and name not in names:
            continue
        inputs = count if names else max(count * share // shares, 100)
        accepted, escapes, first = fuzz(parse, inputs // 2)
        gc.collect()
        before = gc.mem_alloc()
        more = fuzz(parse, inputs - inputs // 2)
        gc.collect()
        accepted += more[0]
        escapes += more[1]
        first = first or more[2]
        report[name] = {
            "inputs": inputs, "accepted": accepted, "escapes": escapes, "first": first,
            "heap_growth_bytes": gc.mem_alloc() - before,
        }  # fmt: skip
    print(json.dumps(report))


main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
