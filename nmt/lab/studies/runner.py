"""Runs a study: as many runs at a time as there are cores, each in a process with one thread; what is finished is not done again."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from nmt import atomic
from nmt.errors import RunError, UserError
from nmt.lab.studies.results import Results
from nmt.lab.studies.worker import Job, work
from nmt.runs.run_folder import TIMING

LOOK_EVERY = 0.5
"""Seconds between two looks at the processes."""

Log = Callable[[str], None]


def run(results: Results, jobs: Sequence[Job], *, at_once: int, notice: Log, console: Console, quiet: bool) -> int:
    """Trains and translates what is missing, seed by seed, so that a study stopped midway can compare its systems. Returns 0, or 128 plus
    the number of the signal that asked to stop."""
    from nmt.training.fit import stop_on_signals

    waiting = sorted((job for job in jobs if not results.finished(job.unit)), key=lambda job: job.unit.seed)
    notice(f"{len(jobs) - len(waiting)} of {len(jobs)} runs are finished; {len(waiting)} to go, {at_once} at a time")
    crew = Crew(at_once, Display(len(jobs), len(jobs) - len(waiting), notice, console, quiet))
    with stop_on_signals(notice) as received, crew.display:
        crew.work_off(waiting, lambda: bool(received))
    if received:
        notice("stopped; every run is saved, the same command continues")
        return 128 + received[0]
    if crew.failed:
        shown = "".join(f"\n  {job.unit.name}: {_last_line(job.log)}" for job in crew.failed[:2])
        logs = crew.failed[0].log.parent
        raise RunError(
            f"{len(crew.failed)} of {len(jobs)} runs failed; the same command tries them again (logs in {logs}){shown}"
        )
    return 0


class Crew:
    """The processes at work."""

    def __init__(self, at_once: int, display: Display) -> None:
        self.at_once, self.display = at_once, display
        self.working: dict[SpawnProcess, Job] = {}
        self.failed: list[Job] = []

    def work_off(self, waiting: list[Job], stop: Callable[[], bool]) -> None:
        """Keeps as many processes at work as wanted, until nothing is left or ``stop()`` turns true; then all save and stop."""
        with _one_thread():
            while (waiting or self.working) and not stop():
                while waiting and len(self.working) < self.at_once:
                    self._start(waiting.pop(0))
                time.sleep(LOOK_EVERY)
                self._look()
        for process in self.working:
            process.terminate()
        for process in self.working:
            process.join()

    def _start(self, job: Job) -> None:
        job.runs.mkdir(parents=True, exist_ok=True)
        process = multiprocessing.get_context("spawn").Process(target=work, args=(job,), name=job.unit.name)
        process.start()
        self.working[process] = job
        self.display.started(job)

    def _look(self) -> None:
        for process, job in list(self.working.items()):
            if process.is_alive():
                self.display.moved(job)
                continue
            del self.working[process]
            if process.exitcode:
                self.failed.append(job)
            self.display.ended(job, process.exitcode or 0)


class Display:
    """What people see: a bar for the study and one for each run at work, or lines where there is no terminal."""

    def __init__(self, total: int, done: int, notice: Log, console: Console, quiet: bool) -> None:
        self.notice, self.done, self.total, self.began = notice, done, total, time.monotonic()
        texts = TextColumn("{task.completed:.0f}/{task.total:.0f}"), TextColumn("{task.fields[facts]}")
        self.bar = Progress(
            "{task.description}",
            BarColumn(),
            *texts,
            TimeElapsedColumn(),
            console=console,
            disable=quiet or not console.is_terminal,
        )
        self.whole = self.bar.add_task("runs", total=total, completed=done, metadata="")
        self.tasks: dict[str, TaskID] = {}
        self.here = 0

    def __enter__(self) -> Display:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def started(self, job: Job) -> None:
        """A run has begun or goes on."""
        self.tasks[job.unit.name] = self.bar.add_task(
            job.unit.name, total=job.unit.recipe.training.updates, metadata=""
        )
        self.notice(f"{job.unit.name}: at work, log in {job.log}")

    def moved(self, job: Job) -> None:
        """Shows how far a run is."""
        if self.bar.disable:
            return
        latest = atomic.read_records(job.run / TIMING)[-1:]
        for record in latest:
            metadata = (
                f"{record['tokens_per_second']:,.0f} tokens/s"
                if record["update"] < (job.unit.recipe.training.updates or 0)
                else "translating"
            )
            self.bar.update(self.tasks[job.unit.name], completed=record["update"], metadata=metadata)

    def ended(self, job: Job, code: int) -> None:
        """A run is over, well or not."""
        self.bar.remove_task(self.tasks.pop(job.unit.name))
        if code:
            self.notice(f"{job.unit.name}: failed with status {code}: {_last_line(job.log)}")
            return
        self.done, self.here = self.done + 1, self.here + 1
        left = (time.monotonic() - self.began) / self.here * (self.total - self.done) / 60
        self.bar.update(self.whole, completed=self.done, metadata=f"about {left:.0f} min left")
        self.notice(f"{job.unit.name}: finished; {self.done} of {self.total}, about {left:.0f} min left")


@contextmanager
def _one_thread() -> Any:
    """Processes started within compute on one thread each: libraries read these when they are loaded."""
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
    """How many runs go side by side: as asked, or one on each core."""
    if wanted is not None and wanted < 1:
        raise UserError(f"--jobs: expected at least 1, found {wanted}")
    return wanted or cores()
