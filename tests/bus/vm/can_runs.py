# SPDX-License-Identifier: MIT
"""On the board, in virtual time: the InfyPower driver over CanPort over a simulated machine.CAN and module.

Prints one JSON object: what each step of the story came to.
"""

import asyncio
import json
from time import ticks_diff, ticks_ms

from evse.drivers.can_bus import CanBus
from evse.drivers.can_port import CanPort
from evse.drivers.inverter_infypower import InverterInfypower
from evse.drivers.modbus_bus import READ

CONTROLLER, GROUP_ADDRESS, MODULE = 0xF0, 0x01, 0x05
SELF_OFF_MS = 10000


class Module:
    """One BEG module with a battery of 400 V behind it."""

    def __init__(self):
        self.on = 0
        self.mode = 0xA0
        self.set_ma = self.set_mv = 0
        self.one_way = self.deaf = self.error = self.babble = self.stranger = 0
        self.refuse_zero = 0
        self.heard_ms = ticks_ms()
        self.log = []

    def tick(self):
        if self.on and ticks_diff(ticks_ms(), self.heard_ms) > SELF_OFF_MS:
            self.on = 0
            self.log.append("self-off")

    def current_ma(self):
        self.tick()
        return self.set_ma if self.on else 0

    def ask(self, identifier, data):
        """Return the answer's (identifier, data), or None."""
        self.tick()
        if self.deaf or identifier >> 8 & 0xFF != GROUP_ADDRESS or identifier >> 22 & 15 != 11:
            return None
        self.heard_ms = ticks_ms()
        command = identifier >> 16 & 0x3F
        code = data[0] << 8 | data[1]
        value = int.from_bytes(data[4:8], "big")
        error = self.error or (self.write(code, value) if command == 0x24 else 0)
        if command == 0x23:
            value = self.read(code)
        answer = error << 26 | 11 << 22 | command << 16 | CONTROLLER << 8 | MODULE
        return answer, bytes(data[:4]) + (value & 0xFFFFFFFF).to_bytes(4, "big")

    def read(self, code):
        status = 0 if self.on else 1 << 8
        return {
            0x1001: 400000, 0x1002: self.current_ma(), 0x1010: 1, 0x1110: status, 0x1111: int(self.mode == 0xA1),
            0x1130: 1000000, 0x1131: 200000, 0x1132: 73300, 0x1133: 22000000,
        }[code]  # fmt: skip

    def write(self, code, value):
        if code == 0x1002:
            if value == 0 and self.refuse_zero:
                return 3
            self.set_ma = value
        elif code == 0x1001:
            self.set_mv = value
        elif code == 0x1110:
            if value == 0xA1 and self.refuse_zero:
                return 3
            self.on = int(value == 0xA0)
        elif code == 0x2110:
            if self.one_way and value == 0xA1:
                return 3
            if self.on and self.current_ma():
                self.log.append("mode changed under load")
            self.mode = value
        return 0


class CAN:
    """machine.CAN as its documentation has it, as far as CanPort uses it."""

    FLAG_RTR, FLAG_EXT_ID, STATE_BUS_OFF = 1, 2, 4

    def __init__(self, module):
        self.module = module
        self.waiting = []
        self.off = self.restarts = self.calls = 0
        self.filters = None

    def set_filters(self, filters):
        self.filters = filters

    def send(self, identifier, data, flags=0):
        if self.off:
            raise OSError("bus off")
        assert flags == self.FLAG_EXT_ID and identifier < 1 << 29 and len(data) == 8
        answer = self.module.ask(identifier, data)
        if self.module.stranger:  # another controller's answers, and answers to other codes
            self.put(answer[0] & ~0xFF00 | 0xF1 << 8, b"\x10\x01\x00\x00\x00\x01\x00\x00")
            self.put(answer[0], b"\x77\x77\x00\x00\x00\x01\x00\x00")
        if answer:
            self.put(*answer)
        return 0

    def put(self, identifier, data):
        wanted, mask, _flag = self.filters[0]
        if (identifier ^ wanted) & mask == 0:
            self.waiting.append((identifier, data))

    def recv(self, message):
        self.calls += 1
        if self.module.babble and self.calls % 3:
            self.waiting.insert(0, (11 << 22 | 0x23 << 16 | CONTROLLER << 8 | 9, bytes([self.calls & 255] * 8)))
        if not self.waiting:
            return None
        identifier, data = self.waiting.pop(0)
        for i in range(8):
            self.buffer[i] = data[i]
        message[0], message[2], message[3] = identifier, self.FLAG_EXT_ID, 0
        return message

    def state(self):
        return self.STATE_BUS_OFF if self.off else 1

    def restart(self):
        self.off = 0
        self.restarts += 1


