# SPDX-License-Identifier: MIT
"""Random console lines, terminal bytes, MQTT payloads and streams, settings and stored records on the real VM:
`fuzz_app.py KIND COUNT SEED`.

Lines and payloads are grown from valid ones, so that most pass the first check. After each input the
image must hold what the tables allow; at the end the heap must be where it was. Prints one JSON line.
"""

import asyncio
import gc
import io
import json
import random
import sys

import fuzz_records
from board.board import Board

from evse import points
from evse.image import Image
from evse.link import mqtt_packet
from evse.store.budget import BudgetStore
from evse.store.energy import EnergyStore
from evse.store.journal import JournalStore
from evse.store.recording import RecordingStore
from evse.store.sessions import SessionStore
from evse.store.settings import Settings
from evse.store.trips import TripStore
from evse.tasks import access, bringup, verbs, verbs_calibrate
from evse.tasks import station as station_module
from evse.tasks.console import ConsoleTask
from evse.tasks.journal import JournalTask
from evse.tasks.line_editor import LINE, LINE_MAX, LineEditor
from evse.tasks.mqtt_inbox import Inbox
from evse.tasks.mqtt_outbox import ACK, Outbox
from evse.tasks.records import RecordsTask
from evse.tasks.station import Station

station_module.RESTART_MS = 0
verbs_calibrate.SAMPLE_MS = 0

WORDS = [row[0] for row in verbs.VERBS] + [row[0] for row in points.POINTS]
WORDS += ["0", "1", "-1", "3000", "-7360", "99999999999", "1e9", "0.5", "nan"]
WORDS += ["user", "installer", "1234", "script", "all", "yes", "data", "off", "07:30", "voltage", "L1", "230.5"]
PATHS = ["command/" + row[0] for row in points.COMMANDS] + ["set/" + row[0] for row in points.SETTINGS]
PATHS += ["command/", "set/", "command/x/y", "", "state", "command/" + "y" * 200]
VALUES = ["0", "1", "-3000", "60", "7360", "99999", "1e999", "-0.0", "1.5", "true", "null", '"a"', "[]", "{}"]
VALUES.append('"' + "z" * 300 + '"')
KEYS = ["id", "ts", "power_w", "duration_s", "value", "unix_s", "extra"]


class Silence(io.IOBase):
    """A terminal that takes everything and types dots and returns."""

    typed = 0

    def write(self, data):
        return len(data)

    def read(self, count):
        self.typed += 1
        return b".\r"[self.typed & 1 : (self.typed & 1) + 1]

    def ioctl(self, request, argument):
        return argument if request == 3 else 0


def pick(choices):
    return choices[random.randrange(len(choices))]


def mutate(data):
    """Change some bytes of data, cut it or double a part."""
    data = bytearray(data)
    for _ in range(random.randrange(4)):
        if not data:
            break
        at = random.randrange(len(data))
        how = random.randrange(4)
        if how == 0:
            data[at] = random.getrandbits(8)
        elif how == 1:
            data = data[:at]
        elif how == 2:
            data = data[:at] + data[at : at + 8] + data[at:]
        else:
            data = data[:at] + bytes([random.getrandbits(8)]) + data[at:]
    return bytes(data)


def build():
    image = Image()
    board = Board()
    board.console = (Silence(), Silence())
    board.reset = lambda: None
    board.memory._path = None
    settings = Settings(board.memory)
    settings.energised = lambda: random.getrandbits(2) == 0
    station = Station(board, image, settings, None, None)
    station.journal_task = JournalTask(station)
    open_stores(station)
    return station


def open_stores(station):
    """Open every store, as main does."""
    memory = station.board.memory
    station.journal = JournalStore(memory)
    station.trips = TripStore(memory)
    stores = EnergyStore(memory), SessionStore(memory), BudgetStore(memory), RecordingStore(memory)
    station.records = RecordsTask(station, stores)


def check(station):
    """ValueError when the image or the settings hold what the tables forbid."""
    settings = station.settings
    for row in points.SETTINGS:
        value = getattr(settings, row[points.NAME])
        low = row[points.LOW]
        if isinstance(low, tuple):
            fine = value in low
        elif isinstance(value, str):
            fine = low <= len(value) <= row[points.HIGH]
        else:
            fine = low <= value <= row[points.HIGH]
        if not fine:
            raise ValueError("%s = %s" % (row[points.NAME], value))
    lease = station.image.mail.lease
    if lease.sequence & 1 or not -22080 <= lease.power_w <= 22080 or not 0 <= lease.duration_ms <= 86400000:
        raise ValueError("lease %d W %d ms" % (lease.power_w, lease.duration_ms))
    user = station.image.mail.user
    if user.sequence & 1 or user.stop not in (0, 1) or user.lock not in (0, 1):
        raise ValueError("user box")


