"""The demo models are sound bundles, small, and show what attention gains."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
import torch

import nmt
from nmt.data import builtin
from nmt.evaluation import evaluation_log
from nmt.models import weights
from nmt.runs import demo, files
from nmt.runs.run_folder import Run

MOST_BYTES = 6_000_000


def bleu(path: Path) -> float:
    """BLEU on the built-in test set, as the bundle records it for these very weights."""
    run = Run(path)
    scored = [each for each in evaluation_log.read(run) if each.weights_sha256 == run.weights_sha256]
    return next(each.scores.bleu.value for each in scored if each.sentences == 1000)


def test_the_bundles_are_those_of_the_hashes_beside_them_and_together_small() -> None:
    lines = (demo.FOLDER / demo.HASHES).read_text("utf8").splitlines()
    assert lines == [f"{sha256(path.read_bytes()).hexdigest()}  {path.name}" for path in demo.BOTH]
    assert sum(path.stat().st_size for path in demo.BOTH) <= MOST_BYTES


@pytest.mark.parametrize("path", demo.BOTH, ids=lambda path: path.stem)
def test_weights_are_bfloat16_in_the_file_and_exactly_these_in_the_model(path: Path) -> None:
    run = Run(path)
    stored = weights.unpacked(run.files.read(files.WEIGHTS))
    assert {tensor.dtype for tensor in stored.values()} == {torch.bfloat16}
    assert all(torch.equal(value, stored[name].float()) for name, value in run.model().named_parameters())


def test_attention_is_far_above_the_thought_vector_with_the_same_words_and_training() -> None:
    attention, thought_vector = map(Run, demo.BOTH)
    assert attention.recipe.training == thought_vector.recipe.training
    assert attention.vocabularies[0].model == thought_vector.vocabularies[0].model
    assert bleu(demo.ATTENTION) > 70 > 30 > bleu(demo.THOUGHT_VECTOR)


def test_the_model_with_attention_translates_most_test_sentences_as_their_references() -> None:
    source, target = zip(*builtin.pairs("test", count=20), strict=True)
    found = nmt.load(demo.ATTENTION, beam=1).translate(list(source))
    assert sum(each.text == reference for each, reference in zip(found, target, strict=True)) > 10


def test_the_word_forms_in_the_description_are_counted() -> None:
    text = " ".join(german for german, _ in builtin.pairs("train")).casefold()
    forms = len(set(re.findall(r"[^\W\d_]+", text)))
    assert f"{round(forms, -2):,} German word forms" in demo.ABOUT[1]


@pytest.mark.parametrize("path", demo.BOTH, ids=lambda path: path.stem)
def test_no_path_of_the_machine_that_made_it_is_in_a_bundle(path: Path) -> None:
    run = Run(path)
    for name in (files.RECIPE, files.METADATA, files.SCORES):
        assert re.findall(r"[\"': ]/\w.*", run.files.read(name).decode()) == []
