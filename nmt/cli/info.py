"""`nmt info`: the content of a run folder or a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.options import AsJson, RunOrBundle
from nmt.cli.output import print_json, print_text

if TYPE_CHECKING:
    from nmt.atomic import JsonObject
    from nmt.evaluation.evaluation_log import Entry
    from nmt.runs.metadata import VocabularySizes
    from nmt.runs.run_folder import Run


def info(
    run: RunOrBundle,
    scores: Annotated[bool, typer.Option("--scores", help="Only the scores.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a run's recipe, sizes, parameters, trained lengths and scores.

    Example: nmt info runs/de-en
    """
    from nmt.evaluation import evaluation_log
    from nmt.recipe import reading
    from nmt.runs.run_folder import Run

    opened = Run(run)
    scored = evaluation_log.read(opened)
    about = {} if scores else _about(opened)
    if as_json:
        print_json(
            {**about, "scores": [entry.as_json() for entry in scored]}
            | ({} if scores else {"recipe": opened.recipe.model_dump(by_alias=True)})
        )
        return
    for name, value in about.items():
        print_text(f"{name:<16}{value}")
    for entry in scored:
        _print_score(entry)
    if not scores:
        print_text("\n" + reading.dump(opened.recipe).removesuffix("\n"))


def _print_score(entry: Entry) -> None:
    count = _ordinal(entry.scored_before + 1)
    print_text(
        f"{entry.test}, {entry.sentences:,} sentences, beam {entry.search.get('beam', '?')}, scored the {count} time:"
    )
    for score in entry.scores.metrics:
        print_text(f"  {score.name:<6}{score.value:6.2f} ({score.low:.2f} to {score.high:.2f})  {score.signature}")
    for note in entry.notes:
        print_text(f"  note: {note}")


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _about(run: Run) -> JsonObject:
    metadata, corpus, decided, outcome = run.metadata, run.metadata.corpus, run.metadata.decided, run.outcome
    return {
        "run": str(run.path),
        "state": (f"finished after {outcome.update:,}" if outcome else "not finished")
        + f" of {decided.updates:,} planned updates",
        "corpus": corpus.name + (f" at {corpus.revision}" if corpus.revision else ""),
        **({"note": "; ".join(run.notes)} if run.notes else {}),
        **({"cache": _cache(run)} if corpus.cache else {}),
        "pairs": ", ".join(f"{split.pairs:,} {name}" for name, split in corpus.splits.items()),
        "parameters": f"{decided.parameters:,}",
        **({"vocabulary": _vocabulary(metadata.vocabulary)} if metadata.vocabulary else {}),
        "trained lengths": "; ".join(
            f"{side}: median {each.median}, 95 % up to {each.p95}, longest {each.longest} tokens"
            for side, each in (("source", metadata.lengths.source), ("target", metadata.lengths.target))
        ),
        "computed": f"on {decided.device} in {decided.precision} with {decided.threads} threads",
        "size": run.size,
        "made by": ", ".join(f"{name} {version}" for name, version in metadata.versions.items())
        + f", {metadata.created}",
    }


def _cache(run: Run) -> str:
    """The cache folders of a large corpus, as recorded when the run began."""
    folders = filter(None, [run.metadata.corpus.cache, run.metadata.token_cache])
    return ", ".join(f"{run.recipe.data.cache}/{each.folder} ({each.bytes / 2**20:,.0f} MiB)" for each in folders)


def _vocabulary(sizes: VocabularySizes) -> str:
    if sizes.joint:
        return f"{sizes.source:,} tokens, joint"
    return f"{sizes.source:,} source and {sizes.target:,} target tokens"
