# SPDX-License-Identifier: MIT
"""Run the firmware's inverter task and a meter against a faulty line in virtual time, and say what came of it."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests" / "bus"), str(ROOT / "tests" / "boards"), str(ROOT)]

from faulty_line import CALM_S, KINDS, Episode, FaultyLine, Schedule  # noqa: E402
from faulty_tcp import TCP_KINDS, FaultyTcp  # noqa: E402
from tiny import TinyPlant  # noqa: E402
from truth_device import Devices  # noqa: E402

from hil.virtual_board import VirtualBoard  # noqa: E402

UARTS = {"esp32s3_ref": (1, 17, 18, 21)}
TCP_HOST = "192.168.1.50"  # both devices behind one gateway, as on the line
FIRST_FAULT_S = 10.0  # clean until then, so that the clocks are compared on a good line
LONGEST_DELAY_MS = 1500.0  # of a delayed answer: far beyond the 200 ms that the master waits
STALE_MS = 2000
# After a calm line: the longest pause between two tries (30 s), a discovery that may begin with one silent address
# (3 x 2 tries of 200 ms), ratings and the first status.
RECOVERY_S = 36.0


class Plant(TinyPlant):
    """The line, or what answers over TCP, is all there is."""

    def __init__(self, line: FaultyLine | FaultyTcp):
        super().__init__()
        self.line = line
        self.tcp = {}
        if isinstance(line, FaultyTcp):
            self.tcp[TCP_HOST + ":502"] = line
        else:
            self.serial = {"inverter": line}

    def advance(self, t_us, outputs):
        self.times.clear()
        self.driven.clear()
        self.line.run_to(t_us)
        return super().advance(t_us, outputs)


@dataclass
class Outcome:
    """board: its report; changes: (virtual s, believed or not); line and devices: what they counted."""

    board: dict
    changes: list[tuple[float, bool]]
    line: FaultyLine | FaultyTcp
    devices: Devices

    def recoveries_s(self) -> list[float]:
        """Return, for each long calm after an episode, how long sense went on disbelieving; inf: to its end."""
        return recoveries_s(self.line.schedule, self.changes, self.board["looks"] / 100)


def recoveries_s(schedule: Schedule, changes: list[tuple[float, bool]], end_s: float) -> list[float]:
    """Return, for each long calm that ended before end_s, how long it took until there was belief; inf: to its end."""
    times = []
    for episode in schedule.episodes:
        if episode.calm_us >= CALM_S * 1e6 and (episode.end_us + episode.calm_us) / 1e6 < end_s:
            times.append(_recovery_s(episode, changes))
    return times


def _recovery_s(episode: Episode, changes: list[tuple[float, bool]]) -> float:
    start_s = episode.end_us / 1e6
    believed = False
    recovered_s = start_s
    for at_s, ok in changes:
        if at_s > start_s + episode.calm_us / 1e6:
            break
        believed = ok
        recovered_s = max(start_s, at_s)
    return recovered_s - start_s if believed else float("inf")


def run(
    seconds: int,
    seed: int,
    bus: str = "rtu",
    firmware: str | Path = "firmware",
    kinds: tuple[str, ...] | None = None,
    baud: int = 115200,
) -> Outcome:
    """Run `seconds` of virtual time over "rtu" or "tcp" under these kinds of faults (all)."""
    devices = Devices()
    known = KINDS if bus == "rtu" else TCP_KINDS
    schedule = Schedule(seed, round(FIRST_FAULT_S * 1e6), kinds or known, known[-3:])
    line: FaultyLine | FaultyTcp
    if bus == "rtu":
        line = FaultyLine(devices, baud, schedule, seed, LONGEST_DELAY_MS)
    else:
        line = FaultyTcp(devices, schedule, seed, LONGEST_DELAY_MS)
    arguments = tuple(
        str(number) for number in (seconds, TCP_HOST if bus == "tcp" else "-", baud, *UARTS["esp32s3_ref"])
    )
    board = VirtualBoard(
        Plant(line), board="esp32s3_ref", entry=HERE / "vm" / "campaign.py", arguments=arguments, firmware=firmware
    )
    with board:
        changes: list[tuple[float, bool]] = []
        text = follow(board, seconds, changes)
    return Outcome(json.loads(text), changes, line, devices)


def follow(board: VirtualBoard, seconds: int, changes: list[tuple[float, bool]]) -> str:
    """Run to the end, turning the board's lines into changes; return its report."""
    pending = b""
    while not board.finished and board.now_us < (seconds + 60) * 1e6:
        board.run(10)
        for t_us, data in board.console.chunks:
            pending += data
            *lines, pending = pending.split(b"\n")
            for line in lines:
                if line.startswith(b"report "):
                    return line[7:].decode()
                if re.match(rb"(ok|lost)\b", line):
                    changes.append((t_us / 1e6, line.startswith(b"ok")))
        if board.finished:
            break
        board.console.chunks.clear()
    raise RuntimeError(f"the board gave no report: {board.console.text[-2000:]} {pending!r}")


def main() -> None:
    """campaign.py SECONDS SEED rtu|tcp [FIRMWARE]: print the figures as JSON."""
    seconds, seed = (int(word) for word in sys.argv[1:3])
    print(json.dumps(figures(run(seconds, seed, *sys.argv[3:5])), indent=1))


def figures(outcome: Outcome) -> dict:
    """What a run comes to."""
    recoveries = outcome.recoveries_s()
    return {
        **outcome.board,
        "episodes": len(outcome.line.schedule.episodes),
        "requests": outcome.line.requests,
        "requests_refused": outcome.line.refused,
        "hits": outcome.line.hits,
        "recoveries": len(recoveries),
        "longest_recovery_s": round(max(recoveries, default=0.0), 2),
        "setpoints": outcome.devices.inverter.setpoints,
        "zeros": outcome.devices.inverter.zeros,
        "setpoint_errors": outcome.devices.inverter.errors[:10],
    }


if __name__ == "__main__":
    main()
