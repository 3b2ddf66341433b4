"""Times training and decoding of every family: phases, share of the machine's peak rate, and ratios to other toolkits.

Without peers, synthetic sentences: each setting of a base case is varied by itself. With ``--peers``, fixed work on
Multi30k that the peers do as well (batches of 4,096 padded positions; beam 5, 64 sentences a batch, every hypothesis of
40 positions), in alternation: an absolute figure holds on one machine in one hour, so ratios are taken within a round
and shown with their spread.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from nmt import atomic
from nmt.data import lines, vocabulary
from nmt.data.batches import Batches, TokenIds
from nmt.data.vocabulary import Vocabulary
from nmt.errors import RunError, UserError
from nmt.evaluation import report
from nmt.evaluation.report import Table
from nmt.lab.bench import figures
from nmt.lab.bench.cases import FAMILIES, Case, Corpus, available_precisions, sweep
from nmt.lab.bench.tables import table
from nmt.lab.plotting import style
from nmt.provenance import origin

Row = dict[str, Any]
Log = Callable[[str], None]
app = typer.Typer(add_completion=False, rich_markup_mode=None)

SOURCE = 15
"""Tokens of synthetic sources to decode, while the length of outputs varies."""
LENGTHS, BATCHES, BEAMS = (10, 25, 50, 100, 200), (1024, 2048, 8192), (1, 2, 4, 8, 16)
PEERS = {"eole": tuple(FAMILIES), "joeynmt": ("attention", "transformer")}
"""Families of each peer; JoeyNMT has no decoder without attention."""
POSITIONS, BUDGET = 40, 4096
RATES = {
    "train": ("tokens_per_second", "target_pieces_per_second"),
    "decode": ("positions_per_second", "positions_per_second"),
}
"""Key of the rate in our rows, and in the output of the peers' script."""


@dataclass(frozen=True)
class System:
    """A toolkit in one configuration that does the fixed work; ``rate`` measures it once."""

    name: str
    rate: Callable[[], float]


def cases(
    families: Sequence[str], works: Sequence[str], threads: int, device: str, batch_tokens: int, quick: bool
) -> Iterator[Case]:
    """All cases on synthetic sentences; with ``quick`` without variation of lengths, batches and beams."""
    one_thread = {"threads": [1]} if device == "cpu" else {}
    varied: dict[str, dict[str, Sequence[Any]]] = {
        "train": one_thread
        | {"precision": available_precisions(device)}
        | ({} if quick else {"length": LENGTHS, "batch_tokens": BATCHES}),
        "decode": one_thread
        | {"precision": available_precisions(device)}
        | ({} if quick else {"length": LENGTHS, "beam": BEAMS}),
    }
    for work in works:
        for family in families:
            here: dict[str, Sequence[Any]] = (
                {"engine": _engines(family), "workers": [threads]} if work == "decode" and device == "cpu" else {}
            )
            base = Case(
                family,
                work,
                threads=threads,
                device=device,
                batch_tokens=batch_tokens,
                source=SOURCE if work == "decode" else None,
            )
            yield from sweep(base, varied[work] | here)


def fixed_corpus(folder: Path) -> Corpus:
    """Multi30k as the peers read it: a joint vocabulary of 6,000, all training pairs, the test sentences of 2016."""
    train = [lines.read(folder / f"train.{side}").text for side in ("de", "en")]
    joint = Vocabulary(vocabulary.train([*train[0], *train[1]], type="unigram", size=6000))
    sides = (TokenIds(list(map(joint.encode, side))) for side in train)
    sources = list(map(joint.encode, lines.read(folder / "test_2016_flickr.de").text))
    return Corpus(Batches(*sides, seed=1, batch_tokens=BUDGET), sources, joint)


