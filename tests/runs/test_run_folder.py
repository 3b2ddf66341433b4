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

from nmt.data import vocabulary
from nmt.errors import UserError
from nmt.models import weights
from nmt.runs import run_folder
from nmt.runs.metadata import Outcome
from nmt.runs.run_folder import Run

RECIPE = """
data: {corpus: builtin}
model: {embedding: 4, attention_size: 4, encoder: {hidden: 4}, decoder: {hidden: 4}}
training: {updates: 1}
"""
LENGTHS = {"median": 3, "p95": 5, "longest": 9, "tokens": 100}
CORPUS = {"fallback": None, "request": {"corpus": "owner/set"}}


@pytest.fixture(scope="module")
def learned() -> bytes:
    """A SentencePiece model."""
    return vocabulary.train(["ein Hund", "a dog"], type="bpe", size=275)


@pytest.fixture
def folder(tmp_path: Path, learned: bytes) -> Path:
    """A run folder with weights, made by hand."""
    path = tmp_path / "runs" / "a"
    path.mkdir(parents=True)
    (path / run_folder.RECIPE).write_text(RECIPE)
    (path / run_folder.JOINT).write_bytes(learned)
    write_metadata(path)
    (path / run_folder.WEIGHTS).write_bytes(weights.packed(Run(path).fresh_model()))
    return path


def write_metadata(path: Path, **changed: Any) -> None:
    metadata = {"format": run_folder.FORMAT, "corpus": CORPUS, "lengths": {"source": LENGTHS, "target": LENGTHS}}
    (path / run_folder.METADATA).write_text(json.dumps(metadata | changed))


def test_a_run_gives_its_weights_ready_to_translate(folder: Path) -> None:
    model, again = Run(folder).model(), Run(folder).model()
    assert not model.training
    assert all(map(torch.equal, model.parameters(), again.parameters()))
    assert Run(folder).weights_sha256 == sha256((folder / run_folder.WEIGHTS).read_bytes()).hexdigest()


def test_a_run_can_be_moved(folder: Path) -> None:
    before = Run(folder).weights_sha256
    moved = Path(shutil.move(folder, folder.with_name("elsewhere")))
    assert Run(moved).weights_sha256 == before
    assert Run(moved).model() is not None


def test_one_vocabulary_or_two(folder: Path, learned: bytes) -> None:
    source, target = Run(folder).vocabularies
    assert source is target
    (folder / run_folder.JOINT).unlink()
    for name in (run_folder.SOURCE, run_folder.TARGET):
        (folder / name).write_bytes(learned)
    source, target = Run(folder).vocabularies
    assert source is not target
    with pytest.raises(UserError, match=r"not the weights of this run's model"):
        Run(folder).model()


@pytest.mark.parametrize(("make", "words"), [(False, "no such run folder"), (True, "not a run folder")])
def test_what_is_no_run_folder_is_said_to_be_none(tmp_path: Path, make: bool, words: str) -> None:
    if make:
        (tmp_path / "a").mkdir()
    with pytest.raises(UserError, match=rf"/a: {words}; expected one made by nmt train"):
        Run(tmp_path / "a")


def damaged(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        (run_folder.WEIGHTS, None, "has no weights yet"),
        (run_folder.WEIGHTS, b"", "not the weights of this run's model"),
        (run_folder.WEIGHTS, b"\x00" * 100, "not the weights of this run's model"),
        (run_folder.WEIGHTS, b"\xff" * 100, "not the weights of this run's model"),
        (run_folder.WEIGHTS, weights.packed(torch.nn.Linear(2, 2)), "not the weights of this run's model"),
        (run_folder.METADATA, b"{", "cannot be read as JSON"),
        (run_folder.METADATA, b"\xff", "cannot be read as JSON"),
        (run_folder.METADATA, b"[1]", "expected an object, found list"),
        (run_folder.METADATA, b'{"format": 99}', "expected a run of format 2, found 99"),
        (run_folder.RECIPE, None, "cannot read the recipe"),
        (run_folder.RECIPE, b"model: 3", "model"),
        (run_folder.JOINT, b"", "expected a SentencePiece model"),
        (run_folder.JOINT, None, "expected a SentencePiece model"),
    ],
)
def test_a_missing_or_damaged_part_is_named_in_three_lines_at_most(
    folder: Path, name: str, content: bytes | None, words: str
) -> None:
    damaged(folder / name, content)
    with pytest.raises(UserError, match=words) as caught:
        (Run(folder).metadata, Run(folder).model())
    assert str(folder) in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize(
    "sizes",
    [
        "embedding: 65536, encoder: {hidden: 65536}",
        "embedding: 4, encoder: {hidden: 65536, layers: 100}",
        "family: transformer, width: 65536, feed_forward: 65536, encoder: {layers: 100}",
    ],
)
def test_a_model_of_any_size_takes_no_memory_before_its_weights_are_at_hand(folder: Path, sizes: str) -> None:
    (folder / run_folder.RECIPE).write_text(
        f"data: {{corpus: builtin}}\nmodel: {{{sizes}}}\ntraining: {{updates: 1}}\n"
    )
    with pytest.raises(UserError, match="not the weights of this run's model"):
        Run(folder).model()


