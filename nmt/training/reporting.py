"""The reporter of a run folder: records, lines, a progress bar, and the best weights.

`metrics.jsonl` holds nothing that depends on the clock, so the files of two runs can be compared byte by byte; times
and rates are in `timing.jsonl`.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress as Bar,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from nmt import atomic, printable
from nmt.errors import UserError
from nmt.models import weights
from nmt.models.protocol import TranslationModel
from nmt.runs import run_folder
from nmt.training.progress import Plan, Progress, Validation

LINES_EVERY = 60.0
"""Seconds between two lines on a stderr that is not a terminal, where no bar is drawn."""

WITH_RATE, WITH_BAR = 68, 79
"""Columns of a terminal from which the progress bar shows the rate, and the bar itself."""


class FolderReporter:
    """Reports into a run folder and to stderr; a context manager that shows the progress bar."""

    def __init__(
        self, folder: Path, plan: Plan, log: Callable[[str], None], console: Console, *, quiet: bool, tensorboard: bool
    ) -> None:
        self.folder, self.plan, self.log = folder, plan, log
        self.lines = not quiet and not console.is_terminal
        self.bar = Bar(*_columns(console.width), console=console, disable=quiet or self.lines)
        self.task: TaskID = self.bar.add_task("training", total=plan.updates, loss="", rate="")
        self.events = _event_writer(folder) if tensorboard else None
        self.began = self.mark = time.perf_counter()
        self.busy, self.last_line = 0.0, -math.inf
        self.first: int | None = None

    def __enter__(self) -> FolderReporter:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()
        if self.events:
            self.events.close()

    def updated(self) -> None:
        """Counts the time of an update, its batch included, without validating and saving."""
        now = time.perf_counter()
        self.busy, self.mark = self.busy + now - self.mark, now

    def metrics(self, progress: Progress, rate: float) -> None:
        """A record for the updates since the last one."""
        totals = progress.totals
        applied, tokens = max(1, totals.updates), max(1, totals.tokens)  # all may have been skipped
        record: dict[str, Any] = {
            "update": progress.update,
            "epoch": progress.epoch,
            "tokens": progress.tokens,
            "objective": totals.loss / tokens,
            "loss": totals.nll / tokens,
            "learning_rate": rate,
            "gradient_norm": totals.norm / applied,
            "clip_rate": totals.clipped / applied,
            "skipped": progress.skipped,
        }
        atomic.append_record(self.folder / run_folder.METRICS, record)
        self._plot(record, "train")
        self._timing(progress, totals.tokens, totals.nll / tokens)

    def validation(self, kind: str, progress: Progress, validation: Validation, better: bool) -> None:
        """A record and a line."""
        record = {
            "update": progress.update,
            "kind": kind,
            "valid_loss": validation.loss,
            "valid_bleu": validation.bleu,
            "best": better,
        }
        atomic.append_record(self.folder / run_folder.METRICS, record)
        self._plot(record, "valid")
        scores = f"loss {validation.loss:.3f} nats per token, BLEU {validation.bleu:.2f}"
        self.log(f"update {progress.update}: {kind}: {scores}{', the best so far' if better else ''}")
        self.mark = time.perf_counter()

    def best(self, model: TranslationModel, progress: Progress, validation: Validation) -> None:
        """Writes the best weights of the run."""
        about = json.dumps({"update": progress.update, "valid_loss": validation.loss, "valid_bleu": validation.bleu})
        # one entry, because safetensors writes several in any order
        atomic.write_file(self.folder / run_folder.WEIGHTS, weights.packed(model, {"nmt": about}))

    def saved(self, path: Path) -> None:
        """Leaves the time of saving out of the rates."""
        self.mark = time.perf_counter()

    def _timing(self, progress: Progress, tokens: int, loss: float) -> None:
        now = time.perf_counter()
        self.first = progress.update - progress.totals.updates if self.first is None else self.first
        rate, self.busy = tokens / self.busy if self.busy else 0.0, 0.0
        atomic.append_record(
            self.folder / run_folder.TIMING,
            {
                "update": progress.update,
                "seconds": round(now - self.began, 3),
                "tokens_per_second": round(rate, 1),
                "time": round(time.time(), 3),
            },
        )
        shown, speed = f"loss {loss:.3f}", f"{rate:,.0f} tokens/s"
        self.bar.update(self.task, completed=progress.update, loss=shown, rate=speed)
        if self.lines and now - self.last_line > LINES_EVERY:
            left = (now - self.began) / max(1, progress.update - self.first) * (self.plan.updates - progress.update)
            self.log(f"update {progress.update}/{self.plan.updates}: {shown}  {speed}, about {_duration(left)} left")
            self.last_line = now

    def _plot(self, record: dict[str, Any], group: str) -> None:
        if self.events:
            for name, value in record.items():
                if isinstance(value, int | float) and name != "update":
                    self.events.add_scalar(f"{group}/{name}", value, record["update"])


def _columns(width: int) -> list[ProgressColumn]:
    """What the bar shows on a terminal of this width: without room for all, first the bar is left out, then the rate.

    Numbers and times are never cut.
    """
    texts = [
        "{task.description}",
        "{task.completed:.0f}/{task.total:.0f}",
        "{task.fields[loss]}",
        "{task.fields[rate]}",
    ]
    columns: list[ProgressColumn] = [TextColumn(text, table_column=Column(no_wrap=True)) for text in texts]
    if width < WITH_RATE:
        columns.pop()
    elif width >= WITH_BAR:
        columns.insert(1, BarColumn(min(40, width - WITH_BAR + 10)))
    return [*columns, TimeElapsedColumn(), TimeRemainingColumn()]


def cut_back(path: Path, progress: Progress) -> None:
    """Removes the records after the checkpoint that a run continues from, which will be written again.

    The record of an average has the update of the last checkpoint; it is kept if that was saved after averaging.
    """
    limit = progress.update
    records = atomic.read_records(path)
    kept = [
        each
        for each in records
        if each["update"] < limit or (each["update"] == limit and (progress.finished or not _is_average(each)))
    ]
    atomic.write_file(path, "".join(printable.dumps(record) + "\n" for record in kept))


def _is_average(record: dict[str, Any]) -> bool:
    return str(record.get("kind")).startswith("average")


def check_tensorboard() -> None:
    """Raises if event files cannot be written here."""
    try:
        import torch.utils.tensorboard  # noqa: F401  # its writer is used later
    except ImportError as error:
        raise UserError("training.tensorboard: true needs the extra: pip install 'nmt-recipes[tensorboard]'") from error


def _event_writer(folder: Path) -> Any:
    check_tensorboard()
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"))


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
