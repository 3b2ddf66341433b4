from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from nmt.runs.run_folder import Run

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

TINY = ("updates=2", "--run", "tuned")


@pytest.fixture
def finetune(nmt: Nmt) -> Nmt:
    """The command line beside new text: other sentences of the same words."""
    words = Path("train.tsv").read_text("utf8").splitlines()
    Path("new.tsv").write_text("".join(f"{line}\n".replace("\t", " Hund\tdog ") for line in words[:40]), "utf8")
    Path("new-test.tsv").write_text("Hund Hund Hund\tdog dog dog\nBaum Hund\tdog tree\n", "utf8")
    return nmt


def contents(folder: str) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def weights(folder: str) -> dict[str, torch.Tensor]:
    return dict(Run(Path(folder)).model().named_parameters())


def test_model_vocabulary_and_weights_are_those_of_the_run_which_stays_as_it_is(finetune: Nmt) -> None:
    before = contents("runs/toy")
    outcome = finetune("finetune", "runs/toy", "data.train=new.tsv", "training.learning_rate=1e-30", *TINY)
    assert outcome.status == 0, outcome.err
    base, tuned = Run(Path("runs/toy")), Run(Path("tuned"))
    assert tuned.recipe.model == base.recipe.model
    assert tuned.vocabularies[0].model == base.vocabularies[0].model
    assert all(torch.equal(value, weights("runs/toy")[name]) for name, value in weights("tuned").items())
    assert tuned.metadata.corpus.splits["train"].pairs < 40  # some are held out
    assert contents("runs/toy") == before


def test_the_defaults_are_ten_passes_at_a_fifth_of_the_learning_rate(finetune: Nmt) -> None:
    assert finetune("finetune", "runs/toy", "data.train=new.tsv").status == 0
    recipe = Run(Path("runs/toy-finetuned")).recipe
    training = recipe.training
    assert (training.epochs, training.updates, training.minutes) == (10, None, None)
    assert training.learning_rate == pytest.approx(0.2 * 0.03)
    assert (training.init_from, recipe.name) == ("runs/toy", "toy-finetuned")


def scored(outcome: Any) -> list[tuple[str, str, float]]:
    results = [each[side] for each in json.loads(outcome.out) for side in ("before", "after")]
    return [(each["run"], each["test"], each["scores"]["bleu"]["value"]) for each in results]


def test_both_models_are_scored_on_the_new_and_the_old_test_set(finetune: Nmt) -> None:
    command = ("finetune", "runs/toy", "data.train=new.tsv", "data.test=new-test.tsv", *TINY)
    Path("a.de").write_text("Hund\n", "utf8")
    Path("a.en").write_text("dog\n", "utf8")
    outcome = finetune(*command, "--json", "--test", "named=a.de,a.en")
    assert outcome.status == 0, outcome.err
    names = [(run, test) for run, test, _ in scored(outcome)]
    assert names == [(run, test) for test in ("new", "old", "named") for run in ("runs/toy", "tuned")]
    assert [each["metric"] for each in json.loads(outcome.out)[0]["differences"]] == ["BLEU", "chrF2", "TER"]
    table = finetune(*command).out.decode()
    assert table.count("runs/toy") >= 2
    assert table.count("95 %") >= 2
    assert [each["test"] for each in map(json.loads, Path("tuned/scores.jsonl").read_text().splitlines())] == [
        *("new", "old", "named"),
        *("new", "old"),
    ]


def test_without_a_new_test_set_the_validation_split_is_scored_and_that_is_said(finetune: Nmt) -> None:
    outcome = finetune("finetune", "runs/toy", "data.train=new.tsv", *TINY, "--json")
    assert [test for _, test, _ in scored(outcome)] == ["new-valid", "new-valid", "old", "old"]
    assert "scored on its validation split, by which weights were chosen" in outcome.err


def test_a_share_of_the_old_corpus_is_mixed_in(finetune: Nmt) -> None:
    outcome = finetune("finetune", "runs/toy", "data.train=new.tsv", "data.valid=valid.tsv", "--mix", "0.2", *TINY)
    assert outcome.status == 0, outcome.err
    pairs = Run(Path("tuned")).metadata.corpus.splits["train"].pairs
    assert f"mixed in {pairs // 5:,} training pairs of runs/toy: 20% of {pairs:,}" in outcome.err


def test_a_run_that_was_interrupted_is_continued_by_the_same_command(finetune: Nmt) -> None:
    command = ("finetune", "runs/toy", "data.train=new.tsv", "--mix", "0.2")
    finetune(*command, "updates=4", "--run", "whole")
    finetune(*command, "updates=2", "--run", "parts")
    outcome = finetune(*command, "updates=4", "--run", "parts")
    assert "continuing from update 2" in outcome.err
    assert Run(Path("parts")).metadata.corpus.splits == Run(Path("whole")).metadata.corpus.splits


def test_a_bundle_is_fine_tuned_and_its_old_text_is_not_read_by_names_of_files(finetune: Nmt) -> None:
    assert finetune("bundle", "runs/toy", "-o", "toy.nmt").status == 0
    outcome = finetune("finetune", "toy.nmt", "data.train=new.tsv", *TINY, "--json")
    assert outcome.status == 0, outcome.err
    assert [test for _, test, _ in scored(outcome)] == ["new-valid", "new-valid"]
    assert "what is forgotten of the old text is not scored: toy.nmt: a bundle cannot name files" in outcome.err
    shutil.rmtree("tuned")
    mixed = finetune("finetune", "toy.nmt", "data.train=new.tsv", "--mix", "0.2", *TINY)
    assert (mixed.status, Path("tuned").exists()) == (2, False)
    assert "its corpus cannot be mixed in; take the run folder" in mixed.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "expected the text to go on with: data.train=FILES"),
        (("data.train=new.tsv", "vocabulary.size=300"), "vocabulary.size=300: the vocabulary is that of runs/toy"),
        (("data.train=new.tsv", "model.embedding=8"), "training.init_from: runs/toy: weights of another model"),
        (("data.train=absent.tsv",), "absent.tsv: no such file"),
        (("data.train=new.tsv", "data.source=fr", "--mix", "0.1"), "training.mix: runs/toy has data.source de"),
    ],
)
def test_what_cannot_be_is_refused_in_three_lines_and_leaves_nothing(
    finetune: Nmt, arguments: tuple[str, ...], said: str
) -> None:
    outcome = finetune("finetune", "runs/toy", *arguments, *TINY, "-q")
    assert (outcome.status, outcome.out) == (2, b"")
    assert said in outcome.err
    assert outcome.err.count("\n") <= 3
    assert not Path("tuned").exists()
