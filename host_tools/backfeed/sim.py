# SPDX-License-Identifier: MIT
"""`backfeed sim`: a virtual board in real time, with a serial console, a broker and a vehicle plugged in."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from backfeed import firmware_ask
from backfeed.broker import Broker
from backfeed.errors import InputError, PartError
from backfeed.firmware_build import board_names
from backfeed.options import Number

SLICE_S = 0.2  # between two looks at the broker and at Ctrl-C


@contextmanager
def ends_on_signal() -> Iterator[None]:
    """Let TERM and a hung-up terminal end it as Ctrl-C does, so that everything that was started is ended too."""

    def end(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def serve(board_name: str, profile: str, port: int, plugged: bool, duration_s: float | None, as_json: bool) -> None:
    """Run until a signal, or for duration_s of real time."""
    from hil.plant.config import StationConfig
    from hil.plant.station import Station
    from hil.virtual_board import VirtualBoard, VirtualBoardError

    facts = firmware_ask.profile(profile)
    station = Station(StationConfig(nominal_v=facts["nominal_v"], nominal_hz=facts["nominal_hz"]))
    if plugged:
        station.vehicle.plug()
    with tempfile.TemporaryDirectory(prefix="backfeed-sim-") as folder, Broker(port=port) as broker:
        fram = Path(folder) / "fram.bin"
        network = {"mqtt_host": broker.host, "mqtt_port": broker.port}
        firmware_ask.write_settings(fram, {"profile": profile, **network})
        board = VirtualBoard(
            station, board=board_name, realtime=True, fram_path=fram, broker=(broker.host, broker.port)
        )
        try:
            with board:
                announce(board.console.port, broker, as_json)  # type: ignore[union-attr]
                until_s = 0.0
                while duration_s is None or until_s < duration_s:
                    until_s += SLICE_S  # counted here: the board's own time may lag behind the clock at the start
                    board.run_until(round(until_s * 1e6))
                    broker.check()
        except VirtualBoardError as error:
            raise PartError(f"sim: {error}") from error


def announce(device: str, broker: Broker, as_json: bool) -> None:
    """Say where the console and the broker are."""
    if as_json:
        click.echo(json.dumps({"console": device, "broker": broker.name, "host": broker.host, "port": broker.port}))
    else:
        click.echo(f"Console    {device}   (backfeed console {device}, or any terminal program)")
        click.echo(f"Broker     {broker.name} on {broker.host}:{broker.port}")
        click.echo(f"Telemetry  mosquitto_sub -h {broker.host} -p {broker.port} -v -t 'backfeed/#'")
        click.echo("Ctrl-C ends it.")
    sys.stdout.flush()


@click.command()
@click.option(
    "--board", "board_name", default="virtual", show_default=True, help="Board definition: a folder of boards/."
)
@click.option("--profile", default="uk_g98", show_default=True, help="Grid code.")
@click.option(
    "--mqtt-port", "port", type=click.IntRange(0, 65535), default=0, help="Port of the broker; 0 takes a free one."
)
@click.option("--unplugged", is_flag=True, help="Begin without a vehicle.")
@click.option("--duration", "duration_s", type=Number(0.1), help="End by itself after so many seconds.")
@click.option("--json", "as_json", is_flag=True, help="Say where console and broker are as one line of JSON.")
def sim(board_name: str, profile: str, port: int, unplugged: bool, duration_s: float | None, as_json: bool) -> None:
    """Keep a virtual board running in real time.

    Prints the serial device of its console and the broker's port. Ctrl-C ends it; no process is left behind.

    \b
    backfeed sim
    backfeed sim --board stm32h743_ref --profile ieee1547_cat_b --mqtt-port 1883
    """
    if board_name not in board_names():
        raise InputError(f"--board {board_name}: no such board; choose {', '.join(board_names())}.")
    with ends_on_signal():
        serve(board_name, profile, port, not unplugged, duration_s, as_json)
