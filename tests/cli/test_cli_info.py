from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nmt.data import hub
from nmt.errors import UserError
from nmt.inference.translator import TorchTranslator
from nmt.recipe import reading

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt


def test_info_tells_what_is_in_a_run(nmt: Nmt) -> None:
    nmt("evaluate", "-q", "runs/toy")
    out = nmt("info", "runs/toy").out.decode()
    for words in (
        "finished after 60",
        "60 planned",
        "4 valid",
        "296 tokens, joint",
        "median",
        "longest",
        "fp32",
        "BLEU",
        "nrefs:1",
    ):
        assert words in out
    assert reading.dump(reading.read(Path("runs/toy/recipe.yaml"))) in out


def test_info_as_json_holds_the_recipe_and_the_scores(nmt: Nmt) -> None:
    nmt("evaluate", "-q", "runs/toy")
    found = json.loads(nmt("info", "runs/toy", "--json").out)
    assert found["recipe"]["model"]["attention"] == "bahdanau"
    assert found["scores"][0]["test"] == "test"


def test_info_names_what_was_prepared_of_a_large_corpus(nmt: Nmt) -> None:
    assert b"cache " not in nmt("info", "runs/toy").out
    assert nmt("train", "toy.yaml", "-q", "data.in_memory=9", "training.updates=1", "--run", "runs/large").status == 0
    said = nmt("info", "runs/large").out.decode()
    assert re.search(
        r"^cache +cache/text-[0-9a-f]{16} \(0 MiB\), cache/tokens-[0-9a-f]{16} \(0 MiB\)$", said, re.MULTILINE
    )


def test_info_of_what_is_no_run_is_refused(nmt: Nmt) -> None:
    assert nmt("info", ".").status == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "answers"),
        (hub.UnreachableError("HF_HUB_OFFLINE is set"), "does not answer (HF_HUB_OFFLINE is set)"),
        (UserError("data.corpus: something else"), "does not answer (data.corpus: something else)"),
    ],
)
def test_doctor_tells_what_there_is_to_work_with(
    nmt: Nmt, monkeypatch: pytest.MonkeyPatch, answer: Exception | None, words: str
) -> None:
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


def test_check_batching_compares_sentences_alone_and_in_batches(nmt: Nmt) -> None:
    found = json.loads(nmt("check-batching", "runs/toy", "--json", "--sentences", "12").out)
    assert (found["sentences"], found["same text"], found["sound"]) == (12, 12, True)
    Path("lines").write_text("rot Hund\n\nKatze\nHaus groß rot\n", "utf8")
    assert re.search(r"^same text +3$", nmt("check-batching", "runs/toy", "-i", "lines").out.decode(), re.MULTILINE)


def test_check_batching_says_when_a_batch_changes_a_translation(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    search: Callable[..., Any] = TorchTranslator._batch

    def disturbed(translator: TorchTranslator, parts: list[list[int]]) -> Any:
        return search(translator, parts if len(parts) == 1 else [part[:1] for part in parts])

    monkeypatch.setattr(TorchTranslator, "_batch", disturbed)
    outcome = nmt("check-batching", "runs/toy", "--sentences", "12")
    assert outcome.status == 1
    assert re.search(r"^text 1 .* alone, .* beside \d+ others$", outcome.out.decode(), re.MULTILINE)
    assert re.search(r"^sound +False$", outcome.out.decode(), re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["doctor", "runs/toy", "-i", "empty"], "nmt check-batching runs/toy -i empty"),
        (["check-batching", "runs/toy", "-i", "empty"], "at least 2 lines"),
    ],
)
def test_what_cannot_be_compared_is_refused_and_the_old_command_names_the_new_one(
    nmt: Nmt, arguments: list[str], words: str
) -> None:
    Path("empty").write_text("\n\n")
    outcome = nmt(*arguments)
    assert (outcome.status, outcome.out) == (2, b"")
    assert words in outcome.err


def test_recipe_show_gives_every_default_and_reads_as_the_same_recipe(nmt: Nmt) -> None:
    outcome = nmt("recipe", "show", "toy.yaml", "model.attention=none", "training.seed=7")
    Path("shown.yaml").write_bytes(outcome.out)
    assert reading.read(Path("shown.yaml")) == reading.read(
        Path("toy.yaml"), ["model.attention=none", "training.seed=7"]
    )
    assert b"label_smoothing: 0.1" in outcome.out


def test_recipe_schema_is_json_that_knows_the_keys(nmt: Nmt) -> None:
    assert {"data", "vocabulary", "model", "training", "search"} <= json.loads(nmt("recipe", "schema").out)[
        "properties"
    ].keys()
