"""Search and model errors apart, over beams 1 to 32.

Where the model scores the reference above what search found, search has erred for certain: it was looking for the highest score. Where it
scores the reference below, a perfect search would not have found it either: the model errs. Scores are log-probabilities after the length
penalty of the search, those of references by teacher forcing. The run's validation split is looked at, so no test set is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

import torch

from nmt.data import corpus
from nmt.data.batches import collate
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pairs
from nmt.data.vocabulary import EOS, Vocabulary
from nmt.errors import UserError
from nmt.evaluation.metrics import Bleu, score_bleu
from nmt.inference.open import open_translator
from nmt.inference.translator import TorchTranslator, Translation
from nmt.lab.experiments.experiment import Cell, Experiment, Log, Options, Outcome
from nmt.lab.experiments.intervals import wilson
from nmt.lab.plotting import curves, style
from nmt.lab.plotting.curves import Curve
from nmt.models.protocol import TranslationModel
from nmt.runs.run_folder import Run
from nmt.search import SearchSettings, length_penalty

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUESTION = "Which errors are the model's and which are the search's, from beam 1 to 32?"
BEAMS = (1, 2, 4, 8, 16, 32)
SENTENCES = 200
BATCH = 32
"""References scored at a time."""
TASKS = ("penalty", "plain")
"""Search as the run's recipe has it, or without length penalty."""

Kind = Literal["same", "model", "search"]


@dataclass(frozen=True)
class Scored:
    """A sentence, the pieces that spell it, its end among them, and what the model makes of them."""

    text: str
    pieces: tuple[str, ...]
    log_probability: float
    score: float
    """Log-probability after the length penalty."""


@dataclass(frozen=True)
class Sought:
    """What one beam found, sentence by sentence."""

    beam: int
    found: list[Scored]
    bleu: Bleu
    cut: int
    """Outputs that reached the longest length allowed before their end."""


@dataclass(frozen=True)
class Results:
    """The references, and the beams from narrow to wide."""

    references: list[Scored]
    beams: list[Sought]

    def errors(self, sought: Sought) -> list[Kind]:
        """Whose error each output of a beam is, as far as the reference tells."""
        return [error(found, reference) for found, reference in zip(sought.found, self.references, strict=True)]

    def missed(self, sought: Sought) -> list[bool]:
        """Which outputs of a beam score below the reference or what another beam found: the search errors that are known of."""
        others = zip(*(each.found for each in self.beams), self.references, strict=True)
        return [any(higher(other, found) for other in known) for found, known in zip(sought.found, others, strict=True)]

    def gains(self, sought: Sought) -> list[bool]:
        """Where a beam found a higher score than the narrowest."""
        return [higher(found, first) for found, first in zip(sought.found, self.beams[0].found, strict=True)]

    def more_probable(self, sought: Sought) -> list[bool]:
        """Where the reference has the higher log-probability, without length penalty."""
        pairs = zip(sought.found, self.references, strict=True)
        return [
            reference.pieces != found.pieces and reference.log_probability > found.log_probability
            for found, reference in pairs
        ]


def higher(one: Scored, other: Scored) -> bool:
    """Whether one scores above the other; the same pieces never do, however their sums were rounded."""
    return one.pieces != other.pieces and one.score > other.score


def error(found: Scored, reference: Scored) -> Kind:
    """Whose error it is that an output is not the reference; there is none where it reads the same, in whatever pieces."""
    if higher(reference, found):
        return "search"
    return "same" if found.text == reference.text else "model"


def run(options: Options, log: Log) -> Outcome:
    """Translates the first sentences with every beam."""
    if options.run is None:
        raise UserError(
            "--run: this experiment looks at a trained translator; name its run folder, such as --run runs/de-en"
        )
    opened = Run(options.run)
    opened.check()
    pairs = sentences(opened, log)
    search = opened.search_settings(min_length=0, length_penalty=0.0 if options.task == "plain" else None)
    return report(opened, pairs, *measure(opened, pairs, search, log))


