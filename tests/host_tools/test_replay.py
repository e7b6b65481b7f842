# SPDX-License-Identifier: MIT
"""`backfeed replay` end to end: recordings through the firmware's sense and protect on the virtual board."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from backfeed.checkout import HIL
from backfeed.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["replay", *map(str, arguments)])


def replay(folder: Path, *arguments: object) -> dict:
    result = run(*arguments, "--json", "--report", folder / "report.html")
    assert result.exit_code == 0, result.output
    assert "plotly" in (folder / "report.html").read_text()
    return json.loads(result.stdout)


def kinds(answer: dict) -> list[tuple[str, str]]:
    return [(event["event"], event["element"]) for event in answer["events"]]


def rms_csv(path: Path, rows: list[tuple[float, float, float]]) -> Path:
    path.write_text("t,v,f\n" + "\n".join(f"{t:g},{v:g},{f:g}" for t, v, f in rows))
    return path


def test_a_healthy_grid_is_ridden(tmp_path: Path) -> None:
    answer = replay(tmp_path, rms_csv(tmp_path / "a.csv", [(t, 230 + t % 2, 50) for t in range(5)]))
    assert answer["events"] == []
    assert answer["final_state"]["in_service"]
    assert answer["profile"] == "uk_g98"


def test_an_over_voltage_trips_after_its_delay(tmp_path: Path) -> None:
    rows = [(0, 230, 50), (2, 230, 50), (2.05, 268, 50), (6, 268, 50)]
    answer = replay(tmp_path, rms_csv(tmp_path / "a.csv", rows), "--profile", "uk_g98")
    pickup = next(event for event in answer["events"] if event["event"] == "pickup")
    trip = next(event for event in answer["events"] if event["event"] == "trip")
    assert (trip["element"], trip["phase"], trip["unit"]) == ("ov1", 1, "mV")
    assert trip["value"] == pytest.approx(268000, abs=500)
    assert 1.0 <= trip["t_s"] - pickup["t_s"] <= 1.03
    assert not answer["final_state"]["in_service"]
    assert answer["final_state"]["trip_element"] == "ov1"


def test_sixty_hertz_takes_its_profile_and_a_mismatch_is_said(tmp_path: Path) -> None:
    path = rms_csv(tmp_path / "a.csv", [(t, 120 + t % 2, 60) for t in range(4)])
    answer = replay(tmp_path, path)
    assert answer["profile"] == "ieee1547_cat_b"
    assert answer["events"] == []
    mismatch = replay(tmp_path, path, "--profile", "uk_g98", "--nominal", 120)
    assert any("60 Hz grid" in note for note in mismatch["notes"])
    assert not mismatch["final_state"]["in_service"]


def test_sampled_waveforms_pass_the_front_end(tmp_path: Path) -> None:
    rate = 20000
    t_s = np.arange(4 * rate) / rate
    peak = np.where(t_s < 0.5, 325.3, 240.0)  # 170 V RMS: below 184 V for 3.5 s
    samples = peak * np.sin(2 * np.pi * 50 * t_s)
    path = tmp_path / "w.csv"
    path.write_text("va\n" + "\n".join(f"{v:.3f}" for v in samples))
    answer = replay(tmp_path, path, "--rate", rate, "--columns", "va")
    assert ("trip", "uv1") in kinds(answer)
    trip = next(event for event in answer["events"] if event["event"] == "trip")
    assert trip["t_s"] == pytest.approx(3.03, abs=0.05)
    assert trip["value"] == pytest.approx(169700, abs=700)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["absent.csv"], "FILE absent.csv: no such file"),
        (["{csv}", "--profile", "mars"], "--profile mars: unknown; choose uk_g98"),
        (["{csv}", "--rate", "-1"], "--rate"),
        (["{csv}", "--columns", "q"], "--columns q: not in"),
    ],
)
def test_bad_input_is_refused_with_code_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    path = rms_csv(tmp_path / "a.csv", [(0, 230, 50), (1, 230, 50)])
    result = run(*[word.format(csv=path) for word in arguments])
    assert result.exit_code == 2
    assert message in result.output


def test_the_earth_fault_is_ridden(recordings: Path, tmp_path: Path) -> None:
    answer = replay(tmp_path, recordings / "earth_fault_50hz_2400sps.cfg")
    assert ("trip", "uv1") not in kinds(answer)
    assert answer["final_state"]["in_service"]
    assert any("zero sequence removed" in note for note in answer["notes"])


def test_the_dead_line_trips_and_stays_off(recordings: Path, tmp_path: Path) -> None:
    answer = replay(tmp_path, recordings / "feeder_fault_dead_line_50hz_800sps.cfg", "--hold", 30)
    assert [element for event, element in kinds(answer) if event == "trip"] == ["uv1"]
    assert ("service_entered", "") not in kinds(answer)
    assert not answer["final_state"]["in_service"]


def test_the_iberian_collapse_trips_once_and_never_recloses(recordings: Path, tmp_path: Path) -> None:
    rows = (recordings / "iberia_20250428_toledo_2s.csv").read_text().splitlines()
    path = tmp_path / "iberia.csv"
    path.write_text("\n".join([rows[0], *rows[2780:2850]]))  # from 33 s before the collapse to 90 s after it
    answer = replay(tmp_path, path)
    trips = [event for event in answer["events"] if event["event"] == "trip"]
    assert len(trips) == 1
    assert trips[0]["element"] == "uv1"
    assert ("service_entered", "") not in kinds(answer)
    assert not answer["final_state"]["in_service"]
    assert any("no grid frequency" in note for note in answer["notes"])


def test_a_part_of_a_recording_is_replayed_alone(tmp_path: Path) -> None:
    rows = [(0, 230, 50), (100, 230, 50), (100.05, 268, 50), (110, 268, 50), (110.05, 230, 50), (120, 230, 50)]
    path = rms_csv(tmp_path / "a.csv", rows)
    answer = replay(tmp_path, path, "--from", 100, "--to", 105)
    assert ("trip", "ov1") in kinds(answer)
    assert any("cut to 100..110 s" in note or "cut to 100..100.05 s" in note for note in answer["notes"])
    refused = run(path, "--from", 300)
    assert refused.exit_code == 2
    assert "holds fewer than two samples" in refused.output


def test_all_of_iberia_trips_once_and_never_recloses(recordings: Path, tmp_path: Path) -> None:
    answer = replay(tmp_path, recordings / "iberia_20250428_toledo_2s.csv")
    trips = [event for event in answer["events"] if event["event"] == "trip"]
    assert [trip["element"] for trip in trips] == ["uv1"]
    assert trips[0]["t_s"] == pytest.approx(5604.8, abs=0.5)
    assert ("service_entered", "") not in kinds(answer)
    assert not answer["final_state"]["in_service"]
    assert len(answer["profile_hash"]) == 8


def test_the_readmes_example_trips_and_stays_off(tmp_path: Path) -> None:
    answer = replay(tmp_path, HIL / "scenarios" / "iberia_synthetic.csv", "--from", 56)
    assert [element for event, element in kinds(answer) if event == "trip"] == ["uv1"]
    assert answer["final_state"]["tripped"] and not answer["final_state"]["in_service"]
