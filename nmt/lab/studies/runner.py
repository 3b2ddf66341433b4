"""Runs the jobs of a study: as many processes at a time as there are cores, one thread each. Finished jobs are kept."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from nmt import atomic
from nmt.errors import Log, RunError, UserError
from nmt.lab.studies.results import Results
from nmt.lab.studies.worker import Assignment, work
from nmt.runs.run_folder import TIMING

POLL_SECONDS = 0.5
"""Time between two checks of the processes."""


def run(
    results: Results, assignments: Sequence[Assignment], *, processes: int, log: Log, console: Console, quiet: bool
) -> int:
    """Trains and translates the jobs that are not finished.

    All systems run with their first seed before any with its second, so that a study stopped midway can compare them.
    Returns 0, or 128 plus the number of the signal that asked to stop.
    """
    from nmt.training.fit import stop_on_signals

    total = len(assignments)
    waiting = [each for each in assignments if not results.finished(each.job)]
    waiting.sort(key=lambda each: each.job.seed)
    log(f"{total - len(waiting)} of {total} runs are finished; {len(waiting)} to go, {processes} at a time")
    pool = Pool(processes, Display(total, total - len(waiting), log, console, quiet))
    with stop_on_signals(log) as received, pool.display:
        pool.run(waiting, lambda: bool(received))
    if received:
        log("stopped; every run is saved, the same command continues")
        return 128 + received[0]
    if pool.failed:
        shown = "".join(f"\n  {each.job.name}: {_last_line(each.log)}" for each in pool.failed[:2])
        logs = pool.failed[0].log.parent
        raise RunError(
            f"{len(pool.failed)} of {total} runs failed; the same command tries them again (logs in {logs}){shown}"
        )
    return 0


class Pool:
    """The running processes."""

    def __init__(self, processes: int, display: Display) -> None:
        self.processes, self.display = processes, display
        self.running: dict[SpawnProcess, Assignment] = {}
        self.failed: list[Assignment] = []

    def run(self, waiting: list[Assignment], stop: Callable[[], bool]) -> None:
        """Runs all that wait. When ``stop()`` turns true, all processes save and stop."""
        with _one_thread():
            while (waiting or self.running) and not stop():
                while waiting and len(self.running) < self.processes:
                    self._start(waiting.pop(0))
                time.sleep(POLL_SECONDS)
                self._poll()
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.join()

    def _start(self, assignment: Assignment) -> None:
        assignment.runs.mkdir(parents=True, exist_ok=True)
        process = multiprocessing.get_context("spawn").Process(
            target=work, args=(assignment,), name=assignment.job.name
        )
        process.start()
        self.running[process] = assignment
        self.display.started(assignment)

    def _poll(self) -> None:
        for process, assignment in list(self.running.items()):
            if process.is_alive():
                self.display.update(assignment)
                continue
            del self.running[process]
            if process.exitcode:
                self.failed.append(assignment)
            self.display.ended(assignment, process.exitcode or 0)


class Display:
    """Progress of a study: a bar for it and one for each running job, or lines without a terminal."""

    def __init__(self, total: int, done: int, log: Log, console: Console, quiet: bool) -> None:
        self.log, self.done, self.total, self.began = log, done, total, time.monotonic()
        texts = TextColumn("{task.completed:.0f}/{task.total:.0f}"), TextColumn("{task.fields[status]}")
        hidden = quiet or not console.is_terminal
        self.bar = Progress(
            "{task.description}", BarColumn(), *texts, TimeElapsedColumn(), console=console, disable=hidden
        )
        self.whole = self.bar.add_task("runs", total=total, completed=done, status="")
        self.tasks: dict[str, TaskID] = {}
        self.done_here = 0

    def __enter__(self) -> Display:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def started(self, assignment: Assignment) -> None:
        """A job begins or continues."""
        job = assignment.job
        self.tasks[job.name] = self.bar.add_task(job.name, total=job.recipe.training.updates, status="")
        self.log(f"{job.name}: running, log in {assignment.log}")

    def update(self, assignment: Assignment) -> None:
        """Shows the progress of a job."""
        if self.bar.disable:
            return
        job = assignment.job
        for record in atomic.read_records(assignment.run / TIMING)[-1:]:
            training = record["update"] < (job.recipe.training.updates or 0)
            status = f"{record['tokens_per_second']:,.0f} tokens/s" if training else "translating"
            self.bar.update(self.tasks[job.name], completed=record["update"], status=status)

    def ended(self, assignment: Assignment, code: int) -> None:
        """A job has ended with this exit status."""
        name = assignment.job.name
        self.bar.remove_task(self.tasks.pop(name))
        if code:
            self.log(f"{name}: failed with status {code}: {_last_line(assignment.log)}")
            return
        self.done, self.done_here = self.done + 1, self.done_here + 1
        left = (time.monotonic() - self.began) / self.done_here * (self.total - self.done) / 60
        self.bar.update(self.whole, completed=self.done, status=f"about {left:.0f} min left")
        self.log(f"{name}: finished; {self.done} of {self.total}, about {left:.0f} min left")


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started within compute on one thread: libraries read these variables when they are loaded."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _last_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf8", errors="replace").strip().rpartition("\n")[2][:200]
    except OSError:
        return "no log"


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_jobs(wanted: int | None) -> int:
    """How many processes run at a time: as asked, or one per core."""
    if wanted is not None and wanted < 1:
        raise UserError(f"--jobs: expected at least 1, found {wanted}")
    return wanted or cores()
