# SPDX-License-Identifier: MIT
"""`backfeed bench`: measure what the project promises, and say how each figure came about.

ONE table of benches; each is a small module with `measure() -> float`. A bench that cannot run here
(no node, no valgrind) raises NotHere with the reason and is left out of the file, never made up.
"""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from backfeed.checkout import BUILD
from backfeed.errors import LIMIT_BROKEN, InputError, PartError

RESULT = BUILD / "bench" / "bench.json"


class NotHere(Exception):
    """A bench cannot run on this machine; the text says what is missing."""


@dataclass(frozen=True)
class Bench:
    """One figure. limit None: recorded, not judged. better: lower or higher."""

    unit: str
    limit: float | None
    better: str
    module: str
    how: str

    def holds(self, value: float) -> bool:
        """Whether a value is within the limit."""
        if self.limit is None:
            return True
        return value <= self.limit if self.better == "lower" else value >= self.limit


BENCHES: dict[str, Bench] = {
    "closed_loop_vs_realtime_x": Bench(
        "x",
        100,
        "higher",
        "closed_loop",
        "virtual time over wall time of the demo's 20 minutes, firmware, plant and broker included",
    ),
    "demo_lom_ms": Bench(
        "ms",
        500,
        "lower",
        "closed_loop",
        "demo: from the grid switch opening into the RLC island to the contactor's mains open, in the plant",
    ),
    "cycle_alloc_bytes_31bit": Bench(
        "B",
        0,
        "lower",
        "cycle_alloc",
        "heap bytes taken by 10 000 cycles of the demo's inputs on the 31-bit VM, and none under heap_lock",
    ),
    "heap_boot_kib_31bit": Bench(
        "KiB",
        None,
        "lower",
        "heap_boot",
        "heap in use on the 31-bit VM after a collection, with image, settings, profile and all five stages built",
    ),
    "firmware_mpy_kib": Bench(
        "KiB",
        None,
        "lower",
        "firmware_size",
        "sum of the .mpy files of firmware/ for xtensawin, without a board folder",
    ),
    "cycle_instructions": Bench(
        "instructions",
        None,
        "lower",
        "cycle_instructions",
        "callgrind on the unix VM: instructions per cycle.run(), the demo's inputs, difference of two run lengths",
    ),
    "lom_62116_worst_ms": Bench(
        "ms",
        500,
        "lower",
        "lom",
        "active method alone, IEC 62116 A/B/C on every profile: worst time from the grid switch to the open contactor",
    ),
    "lom_62116_median_ms": Bench("ms", 300, "lower", "lom", "the same: median of the medians"),
    "lom_passive_missed_cases": Bench(
        "cases",
        None,
        "lower",
        "lom",
        "the same set on the UK profile with passive protection alone: cases still on after 2 s",
    ),
    "lom_ndz_cells": Bench(
        "cells", 0, "lower", "lom", "13 x 13 map over dP +-30 %, dQ +-15 % at full power: cells still on after 2 s"
    ),
    "lom_q_cost_pct_rms": Bench(
        "% of rating", 2, "lower", "lom", "perturbation in a healthy grid, RMS, worst of SCR 2, 5, 20 and of ten units"
    ),
    "false_trips": Bench(
        "trips",
        0,
        "lower",
        "lom",
        "decisions of the active method in grids that are there: ramps, steps, jumps, dips, noise, recordings",
    ),
    "stage_overrun_worst_ms": Bench(
        "ms",
        100,
        "lower",
        "grid",
        "every stage of every profile on the whole firmware: grid's step to open contacts, less the delay; worst",
    ),
    "grid_false_trips": Bench(
        "trips",
        0,
        "lower",
        "grid",
        "openings in every hold, stability and ride-through case of every profile on the whole firmware",
    ),
    "freq_rms_error_mhz": Bench(
        "mHz", 10, "lower", "grid", "median of three periods, steady 50 and 60 Hz, 5 % THD, 0.2 % noise a sample"
    ),
    "freq_bound_mhz": Bench(
        "mHz", None, "lower", "grid", "Cramer-Rao bound of these three periods under the same noise alone"
    ),
    "rocof_error_max_mhz_s": Bench(
        "mHz/s", 50, "lower", "grid", "largest error over 240 ms at 0, +-0.95 and 1.05 Hz/s, 5 % THD, 0.2 % noise"
    ),
    "rocof_error_rms_mhz_s": Bench("mHz/s", None, "lower", "grid", "the same: RMS"),
    "rocof_bound_mhz_s": Bench(
        "mHz/s", None, "lower", "grid", "Cramer-Rao bound (RMS) of the same window under the same noise alone"
    ),
    "opender_disagreements": Bench(
        "cases", 0, "lower", "grid", "500 random trajectories per IEEE 1547 category, trips and times against OpenDER"
    ),
    "island_solver_x_realtime": Bench(
        "x", 100, "higher", "lom", "plant alone, one inverter in an island: simulated time over wall time"
    ),
    **{
        f"modbus_line_utilisation_{baud}": Bench(
            "%",
            90,
            "higher",
            "modbus_line",
            f"virtual board, {baud} Bd: time of read, answer of 40 registers and both silences, over the time taken",
        )
        for baud in (9600, 19200, 38400, 115200)
    },
    "trip_write_worst_ms": Bench(
        "ms",
        18.2,
        "lower",
        "modbus_line",
        "virtual board, 115200 Bd, four tasks reading all the time: 200 trip writes, await to acknowledgement; "
        "limit: one exchange in flight, the write with its acknowledgement, 3 ticks of 1 ms",
    ),
    "trip_write_worst_9600_ms": Bench(
        "ms", 133.9, "lower", "modbus_line", "as trip_write_worst_ms, at 9600 Bd, where the frames alone take 131 ms"
    ),
    "modbus_vs_umodbus_ratio": Bench(
        "x",
        None,
        "higher",
        "modbus_peers",
        "unix VM, PTY paced as 115200 Bd, 10 registers: our transactions/s over those of micropython-modbus 2.3.7",
    ),
    "modbus_alloc_bytes_per_transaction": Bench(
        "B", 0, "lower", "modbus_peers", "heap bytes each of 200 of those reads takes, the collector switched off"
    ),
    "umodbus_alloc_bytes_per_transaction": Bench(
        "B", None, "lower", "modbus_peers", "the same for micropython-modbus 2.3.7, for comparison"
    ),
    "fuzz_inputs": Bench(
        "inputs",
        None,
        "higher",
        "fuzz",
        "random and mutated inputs through all parsers and tasks on the unix VM; BACKFEED_FUZZ sets how many",
    ),
    "fuzz_escapes": Bench(
        "exceptions", 0, "lower", "fuzz", "exceptions that a parser's contract does not name, of fuzz_inputs"
    ),
    **{
        f"heap_driver_{driver}_kib_31bit": Bench(
            "KiB",
            None,
            "lower",
            "driver_heap",
            "31-bit VM: heap that importing it takes, all it imports included, and one object where it needs no bus",
        )
        for driver in (
            "ade9000",
            "modbus_bus",
            "inverter_sunspec",
            "inverter_sunspec_old",
            "inverter_quasar",
            "inverter_infypower",
            "can_mcp2515",
            "meter_eastron",
            "meter_sunspec",
            "fram_mb85rc256v",
        )
    },
    "cycle_late_bus_full_us": Bench(
        "us",
        None,
        "lower",
        "bus_jitter",
        "virtual board, whole firmware, inverter line full at 9600 Bd, 20 us for each look at the clock: worst "
        "lateness of a cycle as the firmware counts it",
    ),
    "mutation_score_pct": Bench(
        "%",
        95,
        "higher",
        "campaign",
        "mutants of protect/ and of limit/ that a test kills; the lower of the two folders",
    ),
    "reachable_states": Bench(
        "states",
        None,
        "higher",
        "campaign",
        "breadth-first over session, permission, contactor and latch; no violation",
    ),
    "campaign_cases": Bench(
        "cases", None, "higher", "campaign", "each fault in each session state of the whole firmware"
    ),
    "campaign_unsafe": Bench(
        "cases", 0, "lower", "campaign", "of these, with an invariant broken in the plant's truth"
    ),
    "pilot_open_worst_ms": Bench(
        "ms", 100, "lower", "campaign", "C left or plug pulled to open contacts and no current, 20 phases of the cycle"
    ),
    "pilot_close_worst_ms": Bench("ms", 3000, "lower", "campaign", "state C2 to closed contacts, 20 times"),
    "gate_after_stall_ms": Bench(
        "ms", 60, "lower", "campaign", "processor stands still to lowered gate, 10 phases of the cycle"
    ),
    "command_ack_median_ms": Bench(
        "ms",
        50,
        "lower",
        "mqtt",
        "real time, Mosquitto, tasks on the unix VM: publish to acknowledgement, 100 commands",
    ),
    "mqtt_setpoint_p99_ms": Bench(
        "ms",
        100,
        "lower",
        "remote",
        "virtual time, whole firmware: setpoint published until the inverter's register is written anew, 60 setpoints",
    ),
    "cycle_jitter_broker_abuse_ms": Bench(
        "ms",
        1,
        "lower",
        "jitter",
        "virtual board, whole firmware, power flowing, 20 us for each look at the clock: worst lateness of a cycle as "
        "the firmware counts it, 80 s beside each of eight bad brokers; worst",
    ),
    "cycle_jitter_broker_quiet_ms": Bench(
        "ms", None, "lower", "jitter", "the same beside a good broker, for comparison: no change is the aim"
    ),
    "mqtt_resume_worst_s": Bench(
        "s",
        61,
        "lower",
        "jitter",
        "the same eight, then serving as they should: until the next telemetry; limit: longest back-off and a second",
    ),
    "mqtt_slice_longest_cycles": Bench(
        "cycles",
        2,
        "lower",
        "slices",
        "callgrind, virtual board: instructions of the MQTT client's longest piece between two yields (greeting, "
        "1 000 messages/s, 1 MB payloads) over those of a mean cycle",
    ),
    "telemetry_cycle_budget_pct": Bench(
        "%",
        5,
        "lower",
        "slices",
        "callgrind, virtual board: instructions of the MQTT client with telemetry of every point each second over "
        "those of the 100 cycles of that second",
    ),
    "heap_peak_kib_tls": Bench(
        "KiB",
        None,
        "lower",
        "tls_heap",
        "64-bit unix VM, heap of 512 KiB, tasks compiled as for a board, mutual TLS with RSA-2048: largest heap in "
        "use while online, garbage and the 32 KiB that stand in for the FRAM included, mbedtls's C heap not",
    ),
    "heap_smallest_kib_tls": Bench(
        "KiB", None, "lower", "tls_heap", "the same: smallest heap, in steps of 8 KiB, with which it works for 4 s"
    ),
    "heap_c_kib_tls": Bench("KiB", None, "lower", "tls_heap", "the same, by massif: largest C heap that mbedtls holds"),
    "heap_growth_soak_bytes": Bench(
        "B",
        4096,
        "lower",
        "remote",
        "whole firmware, BACKFEED_SOAK_H virtual hours (1), broker restarted each 10 min: heap used, end less middle",
    ),
    "heap_growth_7d_bytes": Bench(
        "B",
        4096,
        "lower",
        "week",
        "virtual board, seven days, every task but the inverter's at its own rate, the cycle at 1 Hz, broker restarted "
        "each hour: heap after a collection, end of the week less end of its first day; fails if an event is lost",
    ),
    "power_cut_points": Bench(
        "cuts", None, "higher", "records", "tests/store: cuts at every byte of every record type"
    ),
    "power_cut_losses": Bench(
        "tests", 0, "lower", "records", "of these: tests in which an acknowledged record was lost"
    ),
    "points": Bench("points", None, "higher", "records", "rows of evse/points.py"),
    "ha_entities": Bench("entities", None, "higher", "records", "Home Assistant discovery payloads of these points"),
}


