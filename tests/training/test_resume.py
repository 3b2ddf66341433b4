"""Whatever stops a run, the same command continues it to the same end, to the bit."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING, Any

import pytest
import torch

from nmt.errors import UserError
from nmt.models import weights
from nmt.runs import run_folder
from nmt.runs.run_folder import Run
from nmt.training import begin, checkpoints, planning
from nmt.unfinished import fresh_name, unfinished_folder
from tools.checks.outcome import leaves

if TYPE_CHECKING:
    from tests.training.conftest import Toy

AVERAGE = ("training.average=3", "training.updates=6")


def result(folder: str, update: int = 4) -> dict[str, Any]:
    """Everything that training makes: metrics, outcome, best and last weights, optimizer, random states, progress."""
    last = checkpoint(folder, update)
    assert checkpoints.damage(last) is None
    files = [
        *(Path(folder, name) for name in (run_folder.METRICS, run_folder.OUTCOME, run_folder.WEIGHTS)),
        last / checkpoints.WEIGHTS,
    ]
    state = torch.load(last / checkpoints.STATE, weights_only=True)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files} | dict(leaves(state))


def checkpoint(folder: str, update: int) -> Path:
    return Path(folder, run_folder.CHECKPOINTS, f"step-{update:08d}")


def spoil(folder: str, update: int) -> None:
    """Changes the last byte of the weights in a checkpoint."""
    with (checkpoint(folder, update) / checkpoints.WEIGHTS).open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))


def metrics(folder: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(folder, run_folder.METRICS).read_text().splitlines()]


@pytest.mark.parametrize("model", ["thought vector", "attention", "transformer"])
def test_four_updates_equal_two_a_stop_and_two(toy: Toy, model: str) -> None:
    """With dropout and subword sampling on, so that every random state has its part."""
    toy.model = model
    assert toy.train("whole") == 0
    assert toy.signalled(signal.SIGTERM, 2, "parts") == 143
    assert toy.train("parts") == 0
    assert result("parts") == result("whole")


def test_with_placeholders_a_stop_changes_nothing_either(toy: Toy) -> None:
    Path("train.tsv").write_text(Path("train.tsv").read_text("utf8") + "um 10:30 da\tat 10:30 there\n", "utf8")
    on = "data.placeholders=true"
    assert toy.train("whole", on) == 0
    assert toy.signalled(signal.SIGTERM, 2, "parts", on) == 143
    assert toy.train("parts", on) == 0
    assert result("parts") == result("whole")


def test_another_seed_gives_another_result(toy: Toy) -> None:
    """Otherwise the equalities here would say nothing."""
    toy.train("one")
    toy.train("other", "training.seed=2")
    one, other = result("one"), result("other")
    for name in (run_folder.METRICS, run_folder.WEIGHTS, "state.random.cpu", "state.optimizer.state.0.exp_avg"):
        assert one[name] != other[name]


@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_run_gives_the_same_result(toy: Toy, after: int) -> None:
    """Before its first checkpoint, and between two of them."""
    toy.train("whole")
    toy.killed(after, "killed")
    assert toy.train("killed") == 0
    assert result("killed") == result("whole")


def test_a_kill_between_averaging_and_its_checkpoint_duplicates_no_record(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.train("whole", *AVERAGE)
    save = checkpoints.save
    with monkeypatch.context() as patch:
        patch.setattr(
            checkpoints, "save", lambda *given: save(*given) if not given[3]["progress"]["finished"] else 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            toy.train("killed", *AVERAGE)
    assert metrics("killed")[-1]["kind"] == "average of 3"
    toy.train("killed", *AVERAGE)
    assert result("killed", 6) == result("whole", 6)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGUSR1, 138)])
def test_a_signal_saves_at_the_next_update_and_the_same_command_continues(
    toy: Toy, number: signal.Signals, status: int
) -> None:
    toy.train("whole")
    assert toy.signalled(number, 3, "stopped") == status
    assert f"{number.name}: stopping after this update" in toy.logged
    assert max(checkpoints.steps(Path("stopped/checkpoints"))) == 3
    assert toy.train("stopped") == 0
    assert "continuing from update 3" in toy.logged
    assert result("stopped") == result("whole")


def test_after_a_stop_at_the_last_update_only_averaging_remains(toy: Toy) -> None:
    toy.train("whole", *AVERAGE)
    assert toy.signalled(signal.SIGTERM, 6, "stopped", *AVERAGE) == 143
    toy.train("stopped", *AVERAGE)
    assert result("stopped", 6) == result("whole", 6)


def test_a_checkpoint_made_by_a_stop_is_not_averaged(toy: Toy) -> None:
    toy.train("whole", *AVERAGE)
    for update in (3, 5):
        toy.signalled(signal.SIGTERM, update, "stopped", *AVERAGE)
    toy.train("stopped", *AVERAGE)
    assert metrics("whole")[-1]["kind"] == "average of 3"
    assert result("stopped", 6) == result("whole", 6)


def test_a_damaged_checkpoint_is_not_averaged(toy: Toy) -> None:
    toy.signalled(signal.SIGTERM, 5, "run", *AVERAGE)
    spoil("run", 2)
    toy.train("run", *AVERAGE)
    assert metrics("run")[-1]["kind"] == "average of 2"
    assert any("step-00000002: damaged" in log for log in toy.logged)


def test_a_second_ctrl_c_leaves_at_once(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    def impatient(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("nmt.training.validation.Validator.__call__", impatient)
    with pytest.raises(KeyboardInterrupt):
        toy.train("run")
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_from_another_process_saves(toy: Toy) -> None:
    command = "import nmt.cli.app as app; app.main()"
    arguments = [
        "train",
        "toy.yaml",
        "training.updates=100000",
        "training.validate_every=100000",
        "training.save_every=100000",
        "--run",
        "run",
    ]
    with Popen([sys.executable, "-c", command, *arguments], stderr=PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("parameters on cpu" in line for line in process.stderr)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
        assert "the same command continues" in process.stderr.read()
    assert checkpoints.newest(Path("run/checkpoints"), print) is not None


def test_a_finished_run_is_reported_and_unchanged(toy: Toy) -> None:
    toy.train("run")
    before = {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()}
    Path("train.tsv").unlink()
    assert toy.train("run") == 0
    assert toy.logged == ["run: finished after 4 updates; raise a limit to continue, or begin anew with --restart"]
    assert {path: path.read_bytes() for path in Path("run").rglob("*") if path.is_file()} == before


def test_a_raised_limit_continues_a_finished_run(toy: Toy) -> None:
    toy.train("run", *AVERAGE)
    raised = ("training.average=3", "training.updates=9")
    assert toy.train("run", *raised) == 0
    assert "continuing from update 6" in toy.logged
    kinds = [(record["update"], record["kind"]) for record in metrics("run") if "kind" in record]
    assert kinds[-4:] == [(6, "average of 3"), (8, "validation"), (9, "validation"), (9, "average of 3")]
    assert checkpoint("run", 9).exists()
    outcome, again = Run(Path("run")).outcome, toy.train("run", *raised)
    assert outcome is not None
    assert (outcome.update, again, len(toy.logged)) == (9, 0, 1)


def test_a_kill_while_a_limit_is_raised_is_recovered_by_the_same_command(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.train("run")
    for broken in ("nmt.atomic.write_json", "nmt.atomic.write_file"):
        with monkeypatch.context() as patch:
            patch.setattr(broken, lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                toy.train("run", "training.updates=6")
    toy.train("run", "training.updates=6")
    assert Run(Path("run")).recipe.training.updates == Run(Path("run")).metadata.decided.updates == 6
    assert checkpoint("run", 6).exists()


def test_a_lowered_limit_is_an_error_that_names_it(toy: Toy) -> None:
    toy.train("run")
    with pytest.raises(UserError, match=r"training\.updates: planned for 4 updates, which cannot be lowered to 3"):
        toy.train("run", "training.updates=3")


def test_any_other_changed_key_is_an_error_that_names_it(toy: Toy) -> None:
    toy.train("run")
    with pytest.raises(UserError) as caught:
        toy.train("run", "training.updates=9", "training.seed=2", "model.dropout=0.5")
    assert "  training.seed: 1 in the run, 2 now" in str(caught.value)
    assert "  model.dropout: 0.3 in the run, 0.5 now" in str(caught.value)
    assert Run(Path("run")).metadata.decided.updates == 4


def test_minutes_cannot_be_added_to_a_run_that_was_not_timed(toy: Toy) -> None:
    toy.train("run")
    with pytest.raises(UserError, match=r"training\.minutes, training\.updates: begun without"):
        toy.train("run", "training.updates=null", "training.minutes=1")


def test_the_updates_that_minutes_became_stay_when_the_run_is_resumed(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    minutes = ("training.updates=null", "training.minutes=2")
    monkeypatch.setattr(planning, "_updates_per_minute", lambda *_: 2.0)
    toy.signalled(signal.SIGTERM, 2, "run", *minutes)
    monkeypatch.setattr(planning, "_updates_per_minute", lambda *_: 1000.0)
    toy.train("run", *minutes)
    toy.train("whole")
    assert result("run") == result("whole")


def test_restart_begins_anew(toy: Toy) -> None:
    toy.train("run")
    assert toy.train("run", "training.seed=2", restart=True) == 0
    toy.train("fresh", "training.seed=2")
    assert result("run") == result("fresh")


def test_a_restart_killed_while_the_old_run_is_deleted_leaves_the_new_one(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.train("run")
    toy.train("fresh", "training.seed=2")
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            toy.train("run", "training.seed=2", restart=True)
    assert toy.train("run", "training.seed=2") == 0
    assert result("run") == result("fresh")


def test_unfinished_files_of_a_killed_run_are_removed_when_it_continues(toy: Toy) -> None:
    toy.killed(1, "run")
    for name in (run_folder.METRICS, run_folder.WEIGHTS):
        fresh_name(Path("run", name)).write_bytes(b"half")
    toy.train("run")
    toy.train("whole")
    run, whole = (sorted(path.name for path in Path(name).rglob("*")) for name in ("run", "whole"))
    assert run == whole


def test_unfinished_run_folders_are_removed_unless_they_are_being_made(toy: Toy) -> None:
    left = fresh_name(Path("run"))
    left.mkdir()
    with unfinished_folder(Path("run"), None) as made:
        toy.train("run")
        assert (left.exists(), made.exists()) == (False, True)


@pytest.mark.parametrize("restart", [False, True])
def test_folders_of_the_user_beside_a_run_are_left_alone(toy: Toy, restart: bool) -> None:
    toy.train("run")
    for name in (".run.2026-11-25", ".run.1", ".run.12345.old"):
        shutil.copytree("run", name)
    Path("run").rename("run" if restart else "elsewhere")
    toy.train("run", restart=restart)
    assert all(Path(name, "run.json").exists() for name in (".run.2026-11-25", ".run.1", ".run.12345.old"))


@pytest.mark.parametrize("restart", [False, True])
def test_a_run_that_is_a_link_is_trained_where_the_link_leads(toy: Toy, restart: bool) -> None:
    Path("disk/real").mkdir(parents=True)
    Path("run").symlink_to("disk/real")
    toy.train("run")
    if restart:
        toy.train("run", "training.seed=2", restart=True)
    assert Path("run").is_symlink()
    assert Run(Path("disk/real")).recipe.training.seed == (2 if restart else 1)
    assert ([path.name for path in Path("disk").iterdir()], list(Path().glob(".run*"))) == (["real"], [])


def test_of_two_trainings_that_begin_one_run_the_second_says_so_and_harms_nothing(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill = begin._fill

    def overtaken(building: Path, *given: Any) -> None:
        fill(building, *given)
        with monkeypatch.context() as patch:
            patch.setattr(begin, "_fill", fill)
            toy.train("run")

    toy.train("whole")
    monkeypatch.setattr(begin, "_fill", overtaken)
    with pytest.raises(UserError, match="run: another nmt train has begun this run meanwhile; wait for it"):
        toy.train("run")
    assert result("run") == result("whole")
    assert list(Path().glob(".run*")) == []


def test_a_restart_that_fails_leaves_the_old_run(toy: Toy) -> None:
    toy.train("run")
    with pytest.raises(UserError, match="no such file"):
        toy.train("run", "data.train=absent.tsv", restart=True)
    assert checkpoint("run", 4).exists()


def test_after_damage_to_the_newest_checkpoint_training_continues_from_the_one_before(toy: Toy) -> None:
    toy.train("whole")
    toy.signalled(signal.SIGTERM, 3, "run")
    spoil("run", 3)
    assert toy.train("run") == 0
    assert [log for log in toy.logged if "damaged" in log] == [
        "run/checkpoints/step-00000003: damaged (model.safetensors is not the file that was saved); "
        "left alone, another checkpoint is used if there is one"
    ]
    assert "continuing from update 2" in toy.logged
    assert result("run") == result("whole")


def test_damage_to_all_checkpoints_does_not_restart_training(toy: Toy) -> None:
    toy.signalled(signal.SIGTERM, 3, "run")
    before = Path("run/metrics.jsonl").read_bytes()
    spoil("run", 2)
    spoil("run", 3)
    with pytest.raises(UserError, match="no checkpoint is sound") as caught:
        toy.train("run")
    assert len(str(caught.value).splitlines()) <= 3
    assert Path("run/metrics.jsonl").read_bytes() == before


def test_resuming_on_another_text_is_an_error(toy: Toy) -> None:
    toy.signalled(signal.SIGTERM, 2, "run")
    with Path("train.tsv").open("a") as file:
        file.write("Baum\ttree\n")
    with pytest.raises(UserError, match=r"data\.train: not the text that run was begun with"):
        toy.train("run")


@pytest.mark.parametrize("away", [("train.tsv",), ("cache",)])
@pytest.mark.parametrize("ways", [(), ("data.valid=null", "data.concatenation=2", "vocabulary.sampling=0")])
def test_a_run_on_a_corpus_in_files_equals_one_in_memory(
    toy: Toy, ways: tuple[str, ...], away: tuple[str, ...]
) -> None:
    """Continued from what is prepared without the text, and from the text when what was prepared is gone."""
    toy.train("whole", *ways)
    assert toy.signalled(signal.SIGTERM, 2, "parts", *ways, "data.in_memory=9") == 143
    for name in away:
        Path(name).rename(f"{name}.away")
    assert toy.train("parts", *ways, "data.in_memory=9") == 0
    assert result("parts") == result("whole")


def test_the_cache_may_move_when_a_run_is_continued(toy: Toy) -> None:
    toy.train("whole")
    toy.signalled(signal.SIGTERM, 2, "parts")
    assert toy.train("parts", "data.in_memory=9", "data.cache=elsewhere") == 0
    assert result("parts") == result("whole")
    assert sorted(path.name.partition("-")[0] for path in Path("elsewhere").iterdir()) == ["text", "tokens"]


def test_resuming_on_another_text_without_the_cache_is_an_error(toy: Toy) -> None:
    toy.signalled(signal.SIGTERM, 2, "run", "data.in_memory=9")
    Path("cache").rename("away")
    with Path("train.tsv").open("a") as file:
        file.write("Baum\ttree\n")
    with pytest.raises(UserError, match=r"data\.train: not the text that run was begun with"):
        toy.train("run", "data.in_memory=9")


def test_fine_tuning_starts_from_the_weights_and_vocabulary_of_the_other_run(toy: Toy) -> None:
    toy.train("base")
    Path("train.tsv").write_text("Haus\thouse\n" * 30 + "Baum\ttree\n" * 30)
    toy.train(
        "tuned", "data.duplicates=keep", "training.init_from=base", "training.updates=1", "training.learning_rate=1e-30"
    )
    assert Path("tuned/vocabulary.model").read_bytes() == Path("base/vocabulary.model").read_bytes()
    base, tuned = (dict(Run(Path(name)).model().named_parameters()) for name in ("base", "tuned"))
    assert all(torch.equal(tuned[name], base[name]) for name in base)


@pytest.mark.parametrize("fault", ["absent", "damaged", "of another model"])
def test_weights_that_do_not_fit_for_fine_tuning_are_an_error_that_names_them(toy: Toy, fault: str) -> None:
    toy.train("base")
    path = Path("base", run_folder.WEIGHTS)
    if fault == "absent":
        path.unlink()
    elif fault == "damaged":
        path.write_bytes(path.read_bytes()[:-9])
    else:
        path.write_bytes(weights.packed(torch.nn.Linear(2, 2)))
    with pytest.raises(UserError, match=r"training\.init_from: base: base/model\.safetensors") as caught:
        toy.train("tuned", "training.init_from=base")
    assert len(str(caught.value).splitlines()) <= 3


def test_a_folder_that_is_not_a_run_is_not_touched(toy: Toy) -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("dear")
    for restart in (False, True):
        with pytest.raises(UserError, match="not empty and not a run folder"):
            toy.train("mine", restart=restart)
    with pytest.raises(UserError, match="expected a folder for the run"):
        toy.train("toy.yaml")
    assert Path("mine/letter.txt").read_text() == "dear"
