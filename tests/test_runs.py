from __future__ import annotations

import io
import json
import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch

from nmt import runs
from nmt.faults import InputFault
from nmt.models import weights
from nmt.runs import Run
from nmt.text import vocabulary

RECIPE = """
data: {corpus: builtin}
model: {embedding: 4, attention: 4, encoder: {hidden: 4}, decoder: {hidden: 4}}
training: {updates: 1}
"""
CORPUS = {"fallback": None, "asked": {"corpus": "owner/set"}}


@pytest.fixture(scope="module")
def learned() -> bytes:
    """A SentencePiece model."""
    return vocabulary.train(["ein Hund", "a dog"], type="bpe", size=275)


@pytest.fixture
def folder(tmp_path: Path, learned: bytes) -> Path:
    """A run folder with weights, made by hand."""
    path = tmp_path / "runs" / "a"
    path.mkdir(parents=True)
    (path / runs.RECIPE).write_text(RECIPE)
    (path / runs.JOINT).write_bytes(learned)
    write_facts(path, format=runs.FORMAT, corpus=CORPUS)
    (path / runs.WEIGHTS).write_bytes(weights.packed(Run(path).fresh_model()))
    return path


def write_facts(path: Path, **facts: Any) -> None:
    (path / runs.FACTS).write_text(json.dumps(facts))


def test_a_run_gives_its_weights_ready_to_translate(folder: Path) -> None:
    model, again = Run(folder).model(), Run(folder).model()
    assert not model.training
    assert all(map(torch.equal, model.parameters(), again.parameters()))
    assert Run(folder).weights_sha256 == sha256((folder / runs.WEIGHTS).read_bytes()).hexdigest()


def test_a_run_can_be_moved(folder: Path) -> None:
    before = Run(folder).weights_sha256
    moved = Path(shutil.move(folder, folder.with_name("elsewhere")))
    assert Run(moved).weights_sha256 == before
    assert Run(moved).model() is not None


def test_one_vocabulary_or_two(folder: Path, learned: bytes) -> None:
    source, target = Run(folder).vocabularies
    assert source is target
    (folder / runs.JOINT).unlink()
    for name in (runs.SOURCE, runs.TARGET):
        (folder / name).write_bytes(learned)
    source, target = Run(folder).vocabularies
    assert source is not target
    with pytest.raises(InputFault, match=r"not the weights of this run's model"):
        Run(folder).model()


@pytest.mark.parametrize(("make", "words"), [(False, "no such run folder"), (True, "not a run folder")])
def test_what_is_no_run_folder_is_said_to_be_none(tmp_path: Path, make: bool, words: str) -> None:
    if make:
        (tmp_path / "a").mkdir()
    with pytest.raises(InputFault, match=rf"/a: {words}; expected one made by nmt train"):
        Run(tmp_path / "a")


def damaged(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (runs.WEIGHTS, None, "has no weights yet"),
        (runs.WEIGHTS, b"", "not the weights of this run's model"),
        (runs.WEIGHTS, b"\x00" * 100, "not the weights of this run's model"),
        (runs.WEIGHTS, b"\xff" * 100, "not the weights of this run's model"),
        (runs.WEIGHTS, weights.packed(torch.nn.Linear(2, 2)), "not the weights of this run's model"),
        (runs.FACTS, b"{", "cannot be read as JSON"),
        (runs.FACTS, b"\xff", "cannot be read as JSON"),
        (runs.FACTS, b"[1]", "expected an object, found list"),
        (runs.FACTS, b'{"format": 99}', "expected a run of format 1, found 99"),
        (runs.RECIPE, None, "cannot read the recipe"),
        (runs.RECIPE, b"model: 3", "model"),
        (runs.JOINT, b"", "expected a SentencePiece model"),
        (runs.JOINT, None, "expected a SentencePiece model"),
    ],
)
def test_a_missing_or_damaged_part_is_named_in_three_lines_at_most(folder: Path, name: str, content: bytes | None, words: str) -> None:
    damaged(folder / name, content)
    with pytest.raises(InputFault, match=words) as caught:
        (Run(folder).facts, Run(folder).model())
    assert str(folder) in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    "sizes", ["embedding: 1000000000000", "embedding: 4, encoder: {hidden: 999999999}", "slot: 1, reader: fixed, attention: 99999999999"]
)
def test_a_model_of_any_size_takes_no_memory_before_its_weights_are_at_hand(folder: Path, sizes: str) -> None:
    (folder / runs.RECIPE).write_text(f"data: {{corpus: builtin}}\nmodel: {{{sizes}}}\ntraining: {{updates: 1}}\n")
    with pytest.raises(InputFault, match="not the weights of this run's model"):
        Run(folder).model()


