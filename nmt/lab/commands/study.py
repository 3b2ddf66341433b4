"""`nmt study`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.options import Quiet
from nmt.cli.output import console, logger, print_text

if TYPE_CHECKING:
    from nmt.lab.studies.plan import Job
    from nmt.lab.studies.study import Study


def study(
    recipe: Annotated[
        Path | None,
        typer.Argument(
            help="A study recipe, such as recipes/bottleneck.yaml; without it those of recipes/ are listed."
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...", help="Keys of the recipe that all systems share, or of study. and systems."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The results folder; by default results/NAME of the study.")
    ] = None,
    only: Annotated[str, typer.Option("--only", metavar="GROUP,...", help="Only the systems of these groups.")] = "",
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="Runs at the same time, one thread each; by default one per core.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Where to train and translate, as training.device of the recipe.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the runs and an estimate of their time, and stop.")
    ] = False,
    report_only: Annotated[bool, typer.Option("--report", help="Analyse the finished runs; train nothing.")] = False,
    archive: Annotated[
        bool, typer.Option("--archive", help="Afterwards put all outputs into one outputs.tar.xz, for publication.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Train and score the models of a study and write its report: tables, figures and one page.

    Finished runs are kept: a study can be stopped at any moment, completed later, and analysed again without training.

    Examples:

      nmt study

      nmt study recipes/bottleneck.yaml --dry-run

      nmt study recipes/bottleneck.yaml --only core --out results/mine

      nmt study recipes/ladder.yaml data.corpus=null data.train=mine.tsv data.test=test.tsv
    """
    from nmt.lab.plotting import style
    from nmt.lab.studies import plan as plans
    from nmt.lab.studies.archive import write_archive

    if recipe is None:
        for path, kind, line in plans.listed(Path("recipes")):
            print_text(f"{path!s:<32}{kind:<12}{line}")
        return
    keys = overrides or []
    plan = plans.read(recipe, keys if device is None else [*keys, f"training.device={device}"])
    chosen = plan.chosen([group for group in only.split(",") if group])
    folder = out or Path("results") / plan.name
    style.require_matplotlib()
    from nmt.lab.studies import report, runner, study as studies  # imports torch

    log = logger(quiet)
    processes = runner.check_jobs(jobs)
    if not report_only:
        prepared = studies.prepare(plan, folder, log)
        names = {job.name for job in chosen}
        wanted = tuple(job for job in prepared.plan.jobs if job.name in names)
        _announce(prepared, wanted, processes)
        if dry_run:
            return
        prepared.begin(log)
        assignments = prepared.assignments(wanted)
        code = runner.run(prepared.results, assignments, processes=processes, log=log, console=console, quiet=quiet)
        if code:
            raise typer.Exit(code)
    paths = report.write(plan, folder, log)
    if archive:
        paths.append(write_archive(folder))
    for path in paths:
        print_text(str(path))


def _announce(study: Study, jobs: tuple[Job, ...], processes: int) -> None:
    """Prints the jobs to do and an estimate of their time on stderr."""
    from nmt.cli.output import say
    from nmt.lab.studies import study as studies

    waiting = [job for job in jobs if not study.results.finished(job)]
    if not waiting:
        return
    minutes = studies.forecast(study, waiting, say)
    width = max(len(job.name) for job in waiting)
    for job in waiting:
        say(f"  {job.name:<{width}} {job.recipe.training.updates or 0:>6,} updates  about {minutes[job.name]:4.0f} min")
    say(f"{len(waiting)} runs, {processes} at a time, about {sum(minutes.values()) / processes:.0f} min in all")
