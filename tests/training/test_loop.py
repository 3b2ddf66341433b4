from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from nmt.data.batches import Batch, Batches, TokenIds, collate
from nmt.errors import RunError
from nmt.models.protocol import TranslationModel
from nmt.models.registry import build
from nmt.training import checkpoints, loop
from nmt.training.loop import Training, TrainingStoppedError
from nmt.training.objective import Loss, objective
from nmt.training.progress import Plan, Progress, Validation

SENTENCES = [[5, 6, 7], [8, 9], [5, 9, 9, 6], [7], [6, 6, 8], [9, 5]]
PLAN = Plan(
    updates=6,
    accumulate=1,
    learning_rate=0.01,
    betas=(0.9, 0.98),
    weight_decay=0.0,
    schedule="constant",
    warmup=0,
    plateau_factor=0.5,
    plateau_patience=2,
    label_smoothing=0.1,
    clip=1.0,
    precision="fp32",
    validate_every=1,
    save_every=2,
    keep=2,
    select="bleu",
    patience=0,
    average=0,
)


class FakeReporter:
    """Records what it is told."""

    def __init__(self) -> None:
        self.logged: list[str] = []
        self.rates: list[float] = []
        self.totals: list[Any] = []
        self.kinds: list[str] = []
        self.kept: list[int] = []

    def log(self, text: str) -> None:
        self.logged.append(text)

    def updated(self) -> None:
        pass

    def metrics(self, progress: Progress, rate: float) -> None:
        self.rates.append(rate)
        self.totals.append(progress.totals)

    def validation(self, kind: str, progress: Progress, validation: Validation, better: bool) -> None:
        self.kinds.append(kind)

    def best(self, model: TranslationModel, progress: Progress, validation: Validation) -> None:
        self.kept.append(progress.update)

    def saved(self, path: Path) -> None:
        pass


class Made(NamedTuple):
    training: Training
    reporter: FakeReporter


Make = Callable[..., Made]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a training of a tiny Transformer without dropout; its validations give these results, then BLEU 0."""
    monkeypatch.setattr(loop, "LOG_EVERY", 1)

    def made(validations: Sequence[Validation] = (), **plan: Any) -> Made:
        torch.manual_seed(1)
        stack, reporter, results = {"layers": 1}, FakeReporter(), iter(validations)
        sizes = {"width": 8, "heads": 2, "feed_forward": 16, "encoder": stack, "decoder": stack, "tied": True}
        model = build(
            {"family": "transformer", **sizes, "dropout": 0.0, "attention_dropout": 0.0},
            source=10,
            target=10,
            joint=True,
        )
        batches = Batches(TokenIds(SENTENCES), TokenIds(SENTENCES), seed=1, batch_tokens=9)

        def validate() -> Validation:
            return next(results, Validation(9.0, 0.0))

        training = Training(
            model, batches, replace(PLAN, **plan), torch.device("cpu"), validate, tmp_path / "checkpoints", reporter
        )
        return Made(training, reporter)

    return made


def never() -> bool:
    return False


def spoiled(training: Training) -> None:
    """Makes a weight infinite, as an update with a finite gradient and a huge learning rate can."""
    with torch.no_grad():
        next(iter(training.model.parameters())).view(-1)[0] = math.inf


def test_weights_that_are_not_finite_are_not_saved_and_end_training(make: Make) -> None:
    training = make(save_every=2, validate_every=6).training
    update, folder = training.update, training.folder

    def spoiling(batches: list[Batch]) -> None:
        update(batches)
        if training.progress.update == 4:
            spoiled(training)

    training.update = spoiling  # type: ignore[method-assign]
    with pytest.raises(RunError, match=r"update 4: the weights are not finite; the last good checkpoint is kept in "):
        training.fit(never)
    assert list(checkpoints.steps(folder)) == [2]


def test_a_validation_that_finds_no_finite_score_ends_training_in_words(make: Make) -> None:
    training = make().training

    def validate() -> Validation:
        raise FloatingPointError("search: no continuation has a finite score")

    training.validate = validate
    with pytest.raises(
        RunError, match=r"update 1: the weights give no finite scores; .*\nlower training.learning_rate"
    ):
        training.fit(never)
    training.validate = lambda: Validation(math.nan, 0.0)
    with pytest.raises(RunError, match=r"update 2: the weights give no finite loss; "):
        training.fit(never)


def parameters(training: Training) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in training.model.parameters()]


def gradients(training: Training, batches: list[Batch], monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """The clipped gradient with which these batches would update the model."""
    found: list[Tensor] = []

    def step() -> None:
        found.extend(each.grad.clone() for each in training.model.parameters() if each.grad is not None)

    monkeypatch.setattr(training.optimizer, "step", step)
    training.update(batches)
    return found


def test_two_accumulated_batches_have_the_gradient_of_both_in_one(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums over tokens are divided once, so a token weighs the same in any batch; the order of fp32 sums makes 1e-7."""
    parts = [collate(SENTENCES[:1], SENTENCES[:1]), collate(SENTENCES[1:], SENTENCES[1:])]
    apart = gradients(make(clip=None).training, parts, monkeypatch)
    together = gradients(make(clip=None).training, [collate(SENTENCES, SENTENCES)], monkeypatch)
    assert len(apart) == len(together) > 0
    for one, other in zip(apart, together, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=1e-5)


