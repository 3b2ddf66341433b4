"""Values shared by the training loop: plan, progress, validation result, reporter."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from nmt.atomic import JsonObject
from nmt.models.protocol import TranslationModel
from nmt.training.step import Update


@dataclass(frozen=True)
class Plan:
    """Settings of the training loop, fixed when a run begins; see `nmt.recipe.types.Training`."""

    updates: int
    accumulate: int
    learning_rate: float
    betas: tuple[float, float]
    weight_decay: float
    schedule: str
    warmup: int
    plateau_factor: float
    plateau_patience: int
    label_smoothing: float
    clip: float | None
    precision: str
    validate_every: int
    save_every: int
    keep: int
    select: str
    patience: int
    average: int


@dataclass
class Totals:
    """Sums over the updates since the last line of metrics, skipped ones left out; losses in nats."""

    updates: int = 0
    tokens: int = 0
    loss: float = 0.0
    nll: float = 0.0
    norm: float = 0.0
    clipped: int = 0

    def add(self, update: Update, clip: float | None) -> None:
        """Counts an update."""
        self.updates += 1
        self.tokens += update.tokens
        self.loss += update.loss
        self.nll += update.nll
        self.norm += update.norm
        self.clipped += clip is not None and update.norm > clip


@dataclass
class Progress:
    """How far training is, in plain numbers that a checkpoint can hold."""

    update: int = 0
    epoch: int = 0
    batch: int = 0
    """Batches of this epoch that are done."""
    tokens: int = 0
    """Target tokens that have been trained on."""
    best: float = -math.inf
    """Best validation so far, as `Validation.better_by` compares it."""
    best_update: int = 0
    stalled: int = 0
    """Validations since the best."""
    drops: int = 0
    """Times that the plateau schedule has lowered the learning rate."""
    skipped: int = 0
    """Updates without effect because the loss or its gradient was not finite."""
    skipped_in_a_row: int = 0
    finished: bool = False
    totals: Totals = field(default_factory=Totals)

    @classmethod
    def restored(cls, values: JsonObject) -> Progress:
        """The inverse of `dataclasses.asdict`."""
        return cls(**{**values, "totals": Totals(**values["totals"])})


@dataclass(frozen=True)
class Validation:
    """Loss in nats per target token without smoothing, and BLEU of real decoding."""

    loss: float
    bleu: float

    def better_by(self, select: str) -> float:
        """The score by which the best weights are selected, larger is better; the loss while BLEU is below 1."""
        return self.bleu if select == "bleu" and self.bleu >= 1 else -self.loss


class Reporter(Protocol):
    """Where training reports: lines for the user, records for machines, and the best weights."""

    def log(self, text: str) -> None:
        """A line for the user."""

    def updated(self) -> None:
        """An update has been made."""

    def metrics(self, progress: Progress, rate: float) -> None:
        """The totals since the last call, and the current learning rate."""

    def validation(self, kind: str, progress: Progress, validation: Validation, better: bool) -> None:
        """The result of a validation."""

    def best(self, model: TranslationModel, progress: Progress, validation: Validation) -> None:
        """The best weights so far."""

    def saved(self, path: Path) -> None:
        """A checkpoint has been saved."""
