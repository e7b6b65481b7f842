# SPDX-License-Identifier: MIT
"""A simulated SunSpec inverter of before IEEE 1547-2018, in place of the station's own: models 101 or 103, 120-123
and, if it has storage control, 124.

Storage control after the public model text: InWRte and OutWRte bound the charging and the discharging rate in percent
of WChaMax while StorCtl_Mod has their bit; a negative one forces the other direction. Without model 124 it is a
source that gives all it can up to WMaxLimPct. Written from the model definitions, not from the driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hil.plant import modbus_server as modbus
from hil.plant.meter import RtuPort
from hil.plant.sunspec_map import BASE, SunSpecMap

if TYPE_CHECKING:
    from hil.plant.station import Station

CHARGE_BIT, DISCHARGE_BIT = 1, 2
# Names of a curve's pairs and its scale factors, by model
PAIRS = {
    **dict.fromkeys((129, 130, 137, 138, 139, 140), ("Tms", "V", {"Tms_SF": -2, "V_SF": -1})),
    **dict.fromkeys((135, 136, 141, 142, 143, 144), ("Tms", "Hz", {"Tms_SF": -2, "Hz_SF": -2})),
    126: ("V", "VAr", {"V_SF": -1, "DeptRef_SF": -1}),
    131: ("W", "PF", {"W_SF": -1, "PF_SF": -3}),
    132: ("V", "W", {"V_SF": -1, "DeptRef_SF": -1}),
    134: ("Hz", "W", {"Hz_SF": -2, "W_SF": -1}),
}


def curve(model: int, pairs: Sequence[tuple[float, float]], enabled: int = 1) -> dict[str, Any]:
    """Return the points of a curve model, with the one curve in force. pairs: in the order of its registers."""
    left, right, factors = PAIRS[model]
    values: dict[str, Any] = dict(ActCrv=1, ModEna=enabled, NCrv=1, NPt=20, **factors)
    values["curve.ActPt"] = len(pairs)
    for k, (first, second) in enumerate(pairs, 1):
        values[f"curve.{left}{k}"] = first
        values[f"curve.{right}{k}"] = second
    return values


def power_up(rated_w: float, phases: int, storage: bool) -> dict[int, dict[str, Any]]:
    """Return {model: {point: value}} for a SunSpecMap."""
    measured: dict[str, Any] = dict(
        A=0, W=0, Hz=50, WH=0, St=8, Evt1=0, A_SF=-2, V_SF=-1, W_SF=0, Hz_SF=-2, VAr=0, VAr_SF=0, WH_SF=0
    )
    measured.update({f"PhVph{phase}": 0 for phase in "ABC"[:phases]})
    models: dict[int, dict[str, Any]] = {
        1: dict(Mn="backfeed", Md="Simulated older inverter", SN="SIM-OLD", DA=1),
        103 if phases == 3 else 101: measured,
        120: dict(DERTyp=82, WRtg=rated_w, WRtg_SF=1, VARtg=rated_w, VARtg_SF=1),
        121: dict(WMax=rated_w, VRef=230, WMax_SF=1, VRef_SF=0),
        122: dict(ECPConn=1),
        123: dict(Conn=1, WMaxLimPct=100, WMaxLimPct_RvrtTms=0, WMaxLim_Ena=0, WMaxLimPct_SF=-1),
    }
    if storage:
        models[120].update(DERTyp=82, MaxChaRte=rated_w, MaxChaRte_SF=1, MaxDisChaRte=rated_w, MaxDisChaRte_SF=1)
        models[124] = dict(WChaMax=rated_w, StorCtl_Mod=0, ChaState=0, ChaSt=6, OutWRte=100, InWRte=100)
        models[124].update(InOutWRte_RvrtTms=0, ChaGriSet=0, WChaMax_SF=1, ChaState_SF=-2, InOutWRte_SF=-2)
    return models


class OldInverter:
    """Register bank wired to unit 0 of a station."""

    def __init__(self, station: Station, storage: bool = True, more: dict[int, dict[str, Any]] | None = None):
        config = station.config
        self._station = station
        self._unit = station.unit(0)
        self.storage = storage
        self.map = SunSpecMap({**power_up(config.inverter.rated_w, config.phases, storage), **(more or {})})
        self.measured = 103 if config.phases == 3 else 101
        self.writes: list[tuple[int, list[int]]] = []
        self._unit["started"] = 1

    def read(self, address: int, count: int) -> list[int]:
        """Return registers as of now."""
        first = address - BASE
        if first < 0 or first + count > len(self.map.registers):
            raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
        put, unit = self.map.set, self._unit
        put(f"{self.measured}.W", -unit.power_w)
        put(f"{self.measured}.VAr", -unit.reactive_var)
        put(f"{self.measured}.Hz", unit.frequency_hz)
        for phase in "ABC"[: self._station.config.phases]:
            put(f"{self.measured}.PhVph{phase}", unit.voltage_v)
        self.map.set_raw(f"{self.measured}.St", int(unit["state"]) + 1)
        self.map.set_raw(f"{self.measured}.Evt1", int(unit["alarm"]))
        self.map.set_raw("122.ECPConn", int(unit["connected"]))
        if self.storage:
            put("124.ChaState", 100.0 * self._station.vehicle.soc)
        return self.map.registers[first : first + count]

    def write(self, address: int, words: list[int]) -> None:
        """Take registers; all whole, writable and implemented, or none."""
        first = address - BASE
        for at in range(first, first + len(words)):
            point = self.map.by_address.get(at)
            if point is None or not point.writable:
                raise modbus.ModbusError(modbus.ILLEGAL_ADDRESS)
            if not point.implemented and words[at - first] != 0xFFFF:
                raise modbus.ModbusError(modbus.ILLEGAL_VALUE)
        self.writes.append((address, list(words)))
        self.map.registers[first : first + len(words)] = words
        self._unit.set(power_w=self._power(), at_us=self._station.t_us)

    def _power(self) -> float:
        """Return the power it wants, + = charging."""
        get = self.map.get
        cap = get("123.WMaxLimPct") / 100 if self.map.raw("123.WMaxLim_Ena") else 1.0
        if not self.storage:
            return -cap * get("121.WMax")
        most = get("124.WChaMax")
        mode = self.map.raw("124.StorCtl_Mod")
        high = get("124.InWRte") / 100 * most if mode & CHARGE_BIT else most
        low = -get("124.OutWRte") / 100 * most if mode & DISCHARGE_BIT else -most
        if not mode or not self.map.raw("124.ChaGriSet"):
            return 0.0
        return min(max(0.0, low), high)


def install(station: Station, storage: bool = True, more: dict[int, dict[str, Any]] | None = None) -> OldInverter:
    """Put an older inverter in place of the station's own, on the same line and address. more: further models."""
    old = OldInverter(station, storage, more)
    station.serial["inverter"] = RtuPort(old, 1, station.inverter.baud, turnaround_ms=2.0)
    return old
