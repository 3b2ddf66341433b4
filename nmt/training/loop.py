"""The training loop: accumulate, clip, update, validate, save, log. `fit` is read from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from nmt.data.batches import Batch, Batches, Prefetcher
from nmt.errors import RunError
from nmt.models import weights
from nmt.models.protocol import TranslationModel
from nmt.training import checkpoints
from nmt.training.objective import Loss, objective
from nmt.training.progress import Plan, Progress, Reporter, Totals, Validation
from nmt.training.schedules import learning_rate
from nmt.training.step import TrainingStep, Update

PATIENCE_WITH_NAN = 20
"""Updates in a row whose loss or gradient is not finite, after which training fails."""
LOG_EVERY = 20
"""Updates between two records of metrics."""


class TrainingStoppedError(Exception):
    """Training has stopped on request and is saved; the same command continues it."""


@dataclass
class Training:
    """A model in training, with everything that an update changes and a checkpoint holds."""

    model: TranslationModel
    batches: Batches | Prefetcher
    plan: Plan
    device: torch.device
    validate: Callable[[], Validation]
    folder: Path
    reporter: Reporter
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=0.0,
            betas=self.plan.betas,
            weight_decay=self.plan.weight_decay,
            fused=self.device.type != "mps",
        )
        self.step = TrainingStep(self.optimizer, self.plan.clip)

    def fit(self, stop: Callable[[], bool]) -> None:
        """Trains to the end of the plan; raises `TrainingStoppedError` after an update at which ``stop()`` is true."""
        plan, progress = self.plan, self.progress
        while progress.update < plan.updates and not self.out_of_patience():
            progress.finished = False  # a finished run continues when its limit is raised
            self.update([self.next_batch() for _ in range(plan.accumulate)])
            self.reporter.updated()
            if progress.update % LOG_EVERY == 0 or progress.update == plan.updates:
                self.log()
            if progress.update % plan.validate_every == 0 or progress.update == plan.updates:
                self.keep_if_best(self.validated())
            if stop():
                self.save()
                raise TrainingStoppedError
            if progress.update % plan.save_every == 0:
                self.save()
        if not progress.finished:
            self.keep_average_if_best()
            progress.finished = True
            self.save()

    def update(self, batches: list[Batch]) -> None:
        """One update on several batches."""
        progress = self.progress
        self.model.train()
        tokens = sum(int(batch.target_mask.sum()) for batch in batches)
        progress.update += 1
        update = self.step(map(self.loss, batches), tokens, self.rate())
        progress.tokens += tokens
        if update.applied:
            progress.skipped_in_a_row = 0
            progress.totals.add(update, self.plan.clip)
        else:
            self.count_skipped(update)

    def loss(self, batch: Batch) -> Loss:
        """The loss of one batch, on the device."""
        return objective(self.model, batch.to(self.device), self.plan.label_smoothing, self.plan.precision)

    def count_skipped(self, update: Update) -> None:
        """Counts an update without effect; many in a row end training."""
        progress, number = self.progress, self.progress.update
        progress.skipped += 1
        progress.skipped_in_a_row += 1
        what = "gradient" if math.isfinite(update.loss) else "loss"
        self.reporter.log(f"update {number}: the {what} is not finite; skipped ({progress.skipped} so far)")
        if progress.skipped_in_a_row >= PATIENCE_WITH_NAN:
            raise self.failed(f"{PATIENCE_WITH_NAN} updates in a row had a loss or gradient that is not finite")

    def validated(self) -> Validation:
        """The validation; weights that a finite gradient has made useless end training."""
        try:
            validation = self.validate()
        except FloatingPointError as error:  # of the search
            raise self.failed("the weights give no finite scores") from error
        if not math.isfinite(validation.loss):
            raise self.failed("the weights give no finite loss")
        return validation

    def failed(self, what: str) -> RunError:
        """The error of a training whose numbers have left the range of floating point."""
        return RunError(
            f"update {self.progress.update}: {what}; the last good checkpoint is kept in {self.folder}\n"
            "lower training.learning_rate or set training.precision=fp32"
        )

    def rate(self) -> float:
        """The learning rate of the current update."""
        plan, progress = self.plan, self.progress
        return learning_rate(
            plan.schedule,
            progress.update,
            peak=plan.learning_rate,
            warmup=plan.warmup,
            total=plan.updates,
            factor=plan.plateau_factor,
            drops=progress.drops,
        )

    def next_batch(self) -> Batch:
        """The batch at the current position in the data; advances the position."""
        progress = self.progress
        if progress.batch >= self.batches.count(progress.epoch):
            progress.epoch, progress.batch = progress.epoch + 1, 0
        batch = self.batches.batch(progress.epoch, progress.batch)
        progress.batch += 1
        return batch

    def keep_if_best(self, validation: Validation, kind: str = "validation") -> None:
        """Keeps the weights if their validation is the best so far, and counts the validations since the best."""
        plan, progress = self.plan, self.progress
        score = validation.better_by(plan.select)
        better = score > progress.best
        if better:
            progress.best, progress.best_update, progress.stalled = score, progress.update, 0
            self.reporter.best(self.model, progress, validation)
        else:
            progress.stalled += 1
            if progress.stalled % plan.plateau_patience == 0:
                progress.drops += 1
        self.reporter.validation(kind, progress, validation, better)

    def keep_average_if_best(self) -> None:
        """Validates the mean of the current weights and those of the last checkpoints; restores the current weights."""
        paths = [path for path in self.averaged() if checkpoints.is_sound(path, self.reporter.log)]
        if not paths:
            return
        own = {name: parameter.detach().clone() for name, parameter in self.model.named_parameters()}
        weights.put(self.model, checkpoints.average(own, paths))
        self.keep_if_best(self.validated(), f"average of {len(paths) + 1}")
        weights.put(self.model, own)

    def averaged(self) -> list[Path]:
        """The checkpoints that an average at the current update uses.

        Checkpoints that were saved because training stopped are not used, so that stopping does not change the average.
        """
        plan, found = self.plan, checkpoints.steps(self.folder).items()
        regular = [path for update, path in found if update % plan.save_every == 0 and update < self.progress.update]
        return regular[1 - plan.average :] if plan.average > 1 else []

    def out_of_patience(self) -> bool:
        """Whether the plan ends training early: too many validations since the best."""
        return bool(self.plan.patience) and self.progress.stalled >= self.plan.patience

    def log(self) -> None:
        """Records the metrics of the updates since the last record."""
        self.reporter.metrics(self.progress, self.rate())
        self.progress.totals = Totals()

    def save(self) -> None:
        """Saves a checkpoint, from which training continues to the bit as if it had not stopped."""
        if not all(bool(parameter.isfinite().all()) for parameter in self.model.parameters()):
            raise self.failed("the weights are not finite")
        path = checkpoints.save(self.folder, self.progress.update, self.model, self.state())
        self.reporter.saved(path)
        self.prune()

    def prune(self) -> None:
        """Removes the checkpoints that are no longer needed."""
        checkpoints.prune(self.folder, self.progress.update, self.plan.keep, self.averaged())

    def state(self) -> checkpoints.State:
        """What a checkpoint holds beside the weights, in types that load with ``weights_only=True``."""
        cuda = torch.cuda.get_rng_state_all() if self.device.type == "cuda" else []
        return {
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "random": {"cpu": torch.get_rng_state(), "cuda": cuda},
            "threads": torch.get_num_threads(),
        }

    def restore(self, path: Path) -> None:
        """Continues from a checkpoint."""
        state = checkpoints.load(path, self.model)
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress.restored(state["progress"])
        torch.set_num_threads(state["threads"])
        torch.set_rng_state(state["random"]["cpu"])
        if self.device.type == "cuda" and state["random"]["cuda"]:
            torch.cuda.set_rng_state_all(state["random"]["cuda"])
        self.prune()  # a kill may have prevented it