def sentences(run: Run, log: Log) -> Pairs:
    """The first sentences of a run's validation split, as it was when the run began, of those that its model reads whole; none are joined."""
    metadata = run.metadata.corpus
    valid = corpus.load_again(CorpusRequest(**run.recipe.data.model_dump()), metadata, log).valid
    if valid.sha256 != metadata.splits["valid"].sha256:
        raise UserError(f"data.valid: not the text that {run.path} was begun with; bring it back")
    longest, encode = run.metadata.lengths.source.longest, run.vocabularies[0].encode
    whole = (
        row for row in range(len(valid)) if 0 < len(encode(valid.source[row])) <= longest and valid.target[row].strip()
    )
    rows = list(islice(whole, SENTENCES))
    if not rows:
        raise UserError(
            f"{run.path}: its validation split has no sentence of at most {longest} pieces with a translation"
        )
    return valid.take(rows)


def measure(run: Run, pairs: Pairs, search: SearchSettings, log: Log) -> tuple[Results, SearchSettings]:
    """Results, and the settings of the search, which allows outputs as long as every reference."""
    model, (source, target) = run.model(), run.vocabularies
    lengths = (
        (len(source.encode(one)) + 1, len(target.encode(other)) + 1)
        for one, other in zip(pairs.source, pairs.target, strict=True)
    )
    needed = (other - int(one * search.max_ratio) for one, other in lengths)
    search = replace(search, max_extra=max(search.max_extra, *needed))
    results = Results(references(model, source, target, pairs, search.length_penalty), [])
    translator = open_translator(run, "torch", device="cpu", search=search)
    for beam in BEAMS:
        results.beams.append(
            _sought(beam, translator.with_search(replace(search, beam=beam)), pairs, run.recipe.data.target)
        )
        log(f"beam {beam}: BLEU {results.beams[-1].bleu.value:.2f} on {len(pairs)} sentences")
    return results, search


@torch.inference_mode()
def references(
    model: TranslationModel, source: Vocabulary, target: Vocabulary, pairs: Pairs, alpha: float
) -> list[Scored]:
    """The reference translations in their best segmentation, scored under teacher forcing with their ends."""
    scored = []
    for start in range(0, len(pairs), BATCH):
        texts = pairs.target[start : start + BATCH]
        encoded = [target.encode(text) for text in texts]
        batch = collate([source.encode(text) for text in pairs.source[start : start + BATCH]], encoded)
        every = model(batch.source, batch.source_mask, batch.previous).float().log_softmax(-1)
        own = every.gather(-1, batch.expected.unsqueeze(-1)).squeeze(-1).masked_fill(~batch.target_mask, 0.0)
        for ids, total in zip(encoded, own.double().sum(1).tolist(), strict=True):
            pieces = target.pieces([*ids, EOS])
            scored.append(Scored(target.decode(ids), tuple(pieces), total, total / length_penalty(len(pieces), alpha)))
    return scored


def _sought(beam: int, translator: TorchTranslator, pairs: Pairs, language: str) -> Sought:
    found = translator.translate(pairs.source)
    bleu = score_bleu([each.text for each in found], pairs.target, target=language)
    return Sought(
        beam,
        [_scored(each, translator.search.alpha) for each in found],
        bleu,
        sum(bool(each.warnings) for each in found),
    )


def _scored(found: Translation, alpha: float) -> Scored:
    return Scored(found.text, tuple(found.pieces), found.score * length_penalty(len(found.pieces), alpha), found.score)


COLUMNS = (
    "beam",
    "BLEU",
    "length ratio",
    "log-probability",
    "score",
    "search errors, %",
    "at least, %",
    "model errors, %",
    "as reference, %",
    "reference likelier, %",
    "above beam 1, %",
)