def measure_all(names: list[str], console: Console) -> dict[str, dict[str, Any]]:
    """Measure the named benches; return name -> {value, unit, limit, better, how}."""
    results: dict[str, dict[str, Any]] = {}
    for name in names:
        bench = BENCHES[name]
        try:
            with console.status(f"measuring {name}"):
                value = importlib.import_module(f"backfeed.bench.{bench.module}").measure(name)
        except NotHere as reason:
            console.print(f"{name}: not measured: {reason}", style="yellow")
            continue
        except PartError as error:
            console.print(f"{name}: not measured: {error.message}", style="red", highlight=False)
            results[name] = _row(bench, None)
            continue
        results[name] = _row(bench, value)
    return results


def _row(bench: Bench, value: float | None) -> dict[str, Any]:
    return {"value": value, "unit": bench.unit, "limit": bench.limit, "better": bench.better, "how": bench.how}


def failing(results: dict[str, dict[str, Any]]) -> list[str]:
    """Return the names whose value is missing or beyond its limit."""
    return [name for name, row in results.items() if row["value"] is None or not BENCHES[name].holds(row["value"])]


def print_table(results: dict[str, dict[str, Any]], console: Console) -> None:
    """Print the figures as a table."""
    table = Table("figure", "value", "unit", "limit", "", title="backfeed bench")
    bad = failing(results)
    for name, row in results.items():
        sign = "<=" if row["better"] == "lower" else ">="
        limit = "" if row["limit"] is None else f"{sign} {row['limit']:g}"
        value = (
            "failed" if row["value"] is None else f"{row['value']:.4g}" if row["value"] % 1 else f"{row['value']:.0f}"
        )
        table.add_row(name, value, row["unit"], limit, "does not hold" if name in bad else "holds" if limit else "")
    console.print(table)


