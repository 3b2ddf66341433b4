"""`nmt finetune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.options import AsJson, Overrides, Quiet, RunOrBundle
from nmt.cli.output import console, logger, print_json, print_text
from nmt.cli.train import limited

if TYPE_CHECKING:
    from nmt.evaluation.evaluate import Decoding, Result, Translate
    from nmt.runs.run_folder import Run


def finetune(
    base: RunOrBundle,
    overrides: Overrides = None,
    mix: Annotated[
        float,
        typer.Option("--mix", min=0.0, max=0.99, help="Share of the training pairs that come from the old corpus."),
    ] = 0.0,
    test: Annotated[
        list[str] | None,
        typer.Option("--test", metavar="NAME=SRC,REF", help="Two files to score as well; may be repeated."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="The new run folder; by default runs/NAME-finetuned.")
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Delete the content of the new run folder and start again.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Go on with a trained model on other text, and score what it learns and what it forgets.

    Model, sizes and vocabulary are those of the run, which is not changed; data.train or data.corpus names the new
    text, from which pairs are held out for validation unless data.valid names some. The learning rate is a fifth of
    the earlier one and training takes 10 epochs, unless overrides say otherwise. --mix 0.3 draws three of ten training
    pairs from the old corpus, so that it is not forgotten. In the end both models are scored on the new test set and
    on the old one. The same command continues a run that was interrupted.

    Examples:

      nmt finetune runs/de-en data.train=mine.tsv data.test=mine-test.tsv

      nmt finetune runs/de-en data.train=mine.tsv --mix 0.3 updates=400 --run runs/mine

      nmt finetune de-en.nmt data.train=mine.tsv --test captions=old.de,old.en
    """
    from nmt.evaluation import testsets
    from nmt.runs import run_folder
    from nmt.runs.run_folder import Run
    from nmt.training.begin import train
    from nmt.training.finetuning import finetuned, scores

    opened, log = Run(base), logger(quiet)
    opened.check()
    named = [testsets.read(each) for each in test or []]
    recipe = finetuned(opened, limited(overrides or [], replacing=True), mix)
    folder = run or run_folder.RUNS / str(recipe.name)
    if code := train(recipe, folder, restart=restart, log=log, console=console, quiet=quiet):
        raise typer.Exit(code)
    found = scores(opened, Run(folder), named, _translator, log)
    if as_json:
        print_json([_as_json(*pair) for pair in found])
    else:
        _print(found)


def _translator(run: Run, decoding: Decoding) -> Translate:
    from nmt.inference.open import open_translator

    translator = open_translator(
        run, "torch", device="auto", precision=decoding.precision, search=decoding.search, split="never"
    )
    return lambda sentences: [each.text for each in translator.stream(sentences)]


def _as_json(before: Result, after: Result) -> dict[str, object]:
    from nmt.evaluation.evaluate import compare

    differences = [each.as_json() for each in compare([before, after])[0]]
    return {"before": before.as_json(), "after": after.as_json(), "differences": differences}


def _print(found: list[tuple[Result, Result]]) -> None:
    from nmt.evaluation import report
    from nmt.evaluation.evaluate import compare

    for pair in found:
        records = [each.as_json() for each in pair]
        print_text(report.text(report.scores_table(records), report.WIDTH))
        print_text(report.text(report.differences_table(records, compare(pair)), report.WIDTH))