def report(run: Run, pairs: Pairs, results: Results, search: SearchSettings) -> Outcome:
    """The outcome for what the beams found."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(run, pairs, results, search),
        columns=COLUMNS,
        rows=tuple(_row(sought, results) for sought in results.beams),
        notes=(*_notes(results), *run.notes),
        details={
            "references": _details(results.references),
            "beams": {str(sought.beam): _of_beam(sought, results) for sought in results.beams},
        },
        figure=lambda: draw(results),
    )


def _row(sought: Sought, results: Results) -> tuple[Cell, ...]:
    kinds = results.errors(sought)
    means = (fmean(each.log_probability for each in sought.found), fmean(each.score for each in sought.found))
    shares = (
        [kind == "search" for kind in kinds],
        results.missed(sought),
        [kind == "model" for kind in kinds],
        [kind == "same" for kind in kinds],
    )
    others = (results.more_probable(sought), results.gains(sought))
    return (
        sought.beam,
        sought.bleu.value,
        sought.bleu.length_ratio,
        *means,
        *(100 * fmean(each) for each in (*shares, *others)),
    )


def _conditions(run: Run, pairs: Pairs, results: Results, search: SearchSettings) -> dict[str, Any]:
    return {
        "run": run.path.name,
        "weights": run.weights_sha256[:12],
        "split": f"validation, its first {len(pairs)} sentences that the model reads whole",
        "beams": [sought.beam for sought in results.beams],
        "length penalty": search.length_penalty,
        "longest output": f"{search.max_ratio:g} x source + {search.max_extra} pieces",
        "precision": "fp32",
        "BLEU": results.beams[0].bleu.signature,
        "intervals": "95 %: BLEU by bootstrap over sentences, shares by Wilson",
    }


def _notes(results: Results) -> list[str]:
    best, widest = max(results.beams, key=lambda sought: sought.bleu.value), results.beams[-1]
    log_probability, score = (
        fmean(getattr(each, name) for each in results.references) for name in ("log_probability", "score")
    )
    return [
        "log-probability and score: means over outputs, by the model; reference likelier: it has the higher log-probability",
        "search errors: the reference scores above the output; at least: it or another beam's output does, and the widest beam has no wider one",
        "model errors: the reference does not score above the output, and reads differently, which need not make the output wrong",
        f"references: mean log-probability {log_probability:.2f}, mean score {score:.3f}",
        f"BLEU is highest at beam {best.beam}, {best.bleu.value:.2f}; at beam {widest.beam} it is {widest.bleu.value:.2f}",
        *map(partial(_summary, results), (results.beams[0], widest)),
        f"no test set was looked at; {sum(each.cut for each in results.beams)} outputs of all beams were cut at the longest length",
    ]


def _summary(results: Results, sought: Sought) -> str:
    kinds, missed = results.errors(sought), sum(results.missed(sought))
    return (
        f"beam {sought.beam}: of {len(kinds)} outputs {kinds.count('search')} score below the reference, {missed} below it or another beam's output, "
        f"which are search errors for certain; {kinds.count('model')} are model errors, which no search would mend"
    )


def _details(sentences: Sequence[Scored]) -> dict[str, Any]:
    return {name: [getattr(each, name) for each in sentences] for name in ("text", "log_probability", "score")}


def _of_beam(sought: Sought, results: Results) -> dict[str, Any]:
    shares = {
        "search errors": [kind == "search" for kind in results.errors(sought)],
        "at least": results.missed(sought),
    }
    intervals = {name: wilson(sum(each), len(each))._asdict() for name, each in shares.items()}
    return {
        **_details(sought.found),
        "errors": results.errors(sought),
        "shares": intervals,
        "BLEU": sought.bleu.as_json(),
    }


def draw(results: Results) -> Figure:
    """BLEU, and beside it the search errors, against the beam, with 95 % intervals."""
    figure, (left, right) = style.subplots(9.0, 3.8, columns=2)
    beams, scores = [sought.beam for sought in results.beams], [sought.bleu for sought in results.beams]
    bleu = Curve(
        "BLEU",
        beams,
        [score.value for score in scores],
        [score.low for score in scores],
        [score.high for score in scores],
    )
    curves.draw(left, [bleu], x="beam", y="BLEU", title="Quality", log_x=True)
    certain = _curve(
        "reference scores higher", results, lambda sought: [kind == "search" for kind in results.errors(sought)]
    )
    known = _curve("reference or another beam's output", results, results.missed)
    curves.draw(right, [certain, known], x="beam", y="search errors for certain, %", title="Search errors", log_x=True)
    return figure


def _curve(label: str, results: Results, which: Callable[[Sought], Sequence[bool]]) -> Curve:
    shares = [wilson(sum(each), len(each)) for each in map(which, results.beams)]
    value, low, high = ([100 * bound for bound in bounds] for bounds in zip(*shares, strict=True))
    return Curve(label, [sought.beam for sought in results.beams], value, low, high)


EXPERIMENT = Experiment(question=QUESTION, defaults=Options(task="penalty"), run=run, tasks=TASKS, looks_at_run=True)
