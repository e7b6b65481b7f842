# SPDX-License-Identifier: MIT
"""`backfeed flash PORT --board NAME`: put compiled firmware and a board's definition on a MicroPython board."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import click
from rich.console import Console
from rich.progress import Progress

from backfeed import firmware_build
from backfeed.board_link import BoardLink, check_port
from backfeed.console_link import ConsoleLink
from backfeed.errors import InputError, PartError
from backfeed.firmware_build import BoardFile
from backfeed.options import Number
from backfeed.progress import progress_on

READY = " ready on "  # in the first line of the firmware's console
READY_TIMEOUT_S = 30.0
CONSOLE_TIMEOUT_S = 1.0
# Folders that are ours: a file there that we do not write is a leftover, and a .py beside a .mpy would win the import.
OURS = ("evse", "board")
START = "main.py"  # what the port runs after boot.py, which makes the outputs safe and starts the watchdog
PLATFORMS = {"esp32": "esp32", "stm32": "pyboard"}  # board port -> sys.platform


@dataclass
class Outcome:
    """What a flash did."""

    port: str
    board: str
    release: str = ""
    files: int = 0
    written: int = 0
    bytes_written: int = 0
    removed: list[str] = field(default_factory=list)
    ready: str = ""


def refuse_while_energised(port: str) -> None:
    """Refuse when firmware of ours runs there with its contactor closed: it would not let go of the console."""
    with ConsoleLink(port) as link:
        try:
            link.script(CONSOLE_TIMEOUT_S)
            answer = link.ask("get contactor", timeout_s=CONSOLE_TIMEOUT_S)
        except PartError:
            return  # no console of ours there: a blank board, or its prompt
    if answer.value("contactor") == "1":
        raise InputError(
            f"PORT {port}: power flows, the contactor is closed; `backfeed console {port} stop` first, then flash."
        )


def stale(link: BoardLink, files: list[BoardFile]) -> list[str]:
    """Return files on the board in folders of ours that this firmware does not have."""
    wanted = {file.path for file in files}
    present = [path for folder in OURS for path in link.list_files(folder)]
    return sorted(path for path in present if path not in wanted)


def check_room(link: BoardLink, files: list[BoardFile], free_bytes: int) -> None:
    """Refuse before the first byte when the files cannot fit beside what they replace."""
    largest = max(len(file.content) for file in files)
    total = sum(len(file.content) for file in files)
    if free_bytes < largest:
        raise PartError(
            f"{link.port}: {free_bytes} bytes free, {total} needed; remove files from the board or use a larger flash."
        )


def differing(link: BoardLink, files: list[BoardFile], progress: Progress) -> list[BoardFile]:
    """Return the files that the board lacks or has otherwise."""
    found = []
    for file in progress.track(files, description="compare"):
        link.feed()
        if link.sha256(file.path) != file.sha256:
            found.append(file)
    return found


def put(link: BoardLink, files: list[BoardFile], outcome: Outcome, progress: Progress) -> None:
    """Write files and prove each by its SHA-256 on the board."""
    task = progress.add_task("flash", total=sum(len(file.content) for file in files))
    for file in files:
        progress.update(task, description=file.path)
        link.feed()
        link.write_file(file.path, file.content)
        outcome.written += 1
        outcome.bytes_written += len(file.content)
        if link.sha256(file.path) != file.sha256:
            raise PartError(f"{link.port}: {file.path} reads back wrong; its flash may be worn out or full.")
        progress.advance(task, len(file.content))


def renew(link: BoardLink, files: list[BoardFile], outcome: Outcome, progress: Progress) -> None:
    """Bring the board's files up to date.

    START goes first and comes back last: whenever this is cut, the board starts nothing. A mix of two versions, each
    of its files whole, would start after the watchdog's reset, and nobody has ever tried that mix.
    """
    changed, leftovers = differing(link, files, progress), stale(link, files)
    outcome.files = len(files)
    if not changed and not leftovers:
        return
    start = [file for file in files if file.path == START]
    try:
        if link.sha256(START) is not None:
            link.remove(START)
        for path in leftovers:
            link.remove(path)
            outcome.removed.append(path)
        put(link, [*(file for file in changed if file.path != START), *start], outcome, progress)
    except (KeyboardInterrupt, PartError):
        click.echo("flash: not finished; the board starts nothing until it is flashed again.", err=True)
        raise


def flash_board(port: str, board: str, console: Console, wait_s: float = READY_TIMEOUT_S) -> Outcome:
    """Compile, copy, verify, reset, wait for ready. port: device or URL; board: a folder of boards/."""
    check_port(port)
    definition = firmware_build.board_definition(board)
    files = firmware_build.build(board)
    refuse_while_energised(port)
    outcome = Outcome(port, board)
    with BoardLink(port) as link, progress_on(console) as progress:
        identity = link.identity()
        outcome.release = identity["release"]
        expected = PLATFORMS.get(definition["port"])
        if identity["platform"] not in (expected, "linux"):
            raise InputError(
                f"--board {board} is for {definition['port']}, but {port} runs MicroPython for {identity['platform']};"
                f" choose one of {', '.join(firmware_build.board_names())}."
            )
        check_room(link, files, identity["free_bytes"])
        renew(link, files, outcome, progress)
        link.reset()
        outcome.ready = link.wait_for_line(READY, wait_s)
    return outcome


@click.command()
@click.argument("port")
@click.option("--board", required=True, help="Board definition: a folder of boards/.")
@click.option(
    "--wait",
    "wait_s",
    type=Number(1, 300),
    default=READY_TIMEOUT_S,
    show_default=True,
    help="Seconds to wait for the firmware's ready line.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def flash(port: str, board: str, wait_s: float, as_json: bool) -> None:
    """Put the firmware on a MicroPython board and start it.

    Compiles with mpy-cross for the board's processor, writes only files that differ, proves each by its SHA-256 on
    the board, resets it and waits for the firmware's ready line. Refused while power flows; stops the application and
    feeds the watchdog meanwhile. A flash that is cut leaves a board that starts nothing, never a mix of two versions.

    \b
    backfeed flash /dev/ttyACM0 --board esp32s3_ref
    backfeed flash /dev/ttyACM0 --board stm32h743_ref --json
    """
    outcome = flash_board(port, board, Console(stderr=True), wait_s)
    if as_json:
        click.echo(json.dumps(outcome.__dict__))
        return
    kib = outcome.bytes_written / 1024
    click.echo(f"{outcome.files} files, {outcome.written} written ({kib:.1f} KiB), all hashes right.")
    for path in outcome.removed:
        click.echo(f"removed leftover {path}")
    click.echo(outcome.ready)
