"""`nmt info`: what is in a run folder or a bundle."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli.output import print_json

if TYPE_CHECKING:
    from nmt.runs.run_folder import Run


def info(
    run: Annotated[Path, typer.Argument(help="A run folder or a bundle.")],
    scores: Annotated[bool, typer.Option("--scores", help="Only the scores.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print a run's recipe, sizes, parameters, trained lengths and scores.

    Example: nmt info runs/de-en
    """
    from nmt.evaluation import evaluation_log
    from nmt.recipe import reading
    from nmt.runs.run_folder import Run

    opened = Run(run)
    scored = evaluation_log.read(opened)
    about = {} if scores else _facts(opened)
    if as_json:
        print_json(
            {**about, "scores": scored} | ({} if scores else {"recipe": opened.recipe.model_dump(by_alias=True)})
        )
        return
    for name, value in about.items():
        print(f"{name:<16}{value}")
    for record in scored:
        _print_score(record)
    if not scores:
        print("\n" + reading.dump(opened.recipe), end="")


def _print_score(record: dict[str, Any]) -> None:
    bleu, chrf, ter = (record["scores"][name] for name in ("bleu", "chrf", "ter"))
    beam, looks = record["search"]["beam"], _ordinal(record["scored_before"] + 1)
    print(f"{record['test']}, {record['sentences']:,} sentences, beam {beam}, scored the {looks} time:")
    for score in (bleu, chrf, ter):
        print(
            f"  {score['name']:<6}{score['value']:6.2f} ({score['low']:.2f} to {score['high']:.2f})  {score['signature']}"
        )
    for note in record["notes"]:
        print(f"  note: {note}")


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _facts(run: Run) -> dict[str, Any]:
    metadata, corpus, outcome = run.metadata, run.metadata["corpus"], run.outcome
    return {
        "run": str(run.path),
        "state": (f"finished after {outcome['update']:,}" if outcome else "not finished")
        + f" of {metadata['updates']:,} planned updates",
        "corpus": corpus["name"] + (f" at {corpus['revision']}" if corpus["revision"] else ""),
        **({"note": "; ".join(run.notes)} if run.notes else {}),
        **({"cache": _cached(run)} if corpus.get("cache") else {}),
        "pairs": ", ".join(f"{split['pairs']:,} {name}" for name, split in corpus["splits"].items()),
        "parameters": f"{metadata['parameters']:,}",
        "vocabulary": _vocabulary(metadata["vocabulary"]),
        "trained lengths": "; ".join(_lengths(side, each) for side, each in metadata["lengths"].items()),
        "computed": f"on {metadata['device']} in {metadata['precision']} with {metadata['threads']} threads",
        "size": _size(run),
        "made by": ", ".join(f"{name} {version}" for name, version in metadata["versions"].items())
        + f", {metadata['created']}",
    }


def _cached(run: Run) -> str:
    """The folders of a large corpus, as they were when the run began: one of a stranger's run is named and not looked for."""
    folders = [run.metadata["corpus"]["cache"], run.metadata["pieces"]]
    return ", ".join(f"{run.recipe.data.cache}/{each['folder']} ({each['bytes'] / 2**20:,.0f} MiB)" for each in folders)


def _vocabulary(metadata: dict[str, Any]) -> str:
    return (
        f"{metadata['source']:,} pieces, joint"
        if metadata["joint"]
        else f"{metadata['source']:,} source and {metadata['target']:,} target pieces"
    )


def _lengths(side: str, pieces: dict[str, int]) -> str:
    return f"{side}: median {pieces['median']}, 95 % up to {pieces['95']}, longest {pieces['longest']} pieces"


def _size(run: Run) -> str:
    if run.bundled:
        return f"{_mebibytes([run.path])}, one file"
    return f"weights {_mebibytes(run.path.glob('*.safetensors'))}, checkpoints {_mebibytes(run.path.glob('checkpoints/*/*'))}"


def _mebibytes(paths: Iterable[Path]) -> str:
    return f"{sum(path.stat().st_size for path in paths) / 2**20:.1f} MiB"