def test_an_update_takes_as_many_batches_as_the_plan_says(make: Make) -> None:
    one, two = make(updates=4).training, make(updates=2, accumulate=2).training
    one.fit(never)
    two.fit(never)
    position = [(each.progress.epoch, each.progress.batch, each.progress.tokens) for each in (one, two)]
    assert position[0] == position[1]


def poison(training: Training, updates: Sequence[int]) -> None:
    """Makes the gradient of one parameter NaN in the given updates; the loss stays finite."""
    last = list(training.model.parameters())[-1]
    last.register_hook(lambda gradient: gradient * math.nan if training.progress.update in updates else gradient)  # type: ignore[no-untyped-call]  # torch's own


def test_a_gradient_that_is_not_finite_is_skipped_and_counted(make: Make) -> None:
    training, reporter = make()
    poison(training, [2])
    before: list[list[Tensor]] = []
    for _ in range(2):
        training.update([training.next_batch()])
        before.append(parameters(training))
    assert all(map(torch.equal, *before))
    assert (training.progress.skipped, training.progress.skipped_in_a_row, training.progress.update) == (1, 1, 2)
    assert training.progress.totals.updates == 1
    assert reporter.logged == ["update 2: the gradient is not finite; skipped (1 so far)"]
    training.update([training.next_batch()])
    assert not all(map(torch.equal, before[1], parameters(training)))
    assert training.progress.skipped_in_a_row == 0


