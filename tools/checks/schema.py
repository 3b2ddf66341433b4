"""Requests that schemathesis makes from the OpenAPI document of the server: answers are of the kinds and shapes that it promises."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from tools.checks.check import SkippedError, Trial
from tools.checks.client import Address
from tools.checks.server import serving
from tools.checks.subject import subjects

CHECKED = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
REPORT = "report.xml"


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """Each operation of the interface, with at most so many requests made up for each of the tool's phases."""
    if find_spec("schemathesis") is None:
        raise SkippedError("needs schemathesis: pip install 'nmt-recipes[checks]'")
    with (
        subjects(runs) as found,
        serving([found[0].path]) as (address, _),
        tempfile.TemporaryDirectory(prefix="nmt-check-") as name,
    ):
        yield from _operations(address, count, Path(name))


def _operations(address: Address, count: int, folder: Path) -> list[Trial]:
    options = (
        "--max-examples",
        str(count),
        "--generation-deterministic",
        "--checks",
        CHECKED,
        "--report",
        "junit",
        "--report-junit-path",
        REPORT,
    )
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address.url}/openapi.json", *options]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )  # it leaves a cache where it is run
    if not (folder / REPORT).exists():
        return [Trial("schemathesis", f"exit {done.returncode}: {(done.stdout + done.stderr)[-300:]}")]
    return [Trial(case.get("name", ""), _fault(case)) for case in ElementTree.parse(folder / REPORT).iter("testcase")]


def _fault(case: ElementTree.Element) -> str | None:
    told = [each for each in case if each.tag in ("failure", "error", "skipped")]
    return " ".join(f"{each.tag}: {each.get('message')}" for each in told) or None
