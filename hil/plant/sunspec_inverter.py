# SPDX-License-Identifier: MIT
"""The inverter behind its SunSpec registers: live points, setpoints, reversion timer, heartbeat.

SunSpec counts generation as positive; the plant counts charging as positive: the sign turns here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hil.plant import modbus_server as modbus
from hil.plant.state import FOREVER_US, RUNNING, STARTING
from hil.plant.sunspec_map import BASE, Point, SunSpecMap
from hil.plant.sunspec_values import power_up

if TYPE_CHECKING:
    from hil.plant.station import Station

_SECOND_US = 1_000_000
_WSET_GROUP = ("704.WSetEna", "704.WSetMod", "704.WSet", "704.WSetPct", "704.WSetRvrtTms")
_VAR_GROUP = ("704.VarSetEna", "704.VarSetMod", "704.VarSet", "704.VarSetPct", "704.VarSetRvrtTms")


class SunSpecInverter:
    """Register bank wired to unit 0 of a station. Addresses start at 40000."""

    def __init__(self, station: Station, heartbeat_timeout_s: float = 5.0):
        self._station = station
        self._unit = station.unit(0)
        self._world = station.world[0]
        self.map = SunSpecMap(power_up(station.config))
        self.heartbeat_timeout_us = int(heartbeat_timeout_s * _SECOND_US)
        self.now_us = 0  # plant time of the last request or timer
        self.lease_due_us = FOREVER_US
        self.var_lease_due_us = FOREVER_US
        self.heartbeat_due_us = FOREVER_US
        self.heartbeat_lost = False
        self.frozen = False
        self.lease_dead = False
        self.soc_missing = False
        self.soc_frozen = False
        self.soc_value: float | None = None
        self._writers = self._writer_table()
        if station.config.inverter.own_anti_islanding_var_hz:
            self.map.set_raw("704.AntiIslEna", 1)
        self.refresh()

    @property
    def due_us(self) -> int:
        """When the next of its own timers runs out."""
        return min(self.lease_due_us, self.var_lease_due_us, self.heartbeat_due_us)

    # Reading

    def read(self, address: int, count: int) -> list[int]:
        """Return registers; the live ones as of now."""
        self.now_us = max(self.now_us, self._station.t_us)
        first = address - BASE
        if first < 0 or first + count > len(self.map.registers):
            raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
        if not self.frozen:
            self.refresh(first, count)
        return self.map.registers[first : first + count]

    def refresh(self, first: int = 0, count: int = 10**6) -> None:
        """Bring the live points of the models that lie in the range up to date."""
        models = self.map.models
        for model, update in ((701, self._measure), (704, self._count), (713, self._storage), (714, self._dc)):
            start = models[model]
            if start < first + count and first < start + self.map.registers[start + 1] + 2:
                update()
        self.map.set_raw("715.DERHb", self.now_us // _SECOND_US & 0x7FFFFFFF)

    def _measure(self) -> None:
        unit, put = self._unit, self.map.set
        p, q = -unit.power_w, -unit.reactive_var
        volts = unit.voltage_v
        size = math.hypot(p, q)
        put("701.W", p)
        put("701.Var", q)
        put("701.VA", size)
        put("701.PF", p / size if size > 1.0 else 1.0)
        amps = math.hypot(unit["id"], unit["iq"]) / math.sqrt(2)
        put("701.A", amps)
        put("701.LNV", volts)
        put("701.Hz", unit.frequency_hz)
        put("701.TotWhInj", self._world["ac_export_wh"].item())
        put("701.TotWhAbs", self._world["ac_import_wh"].item())
        put("701.TmpAmb", self._world["ambient_c"].item())
        put("701.TmpCab", self._world["board_c"].item())
        self._phases(p, q, amps)
        state = int(unit["state"])
        self.map.set_raw("701.InvSt", state)
        self.map.set_raw("701.St", int(state in (STARTING, RUNNING)))
        self.map.set_raw("701.ConnSt", int(unit["connected"]))
        self.map.set_raw("701.Alrm", int(unit["alarm"]))

    def _phases(self, p: float, q: float, amps: float) -> None:
        put, count = self.map.set, self._station.config.phases
        lines = self._station.lines
        for k in range(count):
            put(f"701.WL{k + 1}", p / count)
            put(f"701.VarL{k + 1}", q / count)
            put(f"701.AL{k + 1}", amps)
            put(f"701.VL{k + 1}", lines["afe_v_rms"][k].item() if self._unit["connected"] else 0.0)
        if count == 3:
            put("701.LLV", self._unit.voltage_v * math.sqrt(3))

    def _count(self) -> None:
        for point, due_us in (("WSetRvrtRem", self.lease_due_us), ("VarSetRvrtRem", self.var_lease_due_us)):
            left_us = due_us - self.now_us if due_us < FOREVER_US else 0
            self.map.set_raw(f"704.{point}", -(-max(left_us, 0) // _SECOND_US))

    def _storage(self) -> None:
        if self.soc_missing:
            self.map.blank("713.SoC")
            return
        soc = self._station.vehicle.soc if self.soc_value is None else self.soc_value
        if not self.soc_frozen:
            self.map.set("713.SoC", 100.0 * soc)
            self.map.set("713.WHAvail", self._world["soc_wh"].item())

    def _dc(self) -> None:
        put, w = self.map.set, self._world
        power = -w["battery_w"].item()
        empty, full = w["dc_v_empty"].item(), w["dc_v_full"].item()
        volts = empty + (full - empty) * self._station.vehicle.soc
        for stem in ("714.", "714.Prt[0]."):
            put(stem + "DCA", power / volts)
            put(stem + "DCW", power)
            put(stem + "DCWhInj", w["dc_out_wh"].item())
            put(stem + "DCWhAbs", w["dc_in_wh"].item())
        put("714.Prt[0].DCV", volts)
        put("714.Prt[0].Tmp", w["battery_c"].item())
        self.map.set_raw("714.Prt[0].DCSta", int(bool(w["plugged"])))

    # Writing

    def write(self, address: int, words: list[int]) -> None:
        """Take registers; the whole write is checked before anything changes."""
        self.now_us = max(self.now_us, self._station.t_us)
        first = address - BASE
        points = self._covered(first, len(words))
        for point in points:
            raw = 0
            for word in words[point.address - first : point.address - first + point.width]:
                raw = raw << 16 | word
            if point.choices and raw not in point.choices:
                raise modbus.ModbusError(modbus.ILLEGAL_VALUE)
            limit = _LIMITS.get(point.path)
            if limit is not None and not self._within(point, raw, limit):
                raise modbus.ModbusError(modbus.ILLEGAL_VALUE)
        self.map.registers[first : first + len(words)] = words
        self._apply({point.path for point in points})

    def _covered(self, first: int, count: int) -> list[Point]:
        """Return the points a write covers; all whole, implemented and writable."""
        points, at = [], first
        while at < first + count:
            point = self.map.by_address.get(at)
            if point is None or point.address != at or not point.writable or not point.implemented:
                raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
            points.append(point)
            at += point.width
        if at != first + count:
            raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
        return points

    def _within(self, point: Point, raw: int, limit: tuple[float, str]) -> bool:
        """Check a value against share * the rating it belongs to (a point), both in its own unit."""
        if point.kind.startswith("int") and raw >> (16 * point.width - 1):
            raw -= 1 << 16 * point.width
        share, rating = limit
        top = share * (self.map.get(rating) if rating else 1.0)
        return abs(raw * self.map.factor(point.path)) <= top + 1e-9

    def _writer_table(self) -> tuple:
        return (
            (_WSET_GROUP, self._arm_power),
            (_VAR_GROUP, self._arm_reactive),
            (("704.WMaxLimPctEna", "704.WMaxLimPct"), self._limit),
            (("704.WRmp",), self._ramp),
            (("704.AntiIslEna",), self._anti_islanding),
            (("702.WChaRteMax", "702.WDisChaRteMax"), self._rates),
            (("703.ES", "715.OpCtl"), self._operate),
            (("715.ControllerHb",), self._heartbeat),
            (("715.AlarmReset",), self._reset),
        )

    def _apply(self, paths: set[str]) -> None:
        for names, action in self._writers:
            if not paths.isdisjoint(names):
                action()

    def _lease_end(self, point: str) -> int:
        seconds = self.map.raw(point)
        return self.now_us + seconds * _SECOND_US if seconds else FOREVER_US

    def _arm_power(self) -> None:
        self.lease_due_us = self._lease_end("704.WSetRvrtTms")
        self._set_power()

    def _set_power(self) -> None:
        m = self.map
        power = 0.0
        if m.raw("704.WSetEna") and not self.heartbeat_lost:
            if m.raw("704.WSetMod") == 1:
                power = m.get("704.WSet")
            else:
                power = m.get("704.WSetPct") / 100 * m.get("702.WMax")
        self._unit.set(power_w=-power, at_us=self.now_us)

    def _arm_reactive(self) -> None:
        self.var_lease_due_us = self._lease_end("704.VarSetRvrtTms")
        self._set_reactive()

    def _set_reactive(self) -> None:
        m = self.map
        reactive = 0.0
        if m.raw("704.VarSetEna") and not self.heartbeat_lost:
            mode = m.raw("704.VarSetMod")
            if mode == 4:
                reactive = m.get("704.VarSet")
            else:
                base = (m.get("702.WMax"), m.get("702.VarMaxInj"), m.get("702.VarMaxInj"), m.get("702.VAMax"))[mode]
                reactive = m.get("704.VarSetPct") / 100 * base
        self._unit.set(reactive_var=-reactive, at_us=self.now_us)

    def _limit(self) -> None:
        on = self.map.raw("704.WMaxLimPctEna")
        self._unit["w_limit_share"] = self.map.get("704.WMaxLimPct") / 100 if on else 1.0

    def _ramp(self) -> None:
        self._unit["ramp_w_s"] = self.map.raw("704.WRmp") / 100 * self.map.get("702.WMax")

    def _anti_islanding(self) -> None:
        share = 0.1 if self.map.raw("704.AntiIslEna") else 0.0
        configured = self._station.config.inverter.own_anti_islanding_var_hz
        self._unit["ai_gain_var_hz"] = (configured or share * self.map.get("702.WMax")) if share else 0.0

    def _rates(self) -> None:
        self._unit["rate_charge_w"] = self.map.get("702.WChaRteMax")
        self._unit["rate_discharge_w"] = self.map.get("702.WDisChaRteMax")

    def _operate(self) -> None:
        running = self.map.raw("715.OpCtl") in (1, 3)
        self._unit["started"] = int(running and self.map.raw("703.ES") == 1)

    def _heartbeat(self) -> None:
        self.heartbeat_due_us = self.now_us + self.heartbeat_timeout_us
        if self.heartbeat_lost:
            self.heartbeat_lost = False
            self._set_power()
            self._set_reactive()

    def _reset(self) -> None:
        if self.map.raw("715.AlarmReset") == 1 and not self._unit["self_trip"]:
            self._unit["tripped"] = 0
            self._unit["alarm"] = 0
        self.map.set_raw("715.AlarmReset", 0)

    # Time

    def elapse(self, now_us: int) -> None:
        """Let its own timers run out: reversion of W and var, heartbeat supervision."""
        self.now_us = max(self.now_us, now_us)
        if now_us >= self.lease_due_us:
            self.lease_due_us = FOREVER_US
            if not self.lease_dead:
                self._revert("704.WSet", ("", "Pct", "Ena"))
                self._set_power()
        if now_us >= self.var_lease_due_us:
            self.var_lease_due_us = FOREVER_US
            self._revert("704.VarSet", ("", "Pct", "Ena"))
            self._set_reactive()
        if now_us >= self.heartbeat_due_us:
            self.heartbeat_due_us = FOREVER_US
            self.heartbeat_lost = True
            self._set_power()
            self._set_reactive()

    def _revert(self, stem: str, suffixes: tuple[str, ...]) -> None:
        for suffix in suffixes:
            self.map.set_raw(stem + suffix, self.map.raw(stem + suffix + "Rvrt"))


# Largest magnitude a written value may have: share of a rating (or a plain number).
_LIMITS: dict[str, tuple[float, str]] = {
    "702.WChaRteMax": (1.0, "702.WChaRteMaxRtg"),
    "702.WDisChaRteMax": (1.0, "702.WDisChaRteMaxRtg"),
    "702.WMax": (1.0, "702.WMaxRtg"),
    "702.VAMax": (1.0, "702.VAMaxRtg"),
    "702.VarMaxInj": (1.0, "702.VarMaxInjRtg"),
    "702.VarMaxAbs": (1.0, "702.VarMaxAbsRtg"),
    "704.WSet": (1.0, "702.WMaxRtg"),
    "704.WSetRvrt": (1.0, "702.WMaxRtg"),
    "704.WSetPct": (100.0, ""),
    "704.WSetPctRvrt": (100.0, ""),
    "704.WMaxLimPct": (100.0, ""),
    "704.VarSet": (1.0, "702.VarMaxInjRtg"),
    "704.VarSetRvrt": (1.0, "702.VarMaxInjRtg"),
    "704.VarSetPct": (100.0, ""),
    "704.VarSetPctRvrt": (100.0, ""),
    "704.WSetRvrtTms": (86400.0, ""),
    "704.VarSetRvrtTms": (86400.0, ""),
}
