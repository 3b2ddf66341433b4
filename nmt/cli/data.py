"""`nmt data check`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.help import Command, Group
from nmt.cli.options import AsJson, Overrides, Quiet, RecipeFile
from nmt.cli.output import logger, print_json, print_text
from nmt.errors import Log, UserError

if TYPE_CHECKING:
    from nmt.data.corpus import Corpus
    from nmt.data.vocabulary import Vocabulary
    from nmt.recipe.types import Recipe

app = typer.Typer(cls=Group, help="Check corpora.", no_args_is_help=True)


@app.callback()
def options() -> None:
    """Check corpora."""


@app.command(cls=Command)
def check(
    recipe: RecipeFile,
    overrides: Overrides = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit", metavar="CHECK=SHARE", help="Largest share of sentences with a defect, such as overlap=0."
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check a recipe's corpus before training on it.

    Checks training after cleaning, validation and test: sentences in two splits, duplicates, unusual length ratios,
    untranslated, damaged or tokenised text, unusual scripts and languages, characters unknown to the vocabulary.
    With the extra lid, also sentences in another language than the recipe names. Examples are shown with file and line.
    Exit status: 0 without problems, 1 if a share is above its limit, 2 if the corpus cannot be read.

    Examples:

      nmt data check recipes/de-en.yaml

      nmt data check recipes/de-en.yaml data.corpus=null data.source=fr data.train=mine.tsv --limit overlap=0
    """
    from nmt.recipe import reading

    read, limits, log = reading.read(recipe, overrides or []), dict(map(_limit, limit or [])), logger(quiet)
    from nmt.corpus_checks.checks import check_corpus
    from nmt.corpus_checks.report import check_limits, tables
    from nmt.data.corpus import load
    from nmt.data.metadata import CorpusRequest

    check_limits(limits)
    request = CorpusRequest(**read.data.model_dump())
    corpus = load(request, log)
    vocabularies = _vocabularies(read, corpus, log)
    found = check_corpus(corpus, request, vocabularies, limits, log)
    if as_json:
        print_json(found.as_json())
    else:
        print_text(tables(found))
    raise typer.Exit(1 if found.problems or vocabularies is None else 0)


def _vocabularies(recipe: Recipe, corpus: Corpus, log: Log) -> tuple[Vocabulary, Vocabulary] | None:
    """The vocabularies of the recipe, or None, with a line, if the corpus is too small for their size."""
    from nmt.training.loading import load_vocabularies

    try:
        return load_vocabularies(recipe, corpus, log)
    except UserError as error:
        if not str(error).startswith("vocabulary.size"):
            raise
        log(f"{error}: training would stop here; the rest is checked without a vocabulary")
        return None


def _limit(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise UserError(f"--limit {text}: expected CHECK=SHARE with a share from 0 to 1, such as overlap=0.01")
    return name, value
