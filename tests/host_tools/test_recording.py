# SPDX-License-Identifier: MIT
"""Recordings are read for what they are, and everything done to them is said."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from backfeed.errors import InputError
from backfeed.recording import load
from backfeed.recording.fit import fit
from backfeed.recording.model import RMS, WAVEFORM, Choice, Recording
from backfeed.recording.repair import repair, say_dead_bus
from backfeed.recording.shape import even_rate, first_frequency, lead_in, tail


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def three_phase(rate_hz: float, frequency_hz: float, rms_v: float, seconds: float) -> Recording:
    t_s = np.arange(round(seconds * rate_hz)) / rate_hz
    angles = 2 * np.pi * frequency_hz * t_s[:, None] - np.array([0, 2, 4]) * np.pi / 3
    return Recording("made", WAVEFORM, t_s, rms_v * np.sqrt(2) * np.cos(angles), channels=["va", "vb", "vc"])


def said(recording: Recording, text: str) -> bool:
    return any(text in note for note in recording.notes)


def test_rms_csv_with_dates_and_nan(tmp_path: Path) -> None:
    rows = [
        "L1 Voltage,Frequency,time",
        "230,50.0,28-Apr-2025 11:00:00",
        "NaN,NaN,28-Apr-2025 11:00:02",
        "232,50.2,28-Apr-2025 11:00:04",
    ]
    recording = load(write(tmp_path / "a.csv", "\n".join(rows)), Choice())
    assert recording.kind == RMS
    assert recording.duration_s == 4
    repair(recording)
    assert recording.voltage_v[1, 0] == pytest.approx(231)
    assert recording.frequency_hz is not None and recording.frequency_hz[1] == pytest.approx(50.1)
    assert said(recording, "1 rows with missing values, first at 2 s")


def test_a_long_hole_is_no_measurement(tmp_path: Path) -> None:
    rows = ["t,v,f"] + [f"{t},{'NaN' if 10 < t < 40 else 230},50" for t in range(60)]
    recording = load(write(tmp_path / "a.csv", "\n".join(rows)), Choice())
    repair(recording)
    assert np.isnan(recording.voltage_v[20, 0])
    assert said(recording, "front end stands still")


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    recording = load(
        write(tmp_path / "a.csv", "time_s;u1;u2;u3;freq\n0;230,5;231;229,5;50,01\n1;230;231;229;50,02\n"), Choice()
    )
    assert recording.voltage_v[0].tolist() == [230.5, 231.0, 229.5]
    assert recording.frequency_hz is not None and recording.frequency_hz[0] == 50.01


def test_waveform_gz_needs_a_rate_and_takes_columns(tmp_path: Path) -> None:
    path = tmp_path / "w.csv.gz"
    path.write_bytes(gzip.compress(b"ia,va,vb,vc\n" + b"\n".join(b"1,%d,2,3" % i for i in range(100))))
    with pytest.raises(InputError, match="give --rate"):
        load(path, Choice())
    recording = load(path, Choice(rate_hz=20000))
    assert recording.channels == ["va", "vb", "vc"]
    assert load(path, Choice(columns=("vb",), rate_hz=20000)).voltage_v[5, 0] == 2
    with pytest.raises(InputError, match="--columns nope: not in w.csv.gz; its columns are ia, va, vb, vc"):
        load(path, Choice(columns=("nope",), rate_hz=20000))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "empty"),
        ("a.csv", "t,x\n1,2\n", "no voltage column recognised"),
        ("a.csv", "va,f\n1,2\n2,3\n", "a frequency is 30..80 Hz"),
        ("a.csv", "v,f\n\x1b[31m,50\n\x00,50\n", "no text; save it as CSV"),
        ("a.wav", "x", "unknown kind '.wav'"),
        ("a.cfg", "x", "a.dat is missing"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(write(tmp_path / name, text), Choice())
    assert "\n" not in caught.value.message


def test_rows_out_of_order_are_sorted_and_said(tmp_path: Path) -> None:
    recording = load(write(tmp_path / "a.csv", "t,v,f\n0,230,50\n2,232,50\n1,231,50\n3,233,50\n"), Choice())
    assert recording.voltage_v[:, 0].tolist() == [230, 231, 232, 233]
    assert said(recording, "time runs backwards in 1 places, first in row 3")
    assert not said(load(write(tmp_path / "b.csv", "t,v,f\n0,230,50\n1,231,50\n"), Choice()), "backwards")


@pytest.mark.parametrize("header", ["t,v,f", "t,va,vb"])  # RMS rows, samples
def test_a_rate_that_is_told_goes_before_the_time_column_and_says_so(tmp_path: Path, header: str) -> None:
    path = write(tmp_path / "a.csv", header + "\n0,230,50\n0.002,231,50\n0.004,231,50\n")
    assert load(path, Choice()).duration_s == pytest.approx(0.004)
    told = load(path, Choice(rate_hz=1000))
    assert told.duration_s == pytest.approx(0.002)
    assert said(told, "1000 rows a second, as told; column t is not looked at")


def test_a_column_with_one_number_is_refused(tmp_path: Path) -> None:
    recording = load(write(tmp_path / "a.csv", "t,v,f\n0,230,50\n1,abc,50\n"), Choice())
    with pytest.raises(InputError, match="fewer than two numbers in v; name the voltages"):
        repair(recording)


def test_missing_file_and_broken_comtrade(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load(tmp_path / "absent.csv", Choice())
    write(tmp_path / "a.cfg", "not a configuration")
    write(tmp_path / "a.dat", "1,2,3")
    with pytest.raises(InputError, match="not readable as COMTRADE"):
        load(tmp_path / "a.cfg", Choice())


@pytest.mark.parametrize(
    ("level_v", "scaled_v"), [(230, 230), (255, 255), (27600, 230), (57.7, 230), (1.0, 230), (400, 230.9)]
)
def test_the_nominal_is_found(level_v: float, scaled_v: float) -> None:
    recording = three_phase(8000, 50, level_v, 0.5)
    fit(recording, 230.0)
    assert np.sqrt(np.mean(np.square(recording.voltage_v))) == pytest.approx(scaled_v, rel=0.005)
    assert said(recording, "nominal")


def test_a_named_nominal_is_the_recordings_or_the_profiles() -> None:
    own = three_phase(8000, 50, 26000, 0.5)
    fit(own, 230.0, named_v=27600)
    assert np.sqrt(np.mean(np.square(own.voltage_v))) == pytest.approx(230 * 26000 / 27600, rel=1e-6)
    other = three_phase(8000, 50, 26000, 0.5)
    fit(other, 230.0, named_v=230)
    assert np.sqrt(np.mean(np.square(other.voltage_v))) == pytest.approx(230, rel=1e-6)
    with pytest.raises(InputError, match="--nominal 5000"):
        fit(three_phase(8000, 50, 26000, 0.5), 230.0, named_v=5000)


def test_zero_sequence_leaves_a_network_recording_only() -> None:
    for network, left in ((True, 0.0), (False, 20.0)):
        recording = three_phase(8000, 50, 57.7 if network else 230, 0.5)
        recording.voltage_v = recording.voltage_v + 20.0
        recording.network = network
        fit(recording, 230.0)
        assert abs(recording.voltage_v.mean(axis=1)).max() == pytest.approx(left, abs=1e-6)


def test_dead_bus_with_a_frequency_is_said() -> None:
    recording = Recording(
        "made", RMS, np.arange(4.0), np.array([[230.0], [230], [4], [4]]), np.array([50, 49, 47.4, 40])
    )
    say_dead_bus(recording, 230.0)
    assert said(recording, "dead bus from 2 s (0.02 pu) still reports 47.40..40.00 Hz")


@pytest.mark.parametrize("frequency_hz", [47.6, 50.0, 50.04, 60.0, 61.3])
def test_lead_in_and_tail_join_the_recording(frequency_hz: float) -> None:
    recording = three_phase(20000, frequency_hz, 230, 0.5)
    found_hz = first_frequency(recording.voltage_v, 20000)
    assert found_hz == pytest.approx(frequency_hz, abs=0.02)
    before = lead_in(recording.voltage_v, 20000, found_hz, 0.1, None)
    after = tail(recording.voltage_v, 20000, 50.0, 0.1, 230.0)
    for joined in (np.concatenate((before, recording.voltage_v)), np.concatenate((recording.voltage_v, after))):
        step = np.abs(np.diff(joined, axis=0)).max()
        assert step < 1.05 * 230 * np.sqrt(2) * 2 * np.pi * frequency_hz / 20000


def test_a_dead_end_is_held_dead() -> None:
    recording = three_phase(20000, 50, 230, 0.2)
    recording.voltage_v[2000:] = 0.1
    assert not tail(recording.voltage_v, 20000, 50.0, 1.0, 230.0).any()


def test_sparse_samples_are_interpolated_well() -> None:
    recording = three_phase(800, 50, 230, 0.5)
    assert even_rate(recording) == 20000
    truth = three_phase(20000, 50, 230, 0.5).voltage_v[: recording.t_s.size]
    assert np.abs(recording.voltage_v - truth)[400:-400].max() < 0.02 * 230 * np.sqrt(2)


def test_the_two_comtrade_recordings(recordings: Path) -> None:
    earth = load(recordings / "earth_fault_50hz_2400sps.cfg", Choice())
    assert earth.voltage_v.shape == (5316, 3)
    assert said(earth, "83 rate segments")
    dead = load(recordings / "feeder_fault_dead_line_50hz_800sps.dat", Choice())
    assert dead.channels == ["F5-VA", "F6-VB", "F7-VC"]
    assert dead.stated_nominal_v == pytest.approx(57.8)
