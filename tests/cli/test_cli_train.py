from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from nmt.runs import run_folder
from nmt.runs.run_folder import Run
from nmt.training.loop import Training

if TYPE_CHECKING:
    from tests.cli.conftest import Nmt

TINY = ("training.updates=2", "--run", "run")


def test_a_run_is_trained_from_a_recipe_into_a_folder_of_its_name(nmt: Nmt) -> None:
    outcome = nmt("train", "toy.yaml", "name=short", "training.updates=2")
    assert (outcome.status, outcome.out) == (0, b"")
    assert outcome.err.splitlines()[-1].endswith("nmt translate runs/short")
    assert {path.name for path in Path("runs/short").iterdir()} == {
        *(
            run_folder.RECIPE,
            run_folder.METADATA,
            run_folder.JOINT,
            run_folder.WEIGHTS,
            run_folder.CHECKPOINTS,
            run_folder.METRICS,
            run_folder.TIMING,
            run_folder.OUTCOME,
        )
    }


def test_pieces_that_no_training_sentence_has_are_recorded(nmt: Nmt) -> None:
    nmt("train", "toy.yaml", *TINY, "vocabulary.from=runs/toy", "data.train=valid.tsv")
    run = Run(Path("run"))
    vocabulary = run.vocabularies[0]
    seen = {
        id for line in Path("valid.tsv").read_text("utf8").splitlines() for id in vocabulary.encode(line.split("\t")[0])
    }
    assert seen
    assert run.unseen_tokens == frozenset(range(4, len(vocabulary))) - seen


@pytest.mark.parametrize("named", ["runs/short", "runs/short/recipe.yaml"])
def test_a_run_is_continued_by_its_folder_or_the_recipe_in_it(nmt: Nmt, named: str) -> None:
    nmt("train", "toy.yaml", "updates=2", "--run", "runs/short")
    finished = nmt("train", named)
    assert (finished.status, finished.err.partition(";")[0]) == (0, "runs/short: finished after 2 updates")
    outcome = nmt("train", named, "updates=4")
    assert (outcome.status, "continuing from update 2" in outcome.err) == (0, True)
    assert (Path("runs/short/checkpoints/step-00000004")).exists()
    assert sorted(path.name for path in Path("runs").iterdir()) == ["short", "toy"]


def test_a_limit_that_is_named_for_a_run_replaces_its_other_limits(nmt: Nmt) -> None:
    nmt("train", "toy.yaml", "training.updates=null", "epochs=1", "--run", "run")
    updates = Run(Path("run")).metadata.decided.updates
    assert nmt("train", "run", f"updates={updates + 2}").status == 0
    assert Run(Path("run")).recipe.training.epochs is None
    assert Run(Path("run")).metadata.decided.updates == updates + 2


def test_the_recipe_of_a_run_makes_another_run_elsewhere(nmt: Nmt) -> None:
    before = {path: path.read_bytes() for path in Path("runs/toy").rglob("*") if path.is_file()}
    assert nmt("train", "runs/toy/recipe.yaml", "updates=2", "--run", "other").status == 0
    assert Run(Path("other")).recipe.name == "other"
    assert {path: path.read_bytes() for path in Path("runs/toy").rglob("*") if path.is_file()} == before


def test_quiet_trains_without_a_word(nmt: Nmt) -> None:
    assert nmt("train", "-q", "toy.yaml", *TINY) == (0, b"", "")


def test_a_finished_run_says_so_and_restart_begins_anew(nmt: Nmt) -> None:
    nmt("train", "toy.yaml", *TINY)
    outcome = nmt("train", "toy.yaml", *TINY)
    assert (outcome.status, outcome.err.count("\n")) == (0, 1)
    assert "run: finished after 2 updates" in outcome.err
    assert "update 2: validation" in nmt("train", "toy.yaml", *TINY, "--restart").err


def test_vocabularies_of_their_own_for_both_sides(nmt: Nmt) -> None:
    assert nmt("train", "toy.yaml", *TINY, "vocabulary.joint=false", "vocabulary.size=282").status == 0
    source, target = Run(Path("run")).vocabularies
    assert source.model != target.model
    assert nmt("translate", "run", stdin=b"rot\n").status == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_with_its_status(
    nmt: Nmt, monkeypatch: pytest.MonkeyPatch, number: int, status: int
) -> None:
    update: Callable[..., None] = Training.update

    def signalled(*given: Any) -> None:
        update(*given)
        signal.raise_signal(number)

    monkeypatch.setattr(Training, "update", signalled)
    outcome = nmt("train", "toy.yaml", *TINY)
    assert outcome.status == status
    assert outcome.err.splitlines()[-1] == "stopped at update 1; everything is saved, the same command continues"


@pytest.mark.parametrize("arguments", [("toy.yaml", "--run"), (), ("toy.yaml", "--restart", "--run")])
def test_a_name_that_is_too_long_is_no_fault_of_ours(nmt: Nmt, arguments: tuple[str, ...]) -> None:
    outcome = nmt("train", *arguments, "x" * 300)
    assert outcome == (2, b"", f"nmt: {'x' * 60}...: the name is too long for a file\n")


