"""The Dockerfile, as far as it can be checked without building it."""

from __future__ import annotations

import json
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

from nmt.serving import openapi
from tests.docs.test_commands import parse

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def arguments(instruction: str) -> list[str]:
    """What follows an instruction, for each time that it occurs."""
    return [line.removeprefix(f"{instruction} ") for line in LINES if line.startswith(f"{instruction} ")]


def sent(path: str) -> bool:
    """Whether a file is sent to the daemon: the last pattern that matches it, or a folder above it, decides."""
    parts = path.split("/")
    names = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    wanted = True
    for pattern in IGNORED:
        bare = pattern.removeprefix("!")
        if any(_matches(name, bare) for name in names):
            wanted = pattern.startswith("!")
    return wanted


def _matches(name: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return fnmatch(name.rpartition("/")[2], pattern.removeprefix("**/"))
    return name.count("/") == pattern.count("/") and fnmatch(name, pattern)


def test_everything_that_is_copied_exists_and_is_sent() -> None:
    sources = [source for copied in arguments("COPY") for source in copied.split()[:-1]]
    assert "nmt" in sources
    for source in sources:
        assert (ROOT / source).exists()
        assert sent(source)


def test_data_of_the_package_are_sent() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    for pattern in package["nmt"]:
        assert all(sent(f"nmt/{path.relative_to(ROOT / 'nmt')}") for path in (ROOT / "nmt").glob(pattern))


@pytest.mark.parametrize(
    "path",
    [
        *(".venv/bin/python", ".git/config", ".env", "keys.txt", "runs/de-en/model.safetensors"),
        *("cache/text", "results/x", "docs/results/a.json", "nmt/cli/__pycache__/app.pyc"),
    ],
)
def test_environments_runs_history_and_keys_stay_outside(path: str) -> None:
    assert not sent(path)


def test_the_command_is_one_of_nmt_and_serves_on_the_port_that_is_exposed_and_checked() -> None:
    (entry,), (command,) = arguments("ENTRYPOINT"), arguments("CMD")
    assert json.loads(entry) == ["nmt"]
    given = parse(json.loads(command))
    assert given["host"] == "0.0.0.0"
    (port,) = arguments("EXPOSE")
    assert port == "5000"  # the default of nmt serve
    checked = re.findall(r"127\.0\.0\.1:(\d+)(/\w+)", arguments("HEALTHCHECK")[0])
    assert checked == [(port, "/health")]
    assert "/health" in openapi.PATHS


def test_python_extras_and_the_pin_of_torch_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert arguments("FROM") == [f"python:{project['requires-python'].removeprefix('>=')}-slim"]
    extras = re.findall(r"'\.\[(.+)\]'", arguments("RUN")[1])[0].split(",")
    assert set(extras) <= project["optional-dependencies"].keys()
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert len([pin for pin in pins if pin.startswith("torch==")]) == 1
