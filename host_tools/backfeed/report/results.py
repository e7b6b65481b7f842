# SPDX-License-Identifier: MIT
"""Results for machines: JSON with value, unit, limit and margin of each check, and JUnit XML."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from backfeed.report.model import Check, Run


def as_dict(run: Run) -> dict[str, Any]:
    """Return a run without its traces."""
    return {
        "name": run.name,
        "title": run.title,
        "passed": run.passed,
        "facts": run.facts,
        "checks": [_check(check) for check in run.checks],
        "events": run.events,
    }


def _check(check: Check) -> dict[str, Any]:
    value = None if check.value is None or math.isnan(check.value) else check.value
    return {
        "name": check.name,
        "text": check.text,
        "value": value,
        "unit": check.unit,
        "low": check.low,
        "high": check.high,
        "margin": check.margin,
        "passed": check.passed,
        "why": check.why,
    }


def write_json(run: Run, path: Path) -> None:
    """Write results.json."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_dict(run), indent=1) + "\n", encoding="utf-8")


def write_junit(run: Run, path: Path, duration_s: float) -> None:
    """Write JUnit XML, a test case per check. duration_s: real time of the run."""
    failed = [check for check in run.checks if not check.passed]
    suite = ElementTree.Element(
        "testsuite", name=run.name, tests=str(len(run.checks)), failures=str(len(failed)), time=f"{duration_s:.3f}"
    )
    for check in run.checks:
        case = ElementTree.SubElement(suite, "testcase", classname=run.name, name=check.name)
        measured = check.why or f"{check.value} {check.unit}"
        if not check.passed:
            ElementTree.SubElement(case, "failure", message=f"{check.text}: {measured}, allowed {check.allowed}")
        ElementTree.SubElement(case, "system-out").text = f"{measured} (allowed {check.allowed}, margin {check.margin})"
    path.parent.mkdir(parents=True, exist_ok=True)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
