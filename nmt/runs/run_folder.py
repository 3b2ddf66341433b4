"""The run folder: what stands where in it, and how it is written whole or not at all.

    recipe.yaml           the recipe with every default
    run.json              facts fixed at the start: the plan, the corpus, versions, trained lengths, parameters
    vocabulary.model      SentencePiece, or source.model and target.model
    model.safetensors     the best weights so far
    checkpoints/step-N/   what resuming needs
    metrics.jsonl         what the model did; timing.jsonl: how long it took
    outcome.json          there when training has finished
    scores.jsonl, outputs/   what evaluation found

Everything but the checkpoints is what translating and evaluating need; the folder can be moved to another machine, and bundled into one file.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.data.vocabulary import Vocabulary
from nmt.errors import RunError, UserError
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.runs.files import JOINT, METADATA, OUTCOME, RECIPE, SOURCE, TARGET, WEIGHTS, Bundle, Folder, Parts
from nmt.runs.metadata import FORMAT, Metadata, Outcome, read_metadata, read_outcome

if TYPE_CHECKING:
    from nmt.models.protocol import Description, TranslationModel
    from nmt.search import SearchSettings

__all__ = [
    "FORMAT",
    "JOINT",
    "METADATA",
    "OUTCOME",
    "RECIPE",
    "RUNS",
    "SOURCE",
    "TARGET",
    "WEIGHTS",
    "Run",
    "locked",
    "newest_finished",
    "ranges",
]

RUNS = Path("runs")
CHECKPOINTS, METRICS, TIMING = "checkpoints", "metrics.jsonl", "timing.jsonl"


class Run:
    """A run folder, or a bundle of one, opened for reading. Its parts are read when they are asked for, and checked: they may be a stranger's."""

    def __init__(self, path: Path) -> None:
        self.parts: Parts = Bundle(path) if path.is_file() else Folder(path)
        if METADATA not in self.parts:
            found = "not a run folder" if path.exists() else "no such run folder"
            raise UserError(f"{path}: {found}; expected one made by nmt train, with {METADATA} in it")
        self.path = path

    @property
    def bundled(self) -> bool:
        """Whether this is one file that nothing can be added to."""
        return isinstance(self.parts, Bundle)

    @property
    def evaluations(self) -> Path:
        """Where evaluating leaves outputs and ledger: the run folder, or a folder beside the bundle."""
        return self.path.with_name(f"{self.path.name}.evaluations") if self.bundled else self.path

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe with every default."""
        _ = self.metadata  # a run of an older format says so before its recipe's old keys are refused
        try:
            return reading.read_content(self.parts.read(RECIPE), self.parts.where(RECIPE))
        except FileNotFoundError as error:
            raise UserError(f"{self.parts.where(RECIPE)}: cannot read the recipe: there is none") from error

    @cached_property
    def metadata(self) -> Metadata:
        """What was fixed when training began."""
        return read_metadata(self.parts.read(METADATA), self.parts.where(METADATA), self.path)

    @property
    def outcome(self) -> Outcome | None:
        """How training ended, or None while it has not."""
        return read_outcome(self.parts.read(OUTCOME), self.parts.where(OUTCOME)) if OUTCOME in self.parts else None

    @cached_property
    def vocabularies(self) -> tuple[Vocabulary, Vocabulary]:
        """Source and target vocabulary; the same object when they are joint."""
        if JOINT in self.parts:
            joint = self._vocabulary(JOINT)
            return joint, joint
        return self._vocabulary(SOURCE), self._vocabulary(TARGET)

    def _vocabulary(self, name: str) -> Vocabulary:
        try:
            return Vocabulary(self.parts.read(name))
        except FileNotFoundError as error:
            raise UserError(f"{self.parts.where(name)}: expected a SentencePiece model, found none") from error
        except UserError as error:
            raise UserError(
                f"{self.parts.where(name)}: expected a SentencePiece model of nmt, found something else ({error})"
            ) from error

    @cached_property
    def weights_sha256(self) -> str:
        """Hash of the best weights."""
        return sha256(self._weights()).hexdigest()

    def _weights(self) -> bytes:
        try:
            return self.parts.read(WEIGHTS)
        except FileNotFoundError as error:
            raise self._no_weights() from error

    def check(self) -> None:
        """Finds what is missing before work begins that would need it; the weights are hashed but not loaded."""
        _ = self.recipe, self.metadata, self.weights_sha256

    @property
    def unseen_tokens(self) -> frozenset[int] | None:
        """Source token ids that no training sentence has; None for a run of a time when they were not recorded."""
        ranges = self.metadata.unseen_tokens
        return None if ranges is None else frozenset(_numbers(ranges, len(self.vocabularies[0])))

    def search_settings(
        self,
        *,
        beam: int | None = None,
        length_penalty: float | None = None,
        min_length: int | None = None,
        max_ratio: float | None = None,
        max_extra: int | None = None,
        max_tokens: int | None = None,
        nbest: int = 1,
        keep_weights: bool = False,
    ) -> SearchSettings:
        """The recipe's search settings, and what is given in their place."""
        from nmt.search import SearchSettings

        own = self.recipe.search
        return SearchSettings(
            beam=own.beam if beam is None else beam,
            length_penalty=own.length_penalty if length_penalty is None else length_penalty,
            min_length=own.min_length if min_length is None else min_length,
            max_ratio=own.max_ratio if max_ratio is None else max_ratio,
            max_extra=own.max_extra if max_extra is None else max_extra,
            max_tokens=max_tokens,
            nbest=nbest,
            keep_weights=keep_weights,
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be said beside every score of this run."""
        corpus = self.metadata.corpus
        if corpus.fallback is None:
            return ()
        return (f"trained on the {corpus.fallback} corpus, because {corpus.request.corpus} could not be reached",)

    @property
    def description(self) -> Description:
        """What the run's model is, known without its weights."""
        from nmt.models.registry import describe

        return describe(self.recipe.model.model_dump())

    def fresh_model(self) -> TranslationModel:
        """The run's architecture with fresh weights."""
        from nmt.models.registry import build

        source, target = self.vocabularies
        sizes = self.recipe.model.model_dump()
        return build(sizes, source=len(source), target=len(target), joint=source is target)

    def model(self) -> TranslationModel:
        """The best weights, ready to translate."""
        import torch
        from safetensors import SafetensorError

        from nmt.models import weights

        try:
            found = weights.unpacked(self._weights())
            with torch.device(
                "meta"
            ):  # a model without memory: that of the recipe may be of any size, that of the weights is at hand
                weights.put(self.fresh_model(), found)
        except (SafetensorError, ValueError, RuntimeError) as error:
            if isinstance(error, UserError | RunError):
                raise
            raise UserError(
                f"{self.parts.where(WEIGHTS)}: not the weights of this run's model ({_first_line(error)})"
            ) from error
        model = self.fresh_model()
        weights.put(model, found)
        return model.eval()

    def _no_weights(self) -> UserError:
        return UserError(
            f"{self.parts.where(WEIGHTS)}: this run has no weights yet; train it to its first validation: nmt train RECIPE --run {self.path}"
        )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a second training out of a run folder; the lock goes with the process, however it ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise UserError(
            f"{folder}: another nmt train is at work in this folder; wait for it, or name another one with --run"
        ) from error
    finally:
        os.close(handle)


def newest_finished(folder: Path = RUNS) -> Path:
    """The run that finished last."""
    finished = sorted(folder.glob(f"*/{OUTCOME}"), key=lambda path: path.stat().st_mtime)
    if not finished:
        raise UserError(f"{folder}: there is no finished run; name one, or train one: nmt train recipes/de-en.yaml")
    return finished[-1].parent


def ranges(numbers: Sequence[int]) -> str:
    """Rising numbers as text, such as `4-259 1033`."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _numbers(text: str, limit: int) -> Iterator[int]:
    """The numbers that `ranges` wrote, below a limit."""
    for run in text.split():
        first, _, last = run.partition("-")
        yield from range(int(first), min(int(last or first) + 1, limit))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
