# SPDX-License-Identifier: MIT
"""The `backfeed` command: a table of contents. Each command lives in a module of its own."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from backfeed.errors import CTRL_C

# name -> module:attribute; imported only when it is asked for, so that `backfeed --help` stays quick.
COMMANDS = {
    "demo": "backfeed.demo:demo",
    "sim": "backfeed.sim:sim",
    "replay": "backfeed.replay:replay",
    "flash": "backfeed.flash:flash",
    "console": "backfeed.console:console",
    "bringup": "backfeed.bringup:bringup",
    "settings": "backfeed.settings:settings",
    "trips": "backfeed.trips:trips",
    "points": "backfeed.points:points_command",
    "profile": "backfeed.profile:profile",
    "evidence": "backfeed.evidence:evidence",
    "campaign": "backfeed.campaign:campaign",
    "bench": "backfeed.bench:bench",
}


class Contents(click.Group):
    """Loads a command's module when the command is named, and gives Ctrl-C its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            click.echo("ended", err=True)
            ctx.exit(CTRL_C)


@click.command(cls=Contents, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="backfeed")
def main() -> None:
    """Firmware tools of a bidirectional EV charger's controller.

    \b
    backfeed demo                        the whole firmware against a simulated plant
    backfeed replay recording.cfg        how the protection answers a recording
    backfeed flash /dev/ttyACM0 --board esp32s3_ref

    Exit codes: 0 done, 1 a limit does not hold, 2 bad input, 3 a part died or is missing, 130 Ctrl-C.
    """


if __name__ == "__main__":
    sys.exit(main())
