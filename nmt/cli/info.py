"""`nmt info`: what is in a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli.output import print_json

if TYPE_CHECKING:
    from nmt.runs import Run


def info(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Print a run's recipe, sizes, parameters, trained lengths and scores.

    Example: nmt info runs/de-en
    """
    from nmt.recipe import reading
    from nmt.runs import Run

    opened = Run(run)
    facts = _facts(opened)
    if as_json:
        print_json(facts | {"recipe": opened.recipe.model_dump(by_alias=True), "scores": _scores(opened)})
        return
    for name, value in facts.items():
        print(f"{name:<16}{value}")
    for record in _scores(opened):
        bleu = record["scores"]["bleu"]
        print(f"{'score':<16}{record['test']}: BLEU {bleu['value']:.2f} ({bleu['low']:.2f} to {bleu['high']:.2f}), beam {record['search']['beam']}, {record['time']}")
        print(f"{'':<16}{bleu['signature']}; scored {record['scored_before'] + 1} {'time' if not record['scored_before'] else 'times'} by then")
    print("\n" + reading.dump(opened.recipe), end="")


def _facts(run: Run) -> dict[str, Any]:
    facts, data = run.facts, run.facts["corpus"]
    lengths = facts["lengths"]
    sizes = {name: sum(path.stat().st_size for path in run.path.glob(pattern)) for name, pattern in (("weights", "*.safetensors"), ("checkpoints", "checkpoints/*/*"))}
    outcome = run.outcome
    state = f"finished after {outcome['update']:,} updates, best at {outcome['best_update']:,}" if outcome else "not finished"
    return {
        "run": str(run.path),
        "state": f"{state}, of {facts['updates']:,} planned",
        "corpus": f"{data['loaded']}" + (f" at {data['revision']}" if data["revision"] else "") + (" (fallback: the Hub could not be reached)" if data["fallback"] else ""),
        "pairs": ", ".join(f"{split['pairs']:,} {name}" for name, split in data["splits"].items()),
        "parameters": f"{facts['parameters']:,}",
        "vocabulary": f"{facts['vocabulary']['source']:,} pieces, joint" if facts["vocabulary"]["joint"] else f"{facts['vocabulary']['source']:,} source and {facts['vocabulary']['target']:,} target pieces",
        "trained lengths": "; ".join(f"{side}: median {each['median']}, 95 % up to {each['95']}, longest {each['longest']} pieces" for side, each in lengths.items()),
        "computed": f"on {facts['device']} in {facts['precision']} with {facts['threads']} threads",
        "size": ", ".join(f"{name} {size / 2**20:.1f} MiB" for name, size in sizes.items()),
        "made by": ", ".join(f"{name} {version}" for name, version in facts["versions"].items()) + f", {facts['created']}",
    }


def _scores(run: Run) -> list[dict[str, Any]]:
    from nmt.evaluation import ledger

    return ledger.read(run.path)
