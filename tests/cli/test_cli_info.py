from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nmt.faults import InputFault
from nmt.recipe import reading
from nmt.text import hub

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt


def test_info_tells_what_is_in_a_run(nmt: Nmt) -> None:
    nmt("evaluate", "-q", "runs/toy")
    out = nmt("info", "runs/toy").out.decode()
    for words in ("finished after 60", "60 planned", "4 valid", "296 pieces, joint", "median", "longest", "fp32", "BLEU", "nrefs:1"):
        assert words in out
    assert reading.dump(reading.read(Path("runs/toy/recipe.yaml"))) in out


def test_info_as_json_holds_the_recipe_and_the_scores(nmt: Nmt) -> None:
    nmt("evaluate", "-q", "runs/toy")
    found = json.loads(nmt("info", "runs/toy", "--json").out)
    assert found["recipe"]["model"]["reader"] == "bahdanau"
    assert found["scores"][0]["test"] == "test"


def test_info_of_what_is_no_run_is_refused(nmt: Nmt) -> None:
    assert nmt("info", ".").status == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "answers"),
        (hub.UnreachableError("HF_HUB_OFFLINE is set"), "does not answer (HF_HUB_OFFLINE is set)"),
        (InputFault("data.corpus: something else"), "does not answer (data.corpus: something else)"),
    ],
)
def test_doctor_tells_what_there_is_to_work_with(nmt: Nmt, monkeypatch: pytest.MonkeyPatch, answer: Exception | None, words: str) -> None:
    def probe(*_: object) -> str:
        if answer:
            raise answer
        return "a commit"

    monkeypatch.setattr(hub, "probe", probe)
    found = json.loads(nmt("doctor", "--json").out)
    assert found["hub"] == words
    assert {"python", "torch", "datasets", "threads", "device", "precision", "extras"} <= found.keys()
    out = nmt("doctor").out.decode()
    assert re.search(rf"^hub +{re.escape(words)}$", out, re.MULTILINE)
    assert re.search(r"^extras +plot: .*, tensorboard: ", out, re.MULTILINE)


def test_recipe_show_gives_every_default_and_reads_as_the_same_recipe(nmt: Nmt) -> None:
    outcome = nmt("recipe", "show", "toy.yaml", "model.reader=fixed", "training.seed=7")
    Path("shown.yaml").write_bytes(outcome.out)
    assert reading.read(Path("shown.yaml")) == reading.read(Path("toy.yaml"), ["model.reader=fixed", "training.seed=7"])
    assert b"label_smoothing: 0.1" in outcome.out


def test_recipe_schema_is_json_that_knows_the_keys(nmt: Nmt) -> None:
    assert {"data", "vocabulary", "model", "training", "search"} <= json.loads(nmt("recipe", "schema").out)["properties"].keys()