def test_ctrl_c_before_training_is_no_traceback(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nmt.training.loading.load_dataset", interrupted)
    assert nmt("train", "toy.yaml", *TINY) == (130, b"", "")


FILES = {
    "short.en": b"red\n",
    "long.de": b"rot\nHund\n",
    "empty.tsv": b"",
    "blank.tsv": b"\t\n \t \n",
    "bad.tsv": "rot\tred\ngrün\tgreen\n".encode("latin1"),
    "three.tsv": b"a\tb\tc\n",
    "named.jsonl": b'{"de": "rot", "en": "red"}\n',
    "broken.yaml": b"data: {train: a.tsv\n",
    "no-limit.yaml": b"data: {train: train.tsv}\n",
}


@pytest.mark.parametrize(
    ("recipe", "override", "words"),
    [
        ("absent.yaml", "", "absent.yaml: no such recipe"),
        (".", "", ".: not a run folder; expected a recipe, or a folder made by nmt train"),
        ("model.nmt", "", "model.nmt: a bundle cannot be continued; go on with it: nmt finetune model.nmt"),
        ("broken.yaml", "", "broken.yaml:"),
        ("no-limit.yaml", "", "training.updates"),
        ("toy.yaml", "training.update=3", "training.update"),
        ("toy.yaml", "training.updates=many", "training.updates"),
        ("toy.yaml", "training.updates", "expected KEY=VALUE"),
        ("toy.yaml", "model.attention=best", "model.attention"),
        ("toy.yaml", "data.train=absent.tsv", "absent.tsv: no such file"),
        ("toy.yaml", "data.train=long.de,short.en", "long.de has 2 lines and short.en has 1"),
        ("toy.yaml", "data.train=empty.tsv", "data.train: expected sentence pairs, found none"),
        ("toy.yaml", "data.train=blank.tsv", "data.train: nothing is left to train on"),
        ("toy.yaml", "data.train=bad.tsv", "bad.tsv:2: invalid UTF-8"),
        ("toy.yaml", "data.train=three.tsv", "three.tsv:1: expected 2 columns"),
        (
            "toy.yaml",
            "data.train=named.jsonl data.source=fr",
            "data.source: named.jsonl:1 has no column 'fr'; it has de, en",
        ),
        (
            "toy.yaml",
            "data.corpus=./nowhere data.train=null data.valid=null data.test=null",
            "data.corpus: ./nowhere: no such folder",
        ),
        (
            "toy.yaml",
            "vocabulary.size=5000",
            "vocabulary.size: 5000 pieces are more than this training data gives; expected at most",
        ),
        ("toy.yaml", "vocabulary.size=260", "vocabulary.size: 260 pieces cannot hold"),
        ("toy.yaml", "vocabulary.from=nowhere", "nowhere: no such run folder"),
        ("toy.yaml", "training.init_from=nowhere", "nowhere: no such run folder"),
        ("toy.yaml", "--run=toy.yaml", "toy.yaml: expected a folder for the run, found a file"),
        ("toy.yaml", "--run=toy.yaml/below", "toy.yaml/below: the run folder cannot be made (Not a directory)"),
    ],
)
def test_wrong_input_costs_three_lines_at_most_and_exit_status_2(
    nmt: Nmt, recipe: str, override: str, words: str
) -> None:
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    outcome = nmt("train", recipe, "-q", "--run", "run", *override.split())
    assert (outcome.status, outcome.out) == (2, b"")
    assert outcome.err.startswith("nmt: ")
    assert words in outcome.err
    assert outcome.err.count("\n") <= 3
    assert not Path("run").exists()


def test_all_faults_of_a_recipe_are_told_at_once(nmt: Nmt) -> None:
    err = nmt("train", "toy.yaml", "training.updates=many", "model.attention=best", "sarch.beam=2").err
    assert [key in err for key in ("training.updates", "model.attention", "sarch")] == [True] * 3


def test_a_folder_that_may_not_be_written_to_is_named(nmt: Nmt, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "mkdir", denied)
    outcome = nmt("train", "-q", "toy.yaml", *TINY)
    assert (outcome.status, outcome.err) == (
        2,
        "nmt: run: the run folder cannot be made (Permission denied); name another one with --run\n",
    )


def test_a_full_disk_while_saving_is_a_failure_that_names_the_path_and_loses_nothing(
    nmt: Nmt, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = torch.save

    def full(state: dict[str, Any], path: Path) -> None:
        if state["progress"]["update"] == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(state, path)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        outcome = nmt("train", "-q", "toy.yaml", *TINY, "training.save_every=1")
    assert outcome.status == 1
    assert outcome.err.startswith(
        "nmt: run/checkpoints/step-00000002: the checkpoint could not be saved (No space left on device)\n"
    )
    assert "continuing from update 1" in nmt("train", "toy.yaml", *TINY, "training.save_every=1").err


def test_only_damaged_checkpoints_are_an_error_and_not_a_new_beginning(
    nmt: Nmt, monkeypatch: pytest.MonkeyPatch
) -> None:
    nmt("train", "toy.yaml", *TINY)
    Path("run", run_folder.OUTCOME).unlink()
    Path("run/checkpoints/step-00000002/state.pt").write_bytes(b"")
    outcome = nmt("train", "-q", "toy.yaml", *TINY)
    assert outcome.status == 2
    assert outcome.err.startswith("nmt: run/checkpoints: no checkpoint is sound")
