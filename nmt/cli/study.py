"""`nmt study`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.output import console, logger

if TYPE_CHECKING:
    from nmt.lab.studies.plan import Unit
    from nmt.lab.studies.study import Study


def study(
    recipe: Annotated[
        Path, typer.Argument(help="A study recipe, such as recipes/bottleneck.yaml or recipes/ladder.yaml.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE]...", help="Keys of the recipe that all systems share, or of study. and systems."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The results folder; by default results/NAME of the study.")
    ] = None,
    only: Annotated[str, typer.Option("--only", metavar="PANEL,...", help="Only the systems of these panels.")] = "",
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="Runs at the same time, one thread each; by default one per core.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the runs and an estimate of their time, and stop.")
    ] = False,
    report_only: Annotated[bool, typer.Option("--report", help="Analyse the finished runs; train nothing.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only errors.")] = False,
) -> None:
    """Train and score the models of a study and write its report: tables, figures and one page.

    Finished runs are kept: a study can be stopped at any moment, completed later, and analysed again without training.

    Examples:

      nmt study recipes/bottleneck.yaml --dry-run

      nmt study recipes/bottleneck.yaml --only core --out results/mine

      nmt study recipes/ladder.yaml data.corpus=null data.train=mine.tsv data.test=test.tsv
    """
    from nmt.lab.plotting import style
    from nmt.lab.studies import plan as plans

    plan = plans.read(recipe, overrides or [])
    units = plan.chosen([panel for panel in only.split(",") if panel])
    folder = out or Path("results") / plan.name
    style.require_matplotlib()
    from nmt.lab.studies import report, runner, study as studies  # torch, from here on

    say = logger(quiet)
    at_once = runner.check_jobs(jobs)
    if not report_only:
        prepared = studies.prepare(plan, folder, say)
        units = tuple(unit for unit in prepared.plan.units if unit.name in {each.name for each in units})
        _announce(prepared, units, at_once)
        if dry_run:
            return
        prepared.begin(say)
        code = runner.run(
            prepared.results, prepared.jobs(units), at_once=at_once, notice=say, console=console, quiet=quiet
        )
        if code:
            raise typer.Exit(code)
    for path in report.write(plan, folder, say):
        print(path)


def _announce(study: Study, units: tuple[Unit, ...], at_once: int) -> None:
    """Prints the runs to do and an estimate of their time on stderr."""
    from nmt.cli.output import say
    from nmt.lab.studies import study as studies

    waiting = [unit for unit in units if not study.results.finished(unit)]
    if not waiting:
        return
    minutes = studies.forecast(study, waiting, say)
    for unit in waiting:
        say(f"  {unit.name:<32} {unit.recipe.training.updates or 0:>6,} updates  about {minutes[unit.name]:4.0f} min")
    say(f"{len(waiting)} runs, {at_once} at a time, about {sum(minutes.values()) / at_once:.0f} min in all")
