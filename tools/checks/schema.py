"""Requests that schemathesis generates from the OpenAPI document of a server: the responses match the document."""

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
from tools.checks.served_run import served_runs
from tools.checks.server import serving

CHECKED = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
REPORT = "report.xml"


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """One trial for each operation, with at most ``count`` requests in each phase of schemathesis."""
    if find_spec("schemathesis") is None:
        raise SkippedError("needs schemathesis: pip install 'nmt-recipes[checks]'")
    with (
        served_runs(runs) as found,
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
    )  # it writes a cache into its working folder
    if not (folder / REPORT).exists():
        return [Trial("schemathesis", f"exit {done.returncode}: {(done.stdout + done.stderr)[-300:]}")]
    return [Trial(case.get("name", ""), _fault(case)) for case in ElementTree.parse(folder / REPORT).iter("testcase")]


def _fault(case: ElementTree.Element) -> str | None:
    told = [each for each in case if each.tag in ("failure", "error", "skipped")]
    return " ".join(f"{each.tag}: {each.get('message')}" for each in told) or None
