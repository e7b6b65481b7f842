# SPDX-License-Identifier: MIT
"""What the simulated inverter holds in its SunSpec models at power-up, as data.

Curves and trip settings are the IEEE 1547-2018 defaults (category B; abnormal category III), scaled
to the nominal frequency.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hil.plant.config import StationConfig

CURVES = 2  # per model: one read-only (in force), one to write
POINTS = 4
TRIP_POINTS = 4


def _curve(values: dict, curve: int, points: Sequence, names: tuple[str, str], extra: dict) -> None:
    stem = f"Crv[{curve}]."
    values[stem + "ActPt"] = len(points)
    values[stem + "ReadOnly"] = 1 if curve == 0 else 0
    for name, value in extra.items():
        values[stem + name] = value
    for k, pair in enumerate(points):
        for name, value in zip(names, pair, strict=True):
            values[f"{stem}Pt[{k}].{name}"] = value


def _curves(head: dict, points: Sequence, names: tuple[str, str], extra: dict) -> dict:
    values = {"Ena": 0, "AdptCrvReq": 0, "AdptCrvRslt": 1, "NPt": POINTS, "NCrv": CURVES, **head}
    for curve in range(CURVES):
        _curve(values, curve, points, names, extra)
    return values


def _trips(head: dict, must: Sequence, name: str) -> dict:
    """must: (threshold in % of nominal or Hz, time in s) from the mildest to the hardest."""
    values = {"Ena": 1, "AdptCrvReq": 0, "AdptCrvRslt": 1, "NPt": TRIP_POINTS, "NCrvSet": CURVES, **head}
    for curve in range(CURVES):
        values[f"Crv[{curve}].ReadOnly"] = 1 if curve == 0 else 0
        for group in ("MustTrip", "MayTrip", "MomCess"):
            points = must if group == "MustTrip" else ()
            values[f"Crv[{curve}].{group}.ActPt"] = len(points)
            for k, (threshold, time_s) in enumerate(points):
                values[f"Crv[{curve}].{group}.Pt[{k}].{name}"] = threshold
                values[f"Crv[{curve}].{group}.Pt[{k}].Tms"] = time_s
    return values


def _capacity(config: StationConfig) -> dict:
    watts, va, var = config.inverter.rated_w, config.inverter.rated_va, config.inverter.rated_var
    amps = va / config.phases / config.nominal_v
    ratings = dict(WMax=watts, VAMax=va, VarMaxInj=var, VarMaxAbs=var, WChaRteMax=watts, WDisChaRteMax=watts)
    ratings.update(VAChaRteMax=va, VADisChaRteMax=va, VNom=config.nominal_v, AMax=amps)
    ratings.update(VMax=1.2 * config.nominal_v, VMin=0.5 * config.nominal_v)
    values: dict = {name + "Rtg": value for name, value in ratings.items()}
    values.update(ratings)
    modes = 1 << 0 | 1 << 1 | 1 << 2  # MAX_W, FIXED_W, FIXED_VAR
    values.update(NorOpCatRtg=1, AbnOpCatRtg=2, CtrlModes=modes, IntIslandCatRtg=0, IntIslandCat=0)
    values.update(W_SF=0, PF_SF=-2, VA_SF=0, Var_SF=0, V_SF=-1, A_SF=-1, S_SF=0)
    return values


def _controls() -> dict:
    off = "PFWInjEna PFWInjEnaRvrt PFWAbsEna PFWAbsEnaRvrt WMaxLimPctEna WMaxLimPctEnaRvrt WSetEna WSetEnaRvrt"
    zero = "WSet WSetRvrt WSetPct WSetPctRvrt WSetRvrtTms WSetRvrtRem VarSetEna VarSetEnaRvrt VarSet VarSetRvrt"
    more = "VarSetPct VarSetPctRvrt VarSetRvrtTms VarSetRvrtRem VarSetPri WMaxLimPctRvrtTms WMaxLimPctRvrtRem"
    values = dict.fromkeys(f"{off} {zero} {more}".split(), 0)
    values.update(WMaxLimPct=100, WMaxLimPctRvrt=100, WSetMod=1, VarSetMod=4, WRmp=200, WRmpRef=1, AntiIslEna=0)
    values.update(PF_SF=-2, WMaxLimPct_SF=-1, WSet_SF=0, WSetPct_SF=-1, VarSet_SF=0, VarSetPct_SF=-1)
    return values


def _droop(hz: float) -> dict:
    values: dict[str, Any] = {
        "Ena": 0,
        "AdptCtlReq": 0,
        "AdptCtlRslt": 1,
        "NCtl": CURVES,
        "Db_SF": -3,
        "K_SF": -2,
        "RspTms_SF": 0,
    }
    for k in range(CURVES):
        row = dict(DbOf=0.036 * hz / 60, DbUf=0.036 * hz / 60, KOf=0.05, KUf=0.05, RspTms=5, PMin=-100)
        values.update({f"Ctl[{k}].{name}": value for name, value in row.items()})
        values[f"Ctl[{k}].ReadOnly"] = 1 if k == 0 else 0
    return values


def _dc_port(config: StationConfig) -> dict:
    values: dict[str, Any] = dict(PrtAlrms=0, NPrt=1, DCA=0, DCW=0, DCWhInj=0, DCWhAbs=0)
    values.update(DCA_SF=-2, DCV_SF=-1, DCW_SF=0, DCWH_SF=0, Tmp_SF=-1)
    port: dict[str, Any] = dict(
        PrtTyp=5, ID=1, IDStr="EV", DCA=0, DCV=config.vehicle.dc_v_empty, DCW=0, DCWhInj=0, DCWhAbs=0
    )
    port.update(Tmp=config.ambient_c, DCSta=0, DCAlrm=0)
    values.update({f"Prt[0].{name}": value for name, value in port.items()})
    return values


def _measures(config: StationConfig) -> dict:
    live = "St InvSt ConnSt Alrm DERMode W VA Var PF A LNV Hz TotWhInj TotWhAbs TmpAmb TmpCab ThrotPct ThrotSrc"
    live += " WL1 VarL1 AL1 VL1" + (" LLV WL2 VarL2 AL2 VL2 WL3 VarL3 AL3 VL3" if config.phases == 3 else "")
    values = dict.fromkeys(live.split(), 0)
    values.update(ACType=2 if config.phases == 3 else 0, DERMode=1)
    values.update(A_SF=-2, V_SF=-1, Hz_SF=-3, W_SF=0, PF_SF=-2, VA_SF=0, Var_SF=0, TotWh_SF=0, Tmp_SF=-1)
    return values


def power_up(config: StationConfig) -> dict[int, dict[str, Any]]:
    """Return {model: {point: value}} for a SunSpecMap."""
    hz = config.nominal_hz
    scale = hz / 60
    identity = dict(Mn="backfeed", Md="Simulated bidirectional inverter", Vr="1", SN="SIM-0001", DA=1)
    enter = dict(ES=1, ESVHi=105, ESVLo=91.7, ESHzHi=60.1 * scale, ESHzLo=59.5 * scale, ESDlyTms=0, ESRndTms=0)
    enter.update(ESRmpTms=0, ESDlyRemTms=0, V_SF=-1, Hz_SF=-2)
    volt_head = {"V_SF": -1, "DeptRef_SF": -1, "RspTms_SF": 0}
    volt_var = ((92, 44), (98, 0), (102, 0), (108, -44))
    volt_watt = ((106, 100), (110, 20))
    watt_var = ((20, 0), (50, 0), (100, -44))
    v_head, f_head = {"V_SF": -1, "Tms_SF": -2}, {"Hz_SF": -2, "Tms_SF": -2}
    return {
        1: identity,
        701: _measures(config),
        702: _capacity(config),
        703: enter,
        704: _controls(),
        705: _curves(volt_head, volt_var, ("V", "Var"), dict(DeptRef=1, Pri=0, VRef=100, VRefAutoEna=0, RspTms=5)),
        706: _curves(volt_head, volt_watt, ("V", "W"), dict(DeptRef=0, RspTms=10)),
        707: _trips(v_head, ((88, 21.0), (50, 2.0)), "V"),
        708: _trips(v_head, ((110, 13.0), (120, 0.16)), "V"),
        709: _trips(f_head, ((58.5 * scale, 300.0), (56.5 * scale, 0.16)), "Hz"),
        710: _trips(f_head, ((61.2 * scale, 300.0), (62.0 * scale, 0.16)), "Hz"),
        711: _droop(hz),
        712: _curves({"W_SF": -1, "DeptRef_SF": -1}, watt_var, ("W", "Var"), dict(DeptRef=1, Pri=0)),
        713: dict(WHRtg=config.vehicle.capacity_wh, WHAvail=0, SoC=0, SoH=100, Sta=0, WH_SF=1, Pct_SF=-1),
        714: _dc_port(config),
        715: dict(LocRemCtl=0, DERHb=0, ControllerHb=0, AlarmReset=0, OpCtl=1),
    }
