"""What a run records of its text when training begins, and again when more text is added."""

from __future__ import annotations

import numpy as np

from nmt import provenance
from nmt.data.batches import Batches
from nmt.data.vocabulary import EOS
from nmt.errors import Log, UserError
from nmt.runs import run_folder
from nmt.runs.metadata import Metadata
from nmt.training.dataset import Dataset

PACKAGES = ("nmt-recipes", "torch", "sentencepiece", "sacrebleu", "datasets")
OF_TEXT = ("corpus", "lengths", "unseen_tokens", "several_sentences", "token_cache")
"""Keys of the metadata that depend on the text."""


def describe(dataset: Dataset, batches: Batches) -> Metadata:
    """The run's metadata that does not depend on the plan."""
    source, target = batches.lengths(0)
    values = {
        "format": run_folder.FORMAT,
        "created": provenance.now(),
        "versions": provenance.versions(*PACKAGES),
        "machine": provenance.machine(),
        "corpus": dataset.corpus.metadata.as_json(),
        "lengths": {"source": _percentiles(source), "target": _percentiles(target)},
        "vocabulary": {"source": len(dataset.source), "target": len(dataset.target), "joint": dataset.joint},
        "unseen_tokens": run_folder.ranges(_unseen(dataset)),
        "several_sentences": dataset.several_sentences(batches.most_sentences),
        **({"token_cache": dataset.cached.record.model_dump()} if dataset.cached else {}),
    }
    return Metadata.model_validate(values)


def with_text(metadata: Metadata, dataset: Dataset, batches: Batches) -> Metadata:
    """A run's metadata with those of another text."""
    kept = {key: value for key, value in metadata.as_json().items() if key not in OF_TEXT}
    fresh = {key: value for key, value in describe(dataset, batches).as_json().items() if key in OF_TEXT}
    return Metadata.model_validate(kept | fresh)


def check_lengths(dataset: Dataset, batches: Batches, log: Log) -> None:
    """Says how many pairs are too long for a batch; that none is left is an error."""
    count, tokens = batches.left_out(0), f"training.batch_tokens, {batches.batch_tokens:,} tokens"
    if not batches.count(0):
        raise UserError(f"training.batch_tokens: all {count:,} training pairs are longer than {tokens}; raise it")
    if not Batches(*dataset.valid, seed=0, batch_tokens=batches.batch_tokens).count(0):
        raise UserError("training.batch_tokens: all validation pairs are longer than that; raise it")
    if count:
        log(f"left out {count:,} training pairs that are longer than {tokens}")


def _unseen(dataset: Dataset) -> list[int]:
    """Source token ids that occur in the best segmentation of no training sentence; translation uses the best one."""
    known = np.arange(EOS + 1, len(dataset.source))
    return np.setdiff1d(known, dataset.train[0].distinct).tolist()  # type: ignore[no-any-return]  # as numpy does


def _percentiles(lengths: np.ndarray) -> dict[str, int]:
    """Lengths in tokens of the first epoch's examples, without EOS, and their sum."""
    return {
        "median": int(np.median(lengths)),
        "p95": int(np.percentile(lengths, 95)),
        "longest": int(lengths.max()),
        "tokens": int(lengths.sum()),
    }
