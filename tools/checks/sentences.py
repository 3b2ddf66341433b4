"""Lines of several sentences: each sentence is translated as alone, on every way from text to translation."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeAlias

import nmt
from nmt.errors import UserError
from nmt.evaluation import testsets
from nmt.inference.open import find_export, silent
from nmt.serving.admission import Limits
from nmt.serving.models import Models, ServedModel
from nmt.serving.service import Service
from nmt.text.passage import Passage
from tools.checks import command, toy
from tools.checks.check import Trial
from tools.checks.client import Address, ask
from tools.checks.served_run import ServedRun
from tools.checks.server import listening

GAPS = (" ", " ", " ", "  ", "\t", " \u00a0")
FEWEST = 100
"""Sentences that the test set of a run must have; otherwise those of the built-in corpus are taken."""
TOYS = ("attention", "transformer")
EXPORT = "CTranslate2"

Translate: TypeAlias = Callable[[list[str]], list[str]]


class Line(NamedTuple):
    """Sentences and the white space between them."""

    sentences: list[str]
    gaps: list[str]

    def joined(self, texts: Sequence[str]) -> str:
        """The line with a text for each sentence."""
        return "".join(part for pair in zip(texts, [*self.gaps, ""], strict=True) for part in pair)


def trials(count: int, runs: Sequence[Path]) -> Iterator[Trial]:
    """The lines of each run by each of its ways; without runs, those of tiny models."""
    with _runs(runs) as opened:
        for run in opened:
            yield from _of_run(run, count)


def _of_run(path: Path, count: int) -> Iterator[Trial]:
    served, draw = ServedRun(path), random.Random(15)
    sentences = _sentences(served, 4 * count)
    lines = [_line(sentences, draw) for _ in range(count)]
    used = list(dict.fromkeys(sentence for line in lines for sentence in line.sentences))
    alone: dict[str, str] = {}
    for name, translate in _ways(served):
        if not alone or name == EXPORT:  # an export may translate otherwise than torch
            alone = dict(zip(used, translate(used), strict=True))
        found = translate([line.joined(line.sentences) for line in lines])
        for line, text in zip(lines, found, strict=True):
            expected = line.joined([alone[sentence] for sentence in line.sentences])
            tried = f"{path.name}, {name}: {line.joined(line.sentences)!r}"
            yield Trial(tried, None if text == expected else f"expected {expected!r}, found {text!r}")


def _line(sentences: Sequence[str], draw: random.Random) -> Line:
    chosen = draw.choices(sentences, k=draw.randint(2, 5))
    return Line(chosen, [draw.choice(GAPS) for _ in chosen[1:]])


def _sentences(served: ServedRun, count: int) -> list[str]:
    """Test sentences that end with a full stop and hold no other end."""
    try:
        known = testsets.of_run(served.run, silent).source
    except UserError:
        known = []
    if len(known) < FEWEST:
        known = served.sentences(count)
    fit = [each for each in known if each.endswith((".", "!", "?")) and each == each.strip()]
    return list(dict.fromkeys(each for each in fit if Passage.of_sentences(f"{each} {each}").sentences == [each, each]))


def _ways(served: ServedRun) -> Iterator[tuple[str, Translate]]:
    """Every way from text to translation, the export last."""
    yield "Python", lambda texts: [each.text for each in nmt.load(served.path, keep_weights=False).translate(texts)]
    yield "command line", lambda texts: _by_command(served.path, texts, "torch")
    model = ServedModel(served.run, "model", Limits().output)
    with listening(Service(Models([model]), Limits(), None)) as address:
        yield "server", lambda texts: [_by_server(address, served, text) for text in texts]
    if find_export(served.run, "auto", silent):
        yield EXPORT, lambda texts: _by_command(served.path, texts, "ctranslate2")


def _by_command(path: Path, texts: Sequence[str], engine: str) -> list[str]:
    lines = "".join(f"{text}\n" for text in texts)
    found = command.nmt("translate", str(path), "-q", "--engine", engine, stdin=lines.encode())
    if found.status:
        raise RuntimeError(found.err)
    return found.out.decode().split("\n")[:-1]


def _by_server(address: Address, served: ServedRun, text: str) -> str:
    answer = asyncio.run(ask(address, "/translate", served.request(text)))
    return str(json.loads(answer.body)["translatedText"])


@contextmanager
def _runs(runs: Sequence[Path]) -> Iterator[Sequence[Path]]:
    if runs:
        yield runs
        return
    with tempfile.TemporaryDirectory(prefix="nmt-check-") as name:
        toy.write_corpus(Path(name))
        made = [toy.Toy(Path(name), family, "fp32") for family in TOYS]
        for each in made:
            assert each.train() == 0, each.stderr_lines
        with command.within(made[-1].folder):
            exported = command.nmt("export", str(made[-1].run), "--to", "ctranslate2", "-q")
        assert exported.status == 0, exported.err
        yield [each.run for each in made]
