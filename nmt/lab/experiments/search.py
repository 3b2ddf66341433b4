"""Search: which errors are the model's and which are the search's, over beams 1 to 32?

Search looks for the highest score. If the model scores the reference above the output, search has made an error. If it
scores the reference below, a perfect search would not have found the reference either: the model has made an error.
Scores are log-probabilities after the length penalty of the search, those of references under teacher forcing. The
sentences are from the validation split of the run, so no test set is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from statistics import fmean
from typing import TYPE_CHECKING, Literal

import torch

from nmt.atomic import JsonObject
from nmt.data import corpus
from nmt.data.batches import collate
from nmt.data.metadata import CorpusRequest
from nmt.data.pairs import Pairs
from nmt.data.vocabulary import EOS, Vocabulary
from nmt.errors import Log, UserError
from nmt.evaluation.metrics import Bleu, score_bleu
from nmt.inference.open import open_translator
from nmt.inference.translator import TorchTranslator, Translation
from nmt.lab.experiments.experiment import Experiment, Outcome, Settings, Value
from nmt.lab.experiments.intervals import wilson
from nmt.lab.plotting import curves, style
from nmt.lab.plotting.curves import Curve
from nmt.models.device import find_device
from nmt.models.protocol import TranslationModel
from nmt.runs.run_folder import Run
from nmt.search import SearchSettings, length_penalty

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUESTION = "Which errors are the model's and which are the search's, from beam 1 to 32?"
BEAMS = (1, 2, 4, 8, 16, 32)
SENTENCES = 200
BATCH = 32
"""References that are scored in one batch."""
TASKS = ("penalty", "plain")
"""With the length penalty of the run's recipe, or without."""

Kind = Literal["same", "model", "search"]


@dataclass(frozen=True)
class Scored:
    """A sentence, its pieces with the end of sentence, and their scores by the model."""

    text: str
    pieces: tuple[str, ...]
    log_probability: float
    score: float
    """Log-probability after the length penalty."""


@dataclass(frozen=True)
class BeamResult:
    """The outputs of one beam, sentence by sentence."""

    beam: int
    found: list[Scored]
    bleu: Bleu
    cut: int
    """Outputs that were cut at the longest length."""


@dataclass(frozen=True)
class Results:
    """The references, and the results from the narrowest beam to the widest."""

    references: list[Scored]
    beams: list[BeamResult]

    def errors(self, result: BeamResult) -> list[Kind]:
        """The kind of each output of a beam, judged by the reference."""
        return [error(found, reference) for found, reference in zip(result.found, self.references, strict=True)]

    def missed(self, result: BeamResult) -> list[bool]:
        """Which outputs score below the reference or another beam's output: a lower bound of search errors."""
        others = zip(*(each.found for each in self.beams), self.references, strict=True)
        return [any(higher(other, found) for other in known) for found, known in zip(result.found, others, strict=True)]

    def gains(self, result: BeamResult) -> list[bool]:
        """Where a beam found a higher score than the narrowest beam."""
        return [higher(found, first) for found, first in zip(result.found, self.beams[0].found, strict=True)]

    def more_probable(self, result: BeamResult) -> list[bool]:
        """Where the reference has the higher log-probability, before the length penalty."""
        pairs = zip(result.found, self.references, strict=True)
        return [
            reference.pieces != found.pieces and reference.log_probability > found.log_probability
            for found, reference in pairs
        ]


def higher(one: Scored, other: Scored) -> bool:
    """Whether one scores above the other; never for the same pieces, whose sums may be rounded differently."""
    return one.pieces != other.pieces and one.score > other.score


def error(found: Scored, reference: Scored) -> Kind:
    """An error of search, an error of the model, or the same text as the reference, whatever its pieces."""
    if higher(reference, found):
        return "search"
    return "same" if found.text == reference.text else "model"


def run(settings: Settings, log: Log) -> Outcome:
    """Translates the first sentences of the validation split with every beam."""
    if settings.run is None:
        raise UserError(
            "--run: this experiment needs a trained translator; name its run folder, such as --run runs/de-en"
        )
    opened = Run(settings.run)
    opened.check()
    pairs = sentences(opened, log)
    search = opened.search_settings(min_length=0, length_penalty=0.0 if settings.task == "plain" else None)
    return report(opened, pairs, *measure(opened, pairs, search, log, find_device(settings.device).type))


