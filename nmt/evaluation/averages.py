"""Runs that differ in the seed alone as one row: mean, range and number; and its difference from a baseline.

Intervals and p-values are over test sentences: in each resample all runs are scored on the same sentences, and the mean
over the runs of a row is taken (paired bootstrap, Koehn 2004, W04-3250). They compare these trained models and say
nothing of training seeds, which the range over the runs shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean

import numpy as np

from nmt.atomic import JsonObject
from nmt.errors import UserError
from nmt.evaluation import bootstrap, metrics
from nmt.evaluation.bootstrap import Values
from nmt.evaluation.evaluate import Result
from nmt.evaluation.testsets import TestSet

LEVEL = 0.05
"""A difference whose corrected two-sided p-value is below this is significant."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """The results of a system on one test set with the same search settings, one for each seed."""

    system: str
    seeds: tuple[int, ...]
    results: tuple[Result, ...]

    @property
    def search(self) -> JsonObject:
        """The search settings."""
        decoding = self.results[0].decoding
        return decoding.as_json() if decoding else {}


@dataclass(frozen=True, kw_only=True)
class Average:
    """One metric over the runs of a row. ``low`` and ``high`` bound the 95 % interval of the mean over sentences."""

    name: str
    mean: float
    smallest: float
    largest: float
    low: float | None
    high: float | None
    signature: str


@dataclass(frozen=True, kw_only=True)
class MeanDifference:
    """The mean of a row minus that of the baseline, its 95 % interval, and its p-value before and after Holm's
    correction for all rows that are compared with the baseline by this metric."""

    difference: float
    low: float
    high: float
    p_value: float
    corrected: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p-value is below `LEVEL`."""
        return self.corrected < LEVEL


@dataclass(frozen=True, kw_only=True)
class AveragedRow:
    """A row with its averages and differences by the keys of `metrics.METRICS`; the baseline has no differences."""

    row: Row
    averages: dict[str, Average]
    differences: dict[str, MeanDifference]

    def as_json(self) -> JsonObject:
        """The row, ready for JSON."""
        differences = {
            key: {**asdict(found), "significant": found.significant} for key, found in self.differences.items()
        }
        return {
            "system": self.row.system,
            "n": len(self.row.results),
            "seeds": list(self.row.seeds),
            "runs": [result.run for result in self.row.results],
            "search": self.row.search,
            "scores": {key: asdict(found) for key, found in self.averages.items()},
            "differences": differences,
        }


@dataclass(frozen=True, kw_only=True)
class Averages:
    """All rows of one test set. ``baseline`` is a system, or None."""

    test: TestSet
    languages: str
    baseline: str | None
    rows: tuple[AveragedRow, ...]

    @property
    def compared(self) -> int:
        """Rows that are compared with the baseline: the number of comparisons that p-values are corrected for."""
        return sum(bool(row.differences) for row in self.rows)

    def as_json(self) -> JsonObject:
        """Test set, rows and how they are compared, ready for JSON."""
        return {
            "test": self.test.name,
            "languages": self.languages,
            "sentences": len(self.test.source),
            "source_sha256": self.test.source_sha256,
            "references_sha256": self.test.references_sha256,
            "baseline": self.baseline,
            "p_value": f"paired bootstrap over sentences, two-sided, {metrics.RESAMPLES} resamples of {metrics.SEED}",
            "corrected": f"Holm, {self.compared} comparisons by each metric",
            "rows": [row.as_json() for row in self.rows],
        }


def average(rows: Sequence[Row], *, languages: str, baseline: str | None = None) -> Averages:
    """The rows of one test set: means over seeds, and differences from the baseline if one is named."""
    test = rows[0].results[0].test
    for result in (result for row in rows for result in row.results):
        if result.test.sha256 != test.sha256:
            raise UserError(f"{result.run} was scored on other sentences than {rows[0].results[0].run}")
    if baseline is not None and baseline not in [row.system for row in rows]:
        raise UserError(f"baseline: no row is called {baseline!r}; there are {', '.join(row.system for row in rows)}")
    averaged = [AveragedRow(row=row, averages={}, differences={}) for row in rows]
    for key in metrics.METRICS:
        averaged = _with_metric(averaged, key, baseline)
    return Averages(test=test, languages=languages, baseline=baseline, rows=tuple(averaged))


def _with_metric(averaged: Sequence[AveragedRow], key: str, baseline: str | None) -> list[AveragedRow]:
    rows = [each.row for each in averaged]
    resampled = [_resampled(row, key) if baseline or len(row.results) > 1 else None for row in rows]
    found = [_average(row, key, values) for row, values in zip(rows, resampled, strict=True)]
    differences: dict[int, MeanDifference] = {}
    for place, values in enumerate(resampled):
        at = None if baseline is None else _counterpart(rows, place, baseline)
        if at is not None and values is not None and (base := resampled[at]) is not None:
            differences[place] = _difference(found[place].mean - found[at].mean, values - base)
    corrected = bootstrap.holm([each.p_value for each in differences.values()])
    differences = {
        place: replace(each, corrected=p_value)
        for (place, each), p_value in zip(differences.items(), corrected, strict=True)
    }
    return [
        replace(
            each,
            averages={**each.averages, key: found[place]},
            differences={**each.differences, **({key: differences[place]} if place in differences else {})},
        )
        for place, each in enumerate(averaged)
    ]


def _average(row: Row, key: str, resampled: Values | None) -> Average:
    scores = [result.scores.metrics[key] for result in row.results]
    values = [score.value for score in scores]
    low, high = scores[0].low, scores[0].high
    if len(scores) > 1 and resampled is not None:
        low, high = bootstrap.interval(resampled.tolist())
    return Average(
        name=scores[0].name,
        mean=fmean(values),
        smallest=min(values),
        largest=max(values),
        low=low,
        high=high,
        signature=scores[0].signature,
    )


def _resampled(row: Row, key: str) -> Values:
    """The mean over the runs of a row on each resample, ``(resample,)``."""
    scores: Values = np.mean(
        [
            bootstrap.resampled_scores(key, result.hypotheses, result.test.references, target=result.target)
            for result in row.results
        ],
        axis=0,
    )
    return scores


def _difference(observed: float, resampled: Values) -> MeanDifference:
    low, high = bootstrap.interval(resampled.tolist())
    p_value = bootstrap.p_value(observed, resampled)
    return MeanDifference(difference=observed, low=low, high=high, p_value=p_value, corrected=p_value)


def _counterpart(rows: Sequence[Row], place: int, baseline: str) -> int | None:
    """The row of the baseline that a row is compared with: with the same search settings, else the same beam, else
    the first; None for a row of the baseline itself."""
    if rows[place].system == baseline:
        return None
    search = rows[place].search
    places = [at for at, row in enumerate(rows) if row.system == baseline]
    return min(places, key=lambda at: (rows[at].search != search, rows[at].search.get("beam") != search.get("beam")))