def save(results: dict[str, dict[str, Any]], path: Path) -> None:
    """Merge the figures into path, keeping those not measured this time."""
    before = json.loads(path.read_text()) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {name: row for name, row in before.items() if name in BENCHES}
    path.write_text(json.dumps({**kept, **results}, indent=1) + "\n")


def _named(given: str) -> list[str]:
    """Return the figures that a name stands for: itself, or all of a module's (`lom`)."""
    found = [name for name, row in BENCHES.items() if given in (name, row.module)]
    if not found:
        raise InputError(f"FIGURE {given}: unknown; choose among {', '.join(BENCHES)}.")
    return found


@click.command()
@click.argument("names", nargs=-1, metavar="[FIGURE ...]")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON instead of a table.")
def bench(names: tuple[str, ...], as_json: bool) -> None:
    """Measure speed, allocation and size; write build/bench/bench.json.

    Exit code 1 when a figure is beyond its limit.

    \b
    backfeed bench
    backfeed bench cycle_alloc_bytes_31bit cycle_instructions
    backfeed bench lom
    """
    wanted = [name for given in names for name in _named(given)]
    results = measure_all(wanted or list(BENCHES), Console(stderr=True))
    if not names:
        RESULT.unlink(missing_ok=True)
    save(results, RESULT)
    if as_json:
        click.echo(json.dumps(results, indent=1))
    else:
        print_table(results, Console())
    sys.exit(LIMIT_BROKEN if failing(results) else 0)
