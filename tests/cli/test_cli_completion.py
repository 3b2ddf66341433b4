"""A shell offers names of experiments, keys, recipes and runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in ("recipes/de-en.yaml", "recipes/notes.txt", "runs/mine/run.json", "runs/other/x"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("nmt experiment ord", "order"),
        ("nmt train recipes/de-en.yaml mod", "model."),
        ("nmt train recipes/de-en.yaml na", "name="),
        ("nmt train recipes/de-en.yaml training.sel", "training.select="),
        ("nmt recipe explain training.sel", "training.select"),
        ("nmt recipe show rec", "recipes/de-en.yaml"),
        ("nmt train r", "recipes/de-en.yaml runs/mine"),
        ("nmt translate ru", "runs/mine"),
        ("nmt info ru", "runs/mine"),
        ("nmt exper", "experiment"),
    ],
)
def test_what_was_begun_is_completed(folder: Path, typed: str, offered: str) -> None:
    asked = {"_NMT_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "nmt"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == offered.split()
