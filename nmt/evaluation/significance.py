"""Significance of the difference between systems on one test set, by paired bootstrap (Koehn 2004, W04-3250).

All systems are scored on the same resamples of the sentences. The test compares trained models; to compare two recipes
takes several seeds of each.

The p-value of sacrebleu is in effect one-sided: it measures resampled differences from the mean of their absolute
values, so one in nine pairs of equal systems has p < 0.05 (simulated; 1 in 20 has p < 0.025). It is reported unchanged
and compared with 0.025.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nmt.errors import UserError
from nmt.evaluation import bootstrap, metrics

if TYPE_CHECKING:
    from sacrebleu.significance import Result


LEVEL = 0.025
"""A p-value below this is significant, which is 5 % two-sided, as for the interval of the difference."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One metric of one system compared with that of the first system.

    ``difference`` is this value minus the first. ``mean`` and ``half_width`` describe the 95 % interval of this value
    over the resamples. ``low`` and ``high`` bound the 95 % interval of the difference; only BLEU has one, since
    sacrebleu does not return the resamples of the other metrics.
    """

    metric: str
    value: float
    difference: float
    p_value: float
    mean: float
    half_width: float
    signature: str
    low: float | None = None
    high: float | None = None

    @property
    def significant(self) -> bool:
        """Whether p is below `LEVEL`."""
        return self.p_value < LEVEL

    @property
    def detectable(self) -> float | None:
        """About the smallest difference that is significant on these sentences: half the width of its interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2

    def as_json(self) -> dict[str, Any]:
        """The fields, `significant` and `detectable`."""
        return {**asdict(self), "significant": self.significant, "detectable": self.detectable}


def paired_bootstrap(
    systems: Sequence[Sequence[str]], references: Sequence[str], *, target: str
) -> list[tuple[Difference, ...]]:
    """All metrics of each system but the first, compared with the first: one tuple per system."""
    if len(systems) < 2:
        raise UserError(f"a comparison takes at least 2 systems, found {len(systems)}")
    for hypotheses in systems:
        metrics.check(hypotheses, references)
    signatures, results = _tested(systems, references, target)
    return [
        tuple(
            _difference(metric, signature, results[metric], place, systems, references, target)
            for metric, signature in signatures.items()
        )
        for place in range(1, len(systems))
    ]


def _tested(
    systems: Sequence[Sequence[str]], references: Sequence[str], target: str
) -> tuple[dict[str, str], dict[str, list[Result]]]:
    """By metric: the signature, and the result of sacrebleu for each system."""
    from sacrebleu.significance import PairedTest

    named = [(str(place), hypotheses) for place, hypotheses in enumerate(systems)]
    scorers = {key: metric(target) for key, metric in metrics.METRICS.items()}
    with metrics.pinned_seed():
        signatures, results = PairedTest(named, scorers, [references], test_type="bs", n_samples=metrics.RESAMPLES)()
    found = {metric: [result for result in results[metric] if not isinstance(result, str)] for metric in signatures}
    return {metric: str(signature) for metric, signature in signatures.items()}, found


def _difference(
    metric: str,
    signature: str,
    results: list[Result],
    place: int,
    systems: Sequence[Sequence[str]],
    references: Sequence[str],
    target: str,
) -> Difference:
    first, result = results[0], results[place]
    # for identical outputs sacrebleu gives p = 1/1001, as no resample differs by more than 0
    same = list(systems[place]) == list(systems[0])
    low, high = (
        bleu_interval(systems[0], systems[place], references, target=target) if metric == "BLEU" else (None, None)
    )
    return Difference(
        metric=metric,
        value=float(result.score),
        difference=float(result.score - first.score),
        p_value=1.0 if same or result.p_value is None else float(result.p_value),
        mean=float(result.mean or 0.0),
        half_width=float(result.ci or 0.0),
        signature=signature,
        low=low,
        high=high,
    )


def bleu_interval(
    first: Sequence[str], second: Sequence[str], references: Sequence[str], *, target: str
) -> tuple[float, float]:
    """95 % interval of BLEU of ``second`` minus BLEU of ``first``, over the resamples of `paired_bootstrap`."""
    values = [
        bootstrap.bleu(bootstrap.resampled(bootstrap.counts(side, references, target=target)))
        for side in (first, second)
    ]
    return bootstrap.interval((values[1] - values[0]).tolist())