def test_a_loss_that_is_not_finite_is_skipped_though_its_gradient_is(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What went into the metrics' totals would make them say nothing."""

    def endless(*given: Any) -> Loss:
        loss = objective(*given)
        return loss._replace(loss=loss.loss + math.inf)

    training, reporter = make()
    before = parameters(training)
    monkeypatch.setattr(loop, "objective", endless)
    training.update([training.next_batch()])
    assert all(map(torch.equal, before, parameters(training)))
    assert (training.progress.skipped, training.progress.totals.updates) == (1, 0)
    assert reporter.logged == ["update 1: the loss is not finite; skipped (1 so far)"]


def test_twenty_skipped_in_a_row_end_training_and_keep_the_last_checkpoint(make: Make) -> None:
    training, _ = make(updates=100)
    poison(training, range(4, 100))
    with pytest.raises(
        RunError,
        match=r"update 23: 20 updates in a row had a loss or gradient that is not finite; "
        r"the last good checkpoint is kept in .*checkpoints\n",
    ):
        training.fit(never)
    newest = checkpoints.newest(training.folder, print)
    assert newest is not None
    checkpoints.load(newest, training.model)
    assert all(parameter.isfinite().all() for parameter in training.model.parameters())


def test_nineteen_skipped_in_a_row_do_not_end_training(make: Make) -> None:
    training, _ = make(updates=30)
    poison(training, range(4, 23))
    training.fit(never)
    assert training.progress.skipped == 19


@pytest.mark.parametrize(("clip", "clipped"), [(1e-9, 3), (1e9, 0), (None, 0)])
def test_metrics_count_how_often_the_gradient_was_clipped(
    make: Make, monkeypatch: pytest.MonkeyPatch, clip: float | None, clipped: int
) -> None:
    monkeypatch.setattr(loop, "LOG_EVERY", 3)
    training, reporter = make(updates=3, clip=clip)
    training.fit(never)
    assert [(totals.updates, totals.clipped) for totals in reporter.totals] == [(3, clipped)]
    assert reporter.totals[0].norm > 1e-3


def test_clipping_bounds_the_norm_of_the_gradient(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    found = gradients(make(clip=0.01).training, [collate(SENTENCES, SENTENCES)], monkeypatch)
    assert nn.utils.get_total_norm(found).item() == pytest.approx(0.01, rel=1e-3)


def test_the_plateau_halves_the_rate_after_every_two_validations_without_a_better_score(make: Make) -> None:
    training, reporter = make([Validation(1.0, bleu) for bleu in (1, 2, 2, 1, 3, 3)], schedule="plateau")
    training.fit(never)
    assert reporter.rates == [0.01, 0.01, 0.01, 0.01, 0.005, 0.005]
    assert training.progress.drops == 1


def test_patience_ends_training_early_with_a_checkpoint(make: Make) -> None:
    training, _ = make([Validation(1.0, bleu) for bleu in (1, 2, 2, 1, 3, 3)], patience=2)
    training.fit(never)
    assert (training.progress.update, training.progress.finished) == (4, True)
    assert max(checkpoints.steps(training.folder)) == 4


@pytest.mark.parametrize(("select", "kept"), [("bleu", [1, 3]), ("loss", [1, 2])])
def test_the_weights_kept_are_the_best_by_what_the_plan_selects(make: Make, select: str, kept: list[int]) -> None:
    training, reporter = make([Validation(3.0, 10), Validation(2.0, 10), Validation(2.5, 11)], select=select, updates=3)
    training.fit(never)
    assert reporter.kept == kept
    assert training.progress.best_update == kept[-1]


def test_the_average_is_validated_and_the_last_weights_are_restored(make: Make) -> None:
    plain, averaging = make(updates=4), make([Validation(1.0, 0)] * 4 + [Validation(1.0, 5)], updates=4, average=3)
    plain.training.fit(never)
    averaging.training.fit(never)
    assert averaging.reporter.kinds[-1] == "average of 2"
    assert averaging.reporter.kept == [1, 4]
    assert all(map(torch.equal, parameters(plain.training), parameters(averaging.training)))


def test_checkpoints_that_an_average_will_need_are_kept(make: Make) -> None:
    training, reporter = make(updates=9, average=4)
    training.fit(never)
    assert reporter.kinds[-1] == "average of 4"
    assert list(checkpoints.steps(training.folder)) == [4, 6, 8, 9]


def test_a_stop_saves_after_the_current_update(make: Make) -> None:
    training, _ = make()
    with pytest.raises(TrainingStoppedError):
        training.fit(lambda: training.progress.update == 3)
    assert max(checkpoints.steps(training.folder)) == 3


def test_the_state_holds_plain_values_only(make: Make) -> None:
    training, _ = make(updates=2)
    training.fit(never)
    state = checkpoints.load(training.folder / "step-00000002", training.model)
    assert Progress.restored(state["progress"]) == training.progress
    assert state["threads"] == torch.get_num_threads()


def test_while_bleu_is_below_1_the_loss_selects() -> None:
    judged = [Validation(5.9, 0.0), Validation(8.2, 0.03), Validation(6.0, 1.0), Validation(2.0, 30.0)]
    assert sorted(judged, key=lambda each: each.better_by("bleu")) == [judged[1], judged[0], judged[2], judged[3]]