async def fuzz_lines(station, count):
    access.ROUNDS = 1  # the slow hash has its own test; here it would be most of the time
    console = ConsoleTask(station)
    for number in range(count):
        words = [pick(WORDS) for _ in range(1 + random.randrange(4))]
        line = mutate(" ".join(words).encode()) if random.getrandbits(1) else " ".join(words).encode()
        text = "".join([chr(byte) for byte in line if 32 <= byte < 127])[:LINE_MAX]
        station.reboot = False
        console.level = random.randrange(3)
        await console.execute(text)
        if number % 16 == 0:
            check(station)
    return count


def fuzz_bytes(_station, count):
    editor = LineEditor()
    lines = 0
    for _ in range(count * 10):
        byte = pick(b"ab \t\r\n\x7f\x15\x17\x1b[ABC;5\x03\x00\xff") if random.getrandbits(2) else random.getrandbits(8)
        if editor.feed(byte) == LINE:
            lines += 1
            editor.start()
        if len(editor.text()) > LINE_MAX or len(editor.echo) > 3 * LINE_MAX + LINE_MAX:
            raise ValueError("line editor left its bounds")
    return lines


def fuzz_payloads(station, count):
    outbox = Outbox(station)
    inbox = Inbox(station, outbox)
    for number in range(count):
        members = ['"%s":%s' % (pick(KEYS), pick(VALUES)) for _ in range(random.randrange(4))]
        path = pick(PATHS)
        if random.getrandbits(1):
            path = "command/setpoint"
            members = ['"power_w":%d' % random.randrange(-9000, 9000), '"duration_s":%d' % random.randrange(0, 4000)]
        elif random.getrandbits(1):
            members = ['"value":%s' % pick(VALUES)]
        payload = ("{" + ",".join(members) + "}").encode()
        if random.getrandbits(1):
            payload = mutate(payload)
        if random.randrange(50) == 0:
            payload = bytes([pick(b'[{"')]) * 500
        inbox.message(path, payload, random.randrange(20) == 0, random.randrange(20) != 0, random.randrange(9) == 0)
        while outbox._acks:
            answer = json.loads(outbox._acks[0])
            if answer["result"] == "refused" and ("\n" in answer["reason"] or not answer["reason"]):
                raise ValueError("refusal %s" % answer)
            outbox.done(ACK)
        if number % 16 == 0:
            check(station)
    return inbox.accepted


def seven_bits(data):
    return bytes(byte & 127 for byte in data).decode()  # a list of characters would take eight times the room


def fuzz_settings(station, count):
    """Documents grown from an export: taken whole or not at all, and in range either way."""
    settings = station.settings
    whole = settings.export_json()
    taken = 0
    for number in range(count):
        row = pick(points.SETTINGS)
        members = ['"%s":%s' % (pick(points.SETTINGS)[0], pick(VALUES)) for _ in range(random.randrange(3))]
        if isinstance(row[points.LOW], int) and isinstance(row[points.DEFAULT], int):
            members.append('"%s":%d' % (row[0], random.randrange(row[points.LOW], row[points.HIGH] + 1)))
        text = '{"values":{%s}}' % ",".join(members)
        if random.randrange(200) == 0:
            text = seven_bits(mutate(whole.encode())) if random.getrandbits(1) else pick("[{") * 500
        elif random.getrandbits(1):
            text = seven_bits(mutate(text.encode()))
        before = settings.asked()
        errors = settings.import_json(text, random.randrange(3))
        if errors and settings.asked() != before:
            raise ValueError("half applied: %s" % text)
        taken += not errors
        if number % 16 == 0:
            check(station)
    return taken


def fuzz_streams(_station, count):
    buffer = bytearray(256)
    packets = 0
    for _ in range(count):
        size = mqtt_packet.publish(buffer, b"t/x", b"p" * random.randrange(100), random.randrange(3))
        data = mutate(bytes(buffer[:size])) + mutate(b"\x40\x02\x00\x01\xd0\x00")
        incoming = mqtt_packet.Incoming(bytearray(64))
        at = 0
        try:
            while at < len(data):
                piece = data[at : at + incoming.wanted()]
                at += len(piece)
                if incoming.take(piece):
                    packets += 1
                    mqtt_packet.read_publish(incoming)
        except mqtt_packet.PacketError:
            pass
    return packets


def run(kind, station, count):
    if kind == "lines":
        return asyncio.run(fuzz_lines(station, count))
    if kind == "records":
        console = ConsoleTask(station)
        passed = asyncio.run(fuzz_records.fuzz(station, console, count))
        check(station)
        return passed
    named = {"settings": fuzz_settings}
    if kind in named:
        return named[kind](station, count)
    return {"bytes": fuzz_bytes, "payloads": fuzz_payloads, "streams": fuzz_streams}[kind](station, count)


def main():
    kind, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    random.seed(seed)
    station = build()
    for name in {row[verbs.MODULE] for row in verbs.VERBS} | {part[0] for part in bringup.PARTS.values()}:
        __import__("evse.tasks." + name)  # also what a rare verb would load much later
    run(kind, station, min(count, 20000))  # until every ring is full
    gc.collect()
    before = gc.mem_alloc()
    passed = run(kind, station, count)
    gc.collect()
    print(json.dumps({"kind": kind, "count": count, "passed": passed, "growth": gc.mem_alloc() - before}))


main()