def test_ids_of_another_kind_of_vocabulary_are_refused(folder: Path) -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["ein Hund", "a dog"]), model_writer=model, vocab_size=275, model_type="bpe", byte_fallback=True, minloglevel=2
    )
    (folder / runs.JOINT).write_bytes(model.getvalue())
    with pytest.raises(InputFault, match="expected ids 0, 1, 2, 3 for padding, unknown, begin and end, found -1, 0, 1, 2"):
        _ = Run(folder).vocabularies


def test_weights_cut_short_are_found(folder: Path) -> None:
    whole = (folder / runs.WEIGHTS).read_bytes()
    for length in (0, 7, 8, 100, len(whole) // 2, len(whole) - 1):
        damaged(folder / runs.WEIGHTS, whole[:length])
        with pytest.raises(InputFault, match="not the weights"):
            Run(folder).model()


def test_a_run_without_weights_has_no_hash(folder: Path) -> None:
    (folder / runs.WEIGHTS).unlink()
    with pytest.raises(InputFault, match="no weights yet"):
        _ = Run(folder).weights_sha256


def test_the_outcome_is_there_when_training_has_finished(folder: Path) -> None:
    assert Run(folder).outcome is None
    (folder / runs.OUTCOME).write_text('{"update": 3}')
    assert Run(folder).outcome == {"update": 3}


def test_a_fallback_is_noted_beside_every_score(folder: Path) -> None:
    assert Run(folder).notes == ()
    write_facts(folder, format=runs.FORMAT, corpus=CORPUS | {"fallback": "builtin"})
    assert Run(folder).notes == ("trained on the builtin corpus, because owner/set could not be reached",)


@pytest.mark.parametrize(("numbers", "text"), [([], ""), ([7], "7"), ([4, 5, 6, 9, 11, 12], "4-6 9 11-12")])
def test_what_training_never_saw_is_kept_as_ranges(folder: Path, numbers: list[int], text: str) -> None:
    assert Run(folder).unseen is None
    assert runs.ranges(numbers) == text
    write_facts(folder, format=runs.FORMAT, corpus=CORPUS, unseen=text)
    assert Run(folder).unseen == frozenset(numbers)


def test_the_newest_finished_run_is_the_one_that_finished_last(tmp_path: Path) -> None:
    for name, finished in (("old", 10), ("new", 20), ("unfinished", None)):
        (tmp_path / name).mkdir()
        if finished:
            (tmp_path / name / runs.OUTCOME).write_text("{}")
            os.utime(tmp_path / name / runs.OUTCOME, (finished, finished))
    assert runs.newest_finished(tmp_path) == tmp_path / "new"


def test_where_no_run_has_finished_one_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputFault, match="there is no finished run"):
        runs.newest_finished(tmp_path / "runs")


def test_a_folder_in_which_a_training_is_at_work_is_closed_to_a_second_one(tmp_path: Path) -> None:
    with runs.locked(tmp_path), pytest.raises(InputFault, match="another nmt train is at work"), runs.locked(tmp_path):
        pass
    with runs.locked(tmp_path):
        pass