def test_ids_of_another_kind_of_vocabulary_are_refused(folder: Path) -> None:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["ein Hund", "a dog"]),
        model_writer=model,
        vocab_size=275,
        model_type="bpe",
        byte_fallback=True,
        minloglevel=2,
    )
    (folder / run_folder.JOINT).write_bytes(model.getvalue())
    with pytest.raises(
        UserError, match="expected ids 0, 1, 2, 3 for padding, unknown, begin and end, found -1, 0, 1, 2"
    ):
        _ = Run(folder).vocabularies


def test_weights_cut_short_are_found(folder: Path) -> None:
    whole = (folder / run_folder.WEIGHTS).read_bytes()
    for length in (0, 7, 8, 100, len(whole) // 2, len(whole) - 1):
        damaged(folder / run_folder.WEIGHTS, whole[:length])
        with pytest.raises(UserError, match="not the weights"):
            Run(folder).model()


def test_a_run_without_weights_has_no_hash(folder: Path) -> None:
    (folder / run_folder.WEIGHTS).unlink()
    with pytest.raises(UserError, match="no weights yet"):
        _ = Run(folder).weights_sha256


def test_the_outcome_is_there_when_training_has_finished(folder: Path) -> None:
    assert Run(folder).outcome is None
    (folder / run_folder.OUTCOME).write_text('{"update": 3, "best": 0.5, "best_update": 2, "skipped": 0}')
    assert Run(folder).outcome == Outcome(update=3, best=0.5, best_update=2, skipped=0)


def test_a_fallback_is_noted_beside_every_score(folder: Path) -> None:
    assert Run(folder).notes == ()
    write_metadata(folder, corpus=CORPUS | {"fallback": "builtin"})
    assert Run(folder).notes == ("trained on the builtin corpus, because owner/set could not be reached",)


@pytest.mark.parametrize(("numbers", "text"), [([], ""), ([7], "7"), ([4, 5, 6, 9, 11, 12], "4-6 9 11-12")])
def test_what_training_never_saw_is_kept_as_ranges(folder: Path, numbers: list[int], text: str) -> None:
    assert Run(folder).unseen_tokens is None
    assert run_folder.ranges(numbers) == text
    write_metadata(folder, unseen_tokens=text)
    assert Run(folder).unseen_tokens == frozenset(numbers)


def make(folder: Path, name: str, content: str, time: int) -> None:
    """A file of a run folder with its time of change."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    os.utime(folder / name, (time, time))


def test_the_newest_run_is_the_one_that_finished_last(tmp_path: Path) -> None:
    for name, finished in (("old", 10), ("new", 20)):
        make(tmp_path / name, run_folder.OUTCOME, "{}", finished)
    make(tmp_path / "stopped", run_folder.WEIGHTS, "", 30)
    assert run_folder.newest(tmp_path) == tmp_path / "new"


def test_where_no_run_has_finished_the_newest_weights_are_taken(tmp_path: Path) -> None:
    for name, written in (("old", 10), ("new", 20)):
        make(tmp_path / name, run_folder.WEIGHTS, "", written)
    (tmp_path / "begun").mkdir()
    assert run_folder.newest(tmp_path) == tmp_path / "new"


def test_where_there_is_no_run_the_demo_and_training_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no trained run.*nmt translate --demo,\n.*nmt train recipes/builtin\.yaml"):
        run_folder.newest(tmp_path / "runs")


def test_a_folder_in_which_a_training_is_at_work_is_closed_to_a_second_one(tmp_path: Path) -> None:
    with (
        run_folder.locked(tmp_path),
        pytest.raises(UserError, match="another nmt train is working"),
        run_folder.locked(tmp_path),
    ):
        pass
    with run_folder.locked(tmp_path):
        pass
