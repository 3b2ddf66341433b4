from __future__ import annotations

import io
import itertools
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from nmt import atomic
from nmt.runs.metadata import Decisions
from nmt.training import planning
from nmt.training.progress import Progress, Totals, Validation
from nmt.training.reporting import FolderReporter, cut_back

if TYPE_CHECKING:
    from tests.training.conftest import Toy

DECIDED = Decisions(updates=40, validate_every=20, warmup=4, precision="fp32")


def report(toy: Toy, folder: Path, seconds: float, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Reports two records of metrics and a validation, with a clock that advances by ``seconds`` at every reading."""
    folder.mkdir()
    clock, lines = itertools.count(0.0, seconds), list[str]()
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    plan = planning.plan(toy.recipe(), DECIDED)
    reporter = FolderReporter(folder, plan, lines.append, Console(quiet=True), quiet=False, tensorboard=False)
    for update in (20, 40):
        reporter.updated()
        reporter.metrics(
            Progress(update, totals=Totals(updates=20, tokens=100, loss=300.0, nll=200.0, norm=10.0, clipped=5)), 0.5
        )
    reporter.validation("validation", Progress(40), Validation(2.5, 12.345), True)
    return lines


def test_metrics_do_not_depend_on_the_clock(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, seconds in (("slow", 50.0), ("fast", 0.5)):
        report(toy, Path(folder), seconds, monkeypatch)
    assert Path("slow/metrics.jsonl").read_bytes() == Path("fast/metrics.jsonl").read_bytes()
    rates = [
        [record["tokens_per_second"] for record in atomic.read_records(Path(folder, "timing.jsonl"))]
        for folder in ("slow", "fast")
    ]
    assert rates == [[2.0, 1.0], [200.0, 100.0]]


def test_metrics_are_means_over_tokens_and_updates(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    report(toy, Path("run"), 1.0, monkeypatch)
    first, _, valid = atomic.read_records(Path("run/metrics.jsonl"))
    assert (first["objective"], first["loss"], first["gradient_norm"], first["clip_rate"]) == (3.0, 2.0, 0.5, 0.25)
    assert valid == {"update": 40, "kind": "validation", "valid_loss": 2.5, "valid_bleu": 12.345, "best": True}


@pytest.mark.parametrize(
    ("width", "rate", "bar"), [(52, False, False), (60, False, False), (70, True, False), (100, True, True)]
)
def test_a_narrow_terminal_shows_all_numbers_and_drops_the_bar_first_and_then_the_rate(
    toy: Toy, width: int, rate: bool, bar: bool
) -> None:
    Path("run").mkdir()
    plan = planning.plan(toy.recipe(), DECIDED.with_updates(123456))
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    reporter = FolderReporter(Path("run"), plan, print, console, quiet=False, tensorboard=False)
    totals = Totals(updates=20, tokens=1_000_000, loss=1.0, nll=1_234_567.0, norm=1.0, clipped=0)
    reporter.busy = 80.0
    reporter.metrics(Progress(12345, totals=totals), 0.5)
    with console.capture() as shown:
        console.print(reporter.bar.get_renderable())
    line = shown.get().rstrip()
    assert "\n" not in line
    assert "…" not in line
    assert all(text in line for text in ("12345/123456", "loss 1.235", "0:00:0", "-:--:--"))
    assert ("12,500 tokens/s" in line, "━" in line) == (rate, bar)


def test_without_a_terminal_a_line_a_minute_gives_the_remaining_time(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is read when training begins, after an update, and at every record, of which the second is too soon."""
    assert report(toy, Path("run"), 25.0, monkeypatch) == [
        "update 20/40: loss 2.000  4 tokens/s, about 50 s left",
        "update 40: validation: loss 2.500 nats per token, BLEU 12.35, the best so far",
    ]


def test_on_a_terminal_a_bar_shows_how_far_training_is(toy: Toy) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=120)
    with FolderReporter(
        Path(), planning.plan(toy.recipe(), DECIDED), pytest.fail, console, quiet=False, tensorboard=False
    ) as reporter:
        reporter.metrics(Progress(20, totals=Totals(updates=20, tokens=100, nll=200.0)), 0.5)
    assert "20/40" in shown.getvalue()
    assert "loss 2.000" in shown.getvalue()
    assert "tokens/s" in shown.getvalue()


def test_metrics_of_skipped_updates_only_are_valid_json(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = FolderReporter(
        Path(), planning.plan(toy.recipe(), DECIDED), print, Console(quiet=True), quiet=True, tensorboard=False
    )
    reporter.metrics(Progress(20, skipped=20), 0.5)
    record = json.loads(Path("metrics.jsonl").read_text(), parse_constant=pytest.fail)
    assert (record["loss"], record["skipped"]) == (0.0, 20)


AVERAGED: list[dict[str, Any]] = [
    {"update": 2},
    {"update": 4},
    {"update": 4, "kind": "validation"},
    {"update": 4, "kind": "average of 2"},
    {"update": 6},
]


@pytest.mark.parametrize(
    ("progress", "kept"),
    [
        (Progress(0), 0),
        (Progress(2), 1),
        (Progress(4), 3),
        (Progress(4, finished=True), 4),
        (Progress(5), 4),
        (Progress(6), 5),
    ],
)
def test_records_after_a_checkpoint_are_removed(tmp_path: Path, progress: Progress, kept: int) -> None:
    """An average is made after the regular checkpoint of its update, and before that of the finished run."""
    path = tmp_path / "metrics.jsonl"
    for record in AVERAGED:
        atomic.append_record(path, record)
    whole = path.read_bytes().splitlines(keepends=True)
    with path.open("ab") as file:
        file.write(b'{"update": 7, "lo')  # a kill in the middle of a line
    cut_back(path, progress)
    assert path.read_bytes() == b"".join(whole[:kept])
