# SPDX-License-Identifier: MIT
"""Watches a run: the plant's truth at every sync of the virtual board, and the firmware's own word over MQTT."""

from __future__ import annotations

import json
import threading
from typing import Any

import paho.mqtt.client as mqtt

from backfeed.broker import Broker
from backfeed.errors import PartError
from backfeed.report.model import Run
from backfeed.tables import faults, points
from hil.plant.station import Station

SAMPLE_US = 100_000  # of what changes slowly
FAST_US = 3_000_000  # after a stimulus every sync is kept
END_TIMEOUT_S = 10
# Telemetry shown as traces: point, divisor to the trace's unit.
MEASURED = {
    "wanted_w": 1.0,
    "allowed_w": 1.0,
    "grid_w": 1.0,
    "inverter_w": 1.0,
    "soc_permille": 10.0,
    "voltage_l1_mv": 1000.0,
    "frequency_uhz": 1e6,
    "lease_ms": 1000.0,
    "wait_ms": 1000.0,
    "service": 1.0,
    "trip": 1.0,
}
UNITS = {"soc_permille": "%", "voltage_l1_mv": "V", "frequency_uhz": "Hz", "lease_ms": "s", "wait_ms": "s"}
CODES = {
    "pilot_state": faults.PILOT_STATES,
    "session_state": faults.SESSION_STATES,
    "reason": tuple(row[0] for row in faults.REASONS),
    "owner": faults.SERVICES,
}


class Truth:
    """A sync hook of the virtual board that keeps what really happens in the plant."""

    def __init__(self, run: Run, station: Station) -> None:
        self._station = station
        self._truth = station.truth
        self._voltage = run.trace("voltage", "V")
        self._frequency = run.trace("frequency", "Hz")
        self._power = run.trace("power", "W")
        self._soc = run.trace("soc", "%")
        self._contactor = run.trace("contactor", "", ("open", "closed"))
        self._gate = run.trace("gate", "", ("down", "up"))
        self._mains = run.trace("mains", "", ("lost", "there"))
        self._coil = run.trace("coil", "", ("off", "on"))
        self._current = run.trace("current", "", ("none", "flows"))
        self._next_us = 0
        self._fast_until_us = 0
        self._states = (-1, -1, -1, -1, -1)

    def stimulus(self, t_us: int) -> None:
        """Look closely from t_us on."""
        self._fast_until_us = t_us + FAST_US
        self._next_us = t_us

    def __call__(self, t_us: int, outputs: Any, inputs: Any) -> None:
        truth = self._truth
        states = (
            int(truth.contactor_closed),
            int(truth.gate_up),
            int(truth.island_us < 0),
            int(outputs.contactor),
            int(t_us - truth.current_end_us < 1000),
        )
        if states != self._states:
            self._change(t_us, states)
        if t_us >= self._next_us:
            self._sample(t_us)

    def _change(self, t_us: int, states: tuple[int, int, int, int, int]) -> None:
        truth = self._truth
        before = self._states
        self._states = states
        # The plant keeps the instant itself; a sync only notices it up to 10 ms later.
        exact = (
            truth.contactor_closed_us if states[0] else truth.contactor_opened_us,
            t_us if states[1] else truth.gate_dropped_us,
            t_us if states[2] else truth.island_us,
            t_us,
            t_us if states[4] else truth.current_end_us,
        )
        traces = (self._contactor, self._gate, self._mains, self._coil, self._current)
        for trace, state, old, at_us in zip(traces, states, before, exact, strict=True):
            if state != old:
                trace.add((at_us if 0 <= at_us <= t_us else t_us) / 1e6, state)

    def _sample(self, t_us: int) -> None:
        t_s = t_us / 1e6
        truth = self._truth
        self._voltage.add(t_s, truth.voltage_v)
        self._frequency.add(t_s, truth.frequency_hz if truth.voltage_v > 20 else float("nan"))
        self._power.add(t_s, truth.power_w if self._states[0] == 1 else 0.0)
        self._soc.add(t_s, truth.soc * 100)
        self._next_us = t_us + (0 if t_us < self._fast_until_us else SAMPLE_US)

    def end(self, t_us: int) -> None:
        """Draw every state to the end of the run."""
        self._sample(t_us)
        for trace in (self._contactor, self._gate, self._mains, self._coil, self._current):
            if trace.values:
                trace.add(t_us / 1e6, trace.values[-1])


class Telemetry:
    """A client of the broker that keeps the firmware's telemetry, events and answers.

    boot_s: plant time at which the firmware's own time began.
    """

    def __init__(self, run: Run, broker: Broker, device_id: str, boot_s: float) -> None:
        self._run = run
        self._broker = broker
        self._base = f"backfeed/{device_id}/"
        self._boot_s = boot_s
        self._end = threading.Event()
        self._ready = threading.Event()
        self.answers: list[dict[str, Any]] = []
        self.latest: dict[str, Any] = {}
        self.messages = 0
        self._traces = {name: run.trace(name, UNITS.get(name, _unit(name))) for name in MEASURED}
        self._coded = {name: run.trace(name, "", codes) for name, codes in CODES.items()}
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="backfeed-recorder")
        self._client.on_message = self._message
        self._client.on_subscribe = lambda *arguments: self._ready.set()
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self._client.subscribe([(self._base + "#", 1), ("backfeed-recorder/end", 1)])
        if not self._ready.wait(END_TIMEOUT_S):
            raise PartError(f"the broker {broker.name} did not take a subscription within {END_TIMEOUT_S} s")

    def close(self, quietly: bool = False) -> None:
        """Wait until everything published so far has come, and leave. quietly: do not wait, the run has failed."""
        if not quietly:
            self._client.publish("backfeed-recorder/end", b"", qos=1)
            if not self._end.wait(END_TIMEOUT_S):
                self._broker.check()
                raise PartError(f"the broker {self._broker.name} did not deliver within {END_TIMEOUT_S} s")
        self._client.disconnect()
        self._client.loop_stop()

    def _message(self, client: Any, data: Any, message: Any) -> None:
        if message.topic == "backfeed-recorder/end":
            self._end.set()
            return
        self.messages += 1
        kind = message.topic.removeprefix(self._base)
        if kind not in ("telemetry", "events", "ack"):
            return
        content = json.loads(message.payload)
        if kind == "ack":
            self.answers.append(content)
        elif kind == "events":
            names = ("event", "element", "phase", "value", "unit")
            self._run.events.append({"t_s": self._plant_s(content), **{name: content[name] for name in names}})
        else:
            self._take(content)

    def _plant_s(self, content: dict[str, Any]) -> float:
        return round(float(content["t_s"]) + self._boot_s, 6)

    def _take(self, content: dict[str, Any]) -> None:
        t_s = self._plant_s(content)
        self.latest = {**content, "plant_s": t_s}
        for name, trace in self._traces.items():
            if name in content:
                trace.add(t_s, content[name] / MEASURED[name])
        for name, trace in self._coded.items():
            if content.get(name) in CODES[name]:
                trace.add(t_s, CODES[name].index(content[name]))


def _unit(name: str) -> str:
    row = points.find(name)
    return str(row[points.UNIT]) if row else ""