def sentences(run: Run, log: Log) -> Pairs:
    """The first sentences of the run's validation split that are short enough for its model, not concatenated.

    A validation split that differs from that of the training run is a `UserError`.
    """
    metadata = run.metadata.corpus
    valid = corpus.load_again(CorpusRequest(**run.recipe.data.model_dump()), metadata, log).valid
    if valid.sha256 != metadata.splits["valid"].sha256:
        raise UserError(f"data.valid: not the text that {run.path} was trained with; restore it")
    longest, encode = run.metadata.lengths.source.longest, run.vocabularies[0].encode
    whole = (
        row for row in range(len(valid)) if 0 < len(encode(valid.source[row])) <= longest and valid.target[row].strip()
    )
    rows = list(islice(whole, SENTENCES))
    if not rows:
        raise UserError(
            f"{run.path}: its validation split has no sentence of at most {longest} tokens with a translation"
        )
    return valid.take(rows)


def measure(
    run: Run, pairs: Pairs, search: SearchSettings, log: Log, device: str = "cpu"
) -> tuple[Results, SearchSettings]:
    """Results, and the settings of the search, raised to allow outputs as long as every reference."""
    model, (source, target) = run.model().to(device), run.vocabularies
    lengths = (
        (len(source.encode(one)) + 1, len(target.encode(other)) + 1)
        for one, other in zip(pairs.source, pairs.target, strict=True)
    )
    needed = (other - int(one * search.max_ratio) for one, other in lengths)
    search = replace(search, max_extra=max(search.max_extra, *needed))
    results = Results(references(model, source, target, pairs, search.length_penalty), [])
    translator = open_translator(run, "torch", device=device, search=search, split="never")
    for beam in BEAMS:
        results.beams.append(
            _translated(beam, translator.with_search(replace(search, beam=beam)), pairs, run.recipe.data.target)
        )
        log(f"beam {beam}: BLEU {results.beams[-1].bleu.value:.2f} on {len(pairs)} sentences")
    return results, search


@torch.inference_mode()
def references(
    model: TranslationModel, source: Vocabulary, target: Vocabulary, pairs: Pairs, alpha: float
) -> list[Scored]:
    """The reference translations in their best segmentation, scored under teacher forcing, end of sentence included."""
    scored = []
    for start in range(0, len(pairs), BATCH):
        texts = pairs.target[start : start + BATCH]
        encoded = [target.encode(text) for text in texts]
        batch = collate([source.encode(text) for text in pairs.source[start : start + BATCH]], encoded)
        batch = batch.to(next(model.parameters()).device)
        every = model(batch.source, batch.source_mask, batch.previous).float().log_softmax(-1)
        own = every.gather(-1, batch.expected.unsqueeze(-1)).squeeze(-1).masked_fill(~batch.target_mask, 0.0)
        for ids, total in zip(encoded, own.double().sum(1).tolist(), strict=True):
            pieces = target.pieces([*ids, EOS])
            scored.append(Scored(target.decode(ids), tuple(pieces), total, total / length_penalty(len(pieces), alpha)))
    return scored


