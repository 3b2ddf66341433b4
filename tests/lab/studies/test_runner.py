from __future__ import annotations

import multiprocessing
import os
import signal
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console

from nmt.errors import RunError, UserError
from nmt.lab.studies import runner
from nmt.lab.studies.plan import Job
from nmt.lab.studies.results import OUTPUTS, RESULT, Results
from nmt.lab.studies.worker import Assignment
from nmt.recipe.types import Recipe, Training

Act = Callable[[Assignment], int]


class FakeProcess:
    """A process that has ended at the second poll; ``act`` decides its status."""

    act: ClassVar[Act]
    alive: ClassVar[set[FakeProcess]] = set()
    most: ClassVar[int] = 0

    def __init__(self, *, target: Any, args: tuple[Assignment], name: str) -> None:
        self.assignment, self.polls, self.exitcode = args[0], 0, 0

    def start(self) -> None:
        FakeProcess.alive.add(self)
        FakeProcess.most = max(FakeProcess.most, len(FakeProcess.alive))
        assert os.environ["OMP_NUM_THREADS"] == "1"

    def is_alive(self) -> bool:
        self.polls += 1
        if self.polls < 2:
            return True
        FakeProcess.alive.discard(self)
        self.exitcode = FakeProcess.act(self.assignment)
        return False

    def terminate(self) -> None:
        FakeProcess.alive.discard(self)

    def join(self) -> None:
        assert self not in FakeProcess.alive


@pytest.fixture(autouse=True)
def _processes(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeProcess.alive, FakeProcess.most = set(), 0
    monkeypatch.setattr(multiprocessing, "get_context", lambda _: types.SimpleNamespace(Process=FakeProcess))
    monkeypatch.setattr(runner, "POLL_SECONDS", 0.0)


def run(
    folder: Path, act: Act, seeds: int = 4, processes: int = 2, systems: Sequence[str] = ("system",)
) -> tuple[int, list[str]]:
    FakeProcess.act = staticmethod(act)
    recipe = Recipe(training=Training(updates=1))
    assignments = [
        Assignment(Job(system, seed, recipe), folder / "results", folder / "runs", (), ())
        for system in systems
        for seed in range(seeds)
    ]
    said: list[str] = []
    results, console = Results(folder / "results"), Console(quiet=True)
    code = runner.run(results, assignments, processes=processes, log=said.append, console=console, quiet=True)
    return code, said


def finish(assignment: Assignment) -> int:
    place = assignment.results / OUTPUTS / assignment.job.name / RESULT
    place.parent.mkdir(parents=True)
    place.write_text("{}")
    return 0


def test_every_system_is_trained_with_its_first_seed_before_any_with_its_second(tmp_path: Path) -> None:
    _, said = run(tmp_path, finish, seeds=2, processes=1, systems=("one", "other"))
    assert [line.split(":")[0] for line in said if "running" in line] == [
        "one-seed0",
        "other-seed0",
        "one-seed1",
        "other-seed1",
    ]


def test_every_run_is_done_once_and_as_many_at_a_time_as_wanted(tmp_path: Path) -> None:
    assert run(tmp_path, finish)[0] == 0
    assert FakeProcess.most == 2
    code, said = run(tmp_path, lambda assignment: pytest.fail(f"{assignment.job.name} was finished"))
    assert code == 0
    assert said == ["4 of 4 runs are finished; 0 to go, 2 at a time"]


def test_a_run_that_fails_is_named_with_the_last_line_of_its_log_and_the_others_go_on(tmp_path: Path) -> None:
    def act(assignment: Assignment) -> int:
        if assignment.job.seed == 1:
            assignment.log.write_text("training\nRunError: the disk is full\n")
            return 1
        return finish(assignment)

    with pytest.raises(
        RunError,
        match=r"1 of 4 runs failed; the same command tries them again \(logs in .*\)\n"
        r"  system-seed1: RunError: the disk is full",
    ):
        run(tmp_path, act)
    assert sorted(path.parent.name for path in tmp_path.glob(f"results/{OUTPUTS}/*/{RESULT}")) == [
        "system-seed0",
        "system-seed2",
        "system-seed3",
    ]


def test_a_signal_stops_the_running_processes_and_is_the_status(tmp_path: Path) -> None:
    def act(assignment: Assignment) -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        return finish(assignment)

    code, said = run(tmp_path, act, processes=1)
    assert code == 128 + signal.SIGTERM
    assert FakeProcess.alive == set()
    assert said[-1] == "stopped; every run is saved, the same command continues"
    assert len(list(tmp_path.glob(f"results/{OUTPUTS}/*/{RESULT}"))) == 1


def test_no_runs_at_a_time_are_refused() -> None:
    with pytest.raises(UserError, match="--jobs: expected at least 1, found 0"):
        runner.check_jobs(0)
