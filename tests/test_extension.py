"""A model family and an attention of another package work with every command.

The package is `tests/extension/`: two modules and the metadata of an installation, on the path of a new process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECIPE = """
data: {{train: train.tsv, valid: valid.tsv, overlap: keep}}
vocabulary: {{size: 292}}
model: {model}
training: {{updates: 4, save_every: 2, threads: 1, device: cpu, precision: fp32, warmup: 1}}
search: {{beam: 2, max_ratio: 1}}
"""
COMMANDS = """
import json, sys
from nmt.cli.app import main

for arguments in json.loads(sys.argv[1]):
    sys.argv = ["nmt", *arguments]
    try:
        main()
    except SystemExit as leaving:
        if leaving.code:
            raise
"""

SERVED = """
import json
from pathlib import Path

from starlette.testclient import TestClient

from nmt.serving.admission import Limits
from nmt.serving.app import build
from nmt.serving.models import Models
from nmt.serving.service import Service

with TestClient(build(Service(Models.load([Path("runs/toy")], 400), Limits(), None))) as client:
    (model,) = client.get("/frontend/settings").json()["models"]
    asked = {"q": "rot Haus", "source": "de", "target": "en"}
    seen = [client.post("/inspect", json={**asked, "kind": kind}).json()["kind"] for kind in model["kinds"]]
    print(json.dumps([model["title"], seen == model["kinds"], client.post("/translate", json=asked).status_code]))
"""


def run(folder: Path, *commands: list[str], root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs commands in one process that finds the other package."""
    return python(folder, COMMANDS, json.dumps(commands), root=root)


def python(folder: Path, code: str, *arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs code in a process that finds the other package."""
    path = os.pathsep.join([str(root), str(ROOT / "tests" / "extension")])
    call = [sys.executable, "-c", code, *arguments]
    return subprocess.run(call, cwd=folder, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("model", "kind", "title"),
    [
        ("{family: toy, width: 6}", "occlusion", "toy of width 6"),
        (
            "{attention: mean, embedding: 8, encoder: {hidden: 4}, decoder: {hidden: 8}}",
            "attention",
            "LSTM, mean of the encoder states",
        ),
    ],
)
def test_it_trains_translates_inspects_bundles_and_is_served(tmp_path: Path, model: str, kind: str, title: str) -> None:
    _write(tmp_path, model)
    done = run(
        tmp_path,
        ["train", "toy.yaml", "--quiet"],
        ["bundle", "runs/toy", "-o", "toy.nmt"],
        ["translate", "toy.nmt", "--text", "rot Haus", "--json"],
        ["inspect", "runs/toy", "rot Haus", "--json"],
    )
    assert done.returncode == 0, done.stderr
    translated, _, inspected = done.stdout.partition("\n")
    assert json.loads(translated)["source"] == "rot Haus"
    assert json.loads(inspected)["kind"] == kind
    with zipfile.ZipFile(tmp_path / "toy.nmt") as bundle:
        assert title in bundle.read("README.md").decode()
    if all(map(find_spec, ("fastapi", "lxml"))):  # the extra serve
        served = python(tmp_path, SERVED)
        assert served.returncode == 0, served.stderr
        assert json.loads(served.stdout) == [title, True, 200]


def test_an_attention_of_this_package_is_one_file(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "nmt", copy / "nmt")
    source = (ROOT / "tests" / "extension" / "toy_attention.py").read_text("utf8")
    (copy / "nmt" / "models" / "attentions" / "average.py").write_text(f"{source}\n\nATTENTION = MeanAttention\n")
    _write(tmp_path, "{attention: average, embedding: 8, encoder: {hidden: 4}, decoder: {hidden: 8}}")
    done = run(tmp_path, ["train", "toy.yaml", "--quiet"], ["inspect", "runs/toy", "rot", "--json"], root=copy)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kind"] == "attention"
    assert run(tmp_path, ["recipe", "show", "toy.yaml"]).returncode == 2  # without the file


def _write(folder: Path, model: str) -> None:
    """A recipe with this model, and its corpus."""
    words = [f"{one} {other}" for one in ("rot", "blau", "klein") for other in ("Haus", "Baum", "Hund", "Ball")]
    for name, part in (("train", words[2:]), ("valid", words[:2])):
        (folder / f"{name}.tsv").write_text("".join(f"{each}\t{each.upper()}\n" for each in part), "utf8")
    (folder / "toy.yaml").write_text(RECIPE.format(model=model), "utf8")


def test_a_wrong_key_of_its_recipe_section_is_named(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(RECIPE.format(model="{family: toy, with: 6}"), "utf8")
    done = run(tmp_path, ["recipe", "show", "toy.yaml"])
    assert done.returncode == 2
    assert "toy.yaml:4: model.with: not a key of model in family toy; did you mean width?" in done.stderr