def _translated(beam: int, translator: TorchTranslator, pairs: Pairs, language: str) -> BeamResult:
    found = translator.translate(pairs.source)
    bleu = score_bleu([each.text for each in found], pairs.target, target=language)
    return BeamResult(
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
    """The outcome, with a row for each beam."""
    return Outcome(
        question=QUESTION,
        conditions=_conditions(run, pairs, results, search),
        columns=COLUMNS,
        rows=tuple(_row(result, results) for result in results.beams),
        notes=(*_notes(results), *run.notes),
        details={
            "references": _details(results.references),
            "beams": {str(result.beam): _of_beam(result, results) for result in results.beams},
        },
        figure=lambda: draw(results),
    )


def _row(result: BeamResult, results: Results) -> tuple[Value, ...]:
    kinds = results.errors(result)
    means = (fmean(each.log_probability for each in result.found), fmean(each.score for each in result.found))
    shares = (
        [kind == "search" for kind in kinds],
        results.missed(result),
        [kind == "model" for kind in kinds],
        [kind == "same" for kind in kinds],
    )
    others = (results.more_probable(result), results.gains(result))
    return (
        result.beam,
        result.bleu.value,
        result.bleu.length_ratio,
        *means,
        *(100 * fmean(each) for each in (*shares, *others)),
    )


def _conditions(run: Run, pairs: Pairs, results: Results, search: SearchSettings) -> JsonObject:
    return {
        "run": run.path.name,
        "weights": run.weights_sha256[:12],
        "split": f"validation, its first {len(pairs)} sentences that the model reads whole",
        "beams": [result.beam for result in results.beams],
        "length penalty": search.length_penalty,
        "longest output": f"{search.max_ratio:g} x source + {search.max_extra} tokens",
        "precision": "fp32",
        "BLEU": results.beams[0].bleu.signature,
        "intervals": "95 %: BLEU by bootstrap over sentences, shares by Wilson",
    }


def _notes(results: Results) -> list[str]:
    best, widest = max(results.beams, key=lambda result: result.bleu.value), results.beams[-1]
    log_probability, score = (
        fmean(getattr(each, name) for each in results.references) for name in ("log_probability", "score")
    )
    return [
        "log-probability and score: means over outputs, by the model; reference likelier: it has the higher "
        "log-probability",
        "search errors: the reference scores above the output; at least: the reference or another beam's output does, "
        "and the widest beam has no wider one",
        "model errors: the output differs from the reference, which does not score above it; such an output can be a "
        "good translation",
        f"references: mean log-probability {log_probability:.2f}, mean score {score:.3f}",
        f"BLEU is highest at beam {best.beam}, {best.bleu.value:.2f}; at beam {widest.beam} it is "
        f"{widest.bleu.value:.2f}",
        *map(partial(_summary, results), (results.beams[0], widest)),
        f"no test set was used; {sum(each.cut for each in results.beams)} outputs of all beams were cut at the longest "
        "length",
    ]


def _summary(results: Results, result: BeamResult) -> str:
    kinds, missed = results.errors(result), sum(results.missed(result))
    return (
        f"beam {result.beam}: of {len(kinds)} outputs {kinds.count('search')} score below the reference, {missed} "
        f"below it or another beam's output, which are certain search errors; {kinds.count('model')} are model errors, "
        "which no search would avoid"
    )


def _details(sentences: Sequence[Scored]) -> JsonObject:
    return {name: [getattr(each, name) for each in sentences] for name in ("text", "log_probability", "score")}


def _of_beam(result: BeamResult, results: Results) -> JsonObject:
    shares = {
        "search errors": [kind == "search" for kind in results.errors(result)],
        "at least": results.missed(result),
    }
    intervals = {name: wilson(sum(each), len(each))._asdict() for name, each in shares.items()}
    return {
        **_details(result.found),
        "errors": results.errors(result),
        "shares": intervals,
        "BLEU": result.bleu.as_json(),
    }


def draw(results: Results) -> Figure:
    """Two charts by beam with 95 % intervals: BLEU and search errors."""
    figure, (left, right) = style.subplots(9.0, 3.8, columns=2)
    beams, scores = [result.beam for result in results.beams], [result.bleu for result in results.beams]
    bleu = Curve(
        "BLEU",
        beams,
        [score.value for score in scores],
        [score.low for score in scores],
        [score.high for score in scores],
    )
    curves.draw(left, [bleu], x="beam", y="BLEU", title="Quality", log_x=True)
    certain = _curve(
        "reference scores higher", results, lambda result: [kind == "search" for kind in results.errors(result)]
    )
    known = _curve("reference or another beam's output", results, results.missed)
    curves.draw(right, [certain, known], x="beam", y="search errors for certain, %", title="Search errors", log_x=True)
    return figure


def _curve(label: str, results: Results, which: Callable[[BeamResult], Sequence[bool]]) -> Curve:
    shares = [wilson(sum(each), len(each)) for each in map(which, results.beams)]
    value, low, high = ([100 * bound for bound in bounds] for bounds in zip(*shares, strict=True))
    return Curve(label, [result.beam for result in results.beams], value, low, high)


EXPERIMENT = Experiment(question=QUESTION, defaults=Settings(task="penalty"), run=run, tasks=TASKS, takes_run=True)