@dataclass(frozen=True)
class Fixed:
    """The fixed work."""

    folder: Path
    """With the environments of the peers."""
    script: Path
    """Runs a peer."""
    corpus: Corpus
    threads: int
    """For every system."""
    amounts: dict[str, int]
    """Updates to train for and sentences to decode in each round."""

    def systems(self, family: str, work: str) -> list[System]:
        """All systems with this family: ours in each precision, or by each engine for decoding, and the peers."""
        base = Case(
            family,
            work,
            threads=self.threads,
            length=POSITIONS,
            batch_tokens=BUDGET,
            amount=self.amounts[work],
            corpus=self.corpus,
        )
        if work == "train":
            chosen = {
                f"ours {precision}": replace(base, precision=precision) for precision in available_precisions("cpu")
            }
        else:
            chosen = {f"ours {engine}": replace(base, engine=engine) for engine in _engines(family)}
            if self.threads > 1:
                several = replace(base, workers=self.threads)
                chosen |= {
                    f"ours {each}, {self.threads} workers": replace(several, precision=each)
                    for each in available_precisions("cpu")
                }
        found = [System(name, partial(_own_rate, case)) for name, case in chosen.items()]
        return found + [
            System(peer, partial(self._peer_rate, peer, family, work)) for peer in PEERS if family in PEERS[peer]
        ]

    def _peer_rate(self, peer: str, family: str, work: str) -> float:
        option = "--updates" if work == "train" else "--sentences"
        command = [
            sys.executable,
            str(self.script),
            str(self.folder),
            work,
            "--peer",
            peer,
            "--family",
            family,
            option,
            str(self.amounts[work]),
        ]
        limits = {name: str(self.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | limits)
        try:
            return float(json.loads(done.stdout.splitlines()[-1])[RATES[work][1]])
        except (IndexError, KeyError, ValueError) as error:
            reason = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
            raise RunError(
                f"{peer}, {work} {family}: no figure (exit status {done.returncode}): {reason}\n{shlex.join(command)}"
            ) from error


def _own_rate(case: Case) -> float:
    return float(case.measured()[RATES[case.work][0]])


def _engines(family: str) -> list[str]:
    return ["torch", "float32", "int8"] if family == "transformer" else ["torch"]


def alternate(systems: Sequence[System], rounds: int, log: Log) -> dict[str, list[float]]:
    """The rates of all systems, each measured once in every round."""
    rates: dict[str, list[float]] = {system.name: [] for system in systems}
    for number in range(rounds):
        for system in systems:
            rates[system.name].append(system.rate())
            log(f"  round {number + 1}: {system.name} {rates[system.name][-1]:,.0f}/s")
    return rates


def ratios(family: str, work: str, rates: dict[str, list[float]]) -> list[Row]:
    """The ratio of each of our systems to each peer, and to the best peer of each round."""
    others = {name: values for name, values in rates.items() if not name.startswith("ours")}
    if len(others) > 1:
        others["best peer"] = [max(each) for each in zip(*others.values(), strict=True)]
    rows = []
    for name in rates:
        for other in others if name.startswith("ours") else []:
            each = [mine / theirs for mine, theirs in zip(rates[name], others[other], strict=True)]
            known = {"family": family, "work": work, "system": name, "against": other}
            rows.append(
                {
                    **known,
                    "rate": median(rates[name]),
                    "ratio": median(each),
                    "low": min(each),
                    "high": max(each),
                    "rounds": len(each),
                }
            )
    return rows


def ratio_table(rows: Sequence[Row]) -> Table:
    """The ratios with their spread over rounds."""
    cells = [
        (
            *(row[name] for name in ("family", "work", "system", "against")),
            f"{row['rate']:,.0f}",
            f"{row['ratio']:.2f}",
            f"{row['low']:.2f} to {row['high']:.2f}",
        )
        for row in rows
    ]
    note = (
        "rate: target tokens a second in training, positions a second in decoding; "
        "medians over rounds, spread from lowest to highest"
    )
    return Table(("family", "work", "system", "against", "rate", "ratio", "spread"), tuple(cells), (note,))


def compare(families: Sequence[str], works: Sequence[str], fixed: Fixed, rounds: int, log: Log) -> Iterator[list[Row]]:
    """The fixed work by all systems; training comes first, since peers decode with the models that they trained."""
    for work in works:
        for family in families:
            log(f"{work} {family}")
            yield ratios(family, work, alternate(fixed.systems(family, work), rounds, log))


@app.command()
def main(
    family: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"{', '.join(FAMILIES)}; may be repeated, by default all.")
    ] = None,
    work: Annotated[list[str] | None, typer.Option(metavar="NAME", help="train or decode; by default both.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads; also measured with one.")] = os.cpu_count() or 1,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
    batch_tokens: Annotated[int, typer.Option(min=1, help="Padded positions in a batch of the base case.")] = BUDGET,
    updates: Annotated[int, typer.Option(min=1, help="Updates to time.")] = 40,
    sentences: Annotated[int, typer.Option(min=1, help="Sentences to decode.")] = 200,
    quick: Annotated[bool, typer.Option("--quick", help="Base cases only.")] = False,
    peers: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The folder with the peers' environments: compare with them instead."),
    ] = None,
    script: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What runs the peers; by default peers.py in that folder.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Multi30k, train.de to test_2016_flickr.en; by default beside the script."),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds, in each of which every system is measured once.")] = 3,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write bench.json (after each case), bench.txt and figures there."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
) -> None:
    """Time training and decoding by family, precision, threads, length, batch and beam, or the work of other toolkits.

    Run it on an idle machine; figures of a busy one are meaningless.

    \b
    Examples:
      python tools/bench.py --quick
      python tools/bench.py --family transformer --work decode --json > decode.json
      python tools/bench.py --out results/bench
      python tools/bench.py --peers peers --script setup/peers.py --data multi30k --rounds 5
    """
    log: Log = (lambda _: None) if quiet else (lambda line: print(line, file=sys.stderr, flush=True))
    families, works, begun = (
        family or list(FAMILIES),
        sorted(set(work or ("train", "decode")), reverse=True),
        time.monotonic(),
    )
    amounts = {"train": updates, "decode": sentences}
    found: Iterator[list[Row]]
    try:
        for option, known, given in (("--family", FAMILIES, families), ("--work", RATES, works)):
            if unknown := set(given) - known.keys():
                raise UserError(f"{option}: expected one of {', '.join(known)}, found {', '.join(sorted(unknown))}")
        if out:
            _check_folder(out)
        if peers is None:
            chosen = [
                replace(case, amount=amounts[case.work])
                for case in cases(families, works, threads, device, batch_tokens, quick)
            ]
            found = ([_measured(case, f"[{number}/{len(chosen)}]", log)] for number, case in enumerate(chosen, 1))
        else:
            script = script or peers / "peers.py"
            data = data or script.parent.parent / "data" / "multi30k"
            _check(peers, script, data)
            found = compare(families, works, Fixed(peers, script, fixed_corpus(data), threads, amounts), rounds, log)
        record: Row = {"rows": []}
        for more in found:
            record = {
                **origin(shlex.join(["python", *sys.argv]), time.monotonic() - begun),
                "rows": [*record["rows"], *more],
            }
            if out:  # a benchmark that is stopped leaves its results so far
                atomic.write_json(out / "bench.json", record)
    except (UserError, RunError) as error:
        print(f"bench: {error}", file=sys.stderr)
        raise typer.Exit(2 if isinstance(error, UserError) else 1) from None
    rows = record["rows"]
    tables = [ratio_table(rows)] if peers else [table([row for row in rows if row["work"] == each]) for each in works]
    shown = "\n".join(map(report.text, tables))
    if out:
        atomic.write_file(out / "bench.txt", shown)
        figures.save(rows if peers is None else [], out)
    print(json.dumps(record, indent=1) if as_json else shown, end="\n" if as_json else "")


def _measured(case: Case, place: str, log: Log) -> Row:
    log(f"{place} {case}")
    return case.measured()


def _check_folder(out: Path) -> None:
    """Fails before anything is measured if results could not be written."""
    style.require_matplotlib()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out: {out}: {error.strerror}; name a folder that can be made") from error


def _check(peers: Path, script: Path, data: Path) -> None:
    for path, meant in (
        (peers / "eole", "--peers: expected a folder with an environment for each peer"),
        (script, "--script"),
        (data, "--data"),
    ):
        if not path.exists():
            raise UserError(f"{meant}: there is no {path}")


if __name__ == "__main__":
    app()