def build(window_mv=(300000, 450000), **faults):
    module = Module()
    for name, value in faults.items():
        setattr(module, name, value)
    can = CAN(module)
    port = CanPort(can, CONTROLLER << 8, 0xFF00)
    can.buffer = port._buffer
    bus = CanBus(port)
    return module, can, bus, InverterInfypower(bus, GROUP_ADDRESS, 4000, window_mv)


async def refusal(driver):
    try:
        await driver.connect()
    except OSError as error:
        return str(error)
    return ""


async def drive(driver, power_w, enable=1, times=8):
    """Command and poll a few times, as the task does; return what it reports."""
    for _ in range(times):
        result = await driver.command(power_w, enable)
        await driver.poll()
        await asyncio.sleep_ms(50)
    return {"result": result, "power_w": driver.power_w, "on": driver.on, "sent_w": driver.sent_w}


async def story():
    report = {}
    module, can, bus, driver = build()
    report["connect"] = await refusal(driver)
    report["ratings"] = [driver.charge_w, driver.discharge_w, driver.can_export, driver.modules, module.on]
    report["charge"] = await drive(driver, 5000)
    report["charge_mv"] = module.set_mv
    report["export"] = await drive(driver, -3000)
    report["export_mv"] = module.set_mv
    report["trip"] = [await driver.trip(0, 1), module.set_ma, module.on]
    report["off"] = await drive(driver, 0, 0, 2)
    report["log"] = module.log
    await drive(driver, 5000)
    module.refuse_zero = 1
    report["refused_stop"] = await drive(driver, 0, 0, 2)
    before = bus.transactions
    await asyncio.sleep_ms(11000)
    report["silent"] = [await driver.poll(), bus.transactions - before, module.current_ma(), module.log]
    module.refuse_zero = 0
    report["again"] = [await refusal(driver), (await drive(driver, 1000))["power_w"]]
    can.off = 1
    await asyncio.sleep_ms(1500)
    report["bus_off"] = [(await drive(driver, 1000))["power_w"], can.restarts]
    module.babble = 1
    report["babble"] = [await driver.poll(), driver.power_w]
    module.babble = 0
    module.stranger = 1
    report["stranger"] = [await driver.poll(), driver.power_w, driver.voltage_mv]
    module.stranger = 0
    module.deaf = 1
    report["deaf"] = [await driver.poll(), bus.timeouts > 0]
    for name, faults in (("deaf", {"deaf": 1}), ("error", {"error": 7}), ("window", {"window_mv": (0, 0)}),
                         ("too_high", {"window_mv": (300000, 1100000)})):  # fmt: skip
        report["refuses_" + name] = await refusal(build(**faults)[3])
    one_way = build(one_way=1)[3]
    report["one_way"] = [await refusal(one_way), one_way.can_export, one_way.discharge_w]
    report["one_way"].append((await drive(one_way, -2000))["power_w"])
    report["allocation"] = await allocation(build())
    print("report", json.dumps(report))


async def allocation(parts):
    import gc

    _module, can, bus, driver = parts
    await refusal(driver)
    ask = driver._asks[0]
    assert ask.priority == READ
    can.send = lambda identifier, data, flags: 0
    fixed = [11 << 22 | 0x23 << 16 | CONTROLLER << 8 | MODULE, 0, CAN.FLAG_EXT_ID, 0]
    turn = [0]

    def recv(message):
        turn[0] ^= 1
        if turn[0]:
            return None
        can.buffer[0], can.buffer[1] = 0x10, 0x01
        message[0] = fixed[0]
        return message

    can.recv = recv
    for _ in range(10):
        await bus.transact(ask)
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(50):
        await bus.transact(ask)
    return (gc.mem_alloc() - before) // 50


asyncio.run(story())
