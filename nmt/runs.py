"""The run folder: what stands where in it, and how it is written whole or not at all.

    recipe.yaml           the recipe with every default
    run.json              facts fixed at the start: the plan, the corpus, versions, trained lengths, parameters
    vocabulary.model      SentencePiece, or source.model and target.model
    model.safetensors     the best weights so far
    checkpoints/step-N/   what resuming needs
    metrics.jsonl         what the model did; timing.jsonl: how long it took
    outcome.json          there when training has finished
    scores.jsonl, outputs/   what evaluation found

Everything but the checkpoints is what translating and evaluating need; the folder can be moved to another machine.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import file_digest
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.faults import InputFault
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from nmt.models.protocol import TranslationModel

RUNS = Path("runs")
FORMAT = 1
RECIPE, FACTS, WEIGHTS, OUTCOME = "recipe.yaml", "run.json", "model.safetensors", "outcome.json"
JOINT, SOURCE, TARGET = "vocabulary.model", "source.model", "target.model"
CHECKPOINTS, METRICS, TIMING = "checkpoints", "metrics.jsonl", "timing.jsonl"


class Run:
    """A run folder, opened for reading. Its parts are read when they are asked for."""

    def __init__(self, path: Path) -> None:
        if not (path / FACTS).is_file():
            found = "not a run folder" if path.exists() else "no such run folder"
            raise InputFault(f"{path}: {found}; expected one made by nmt train, with {FACTS} in it")
        self.path = path

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe with every default."""
        return reading.read(self.path / RECIPE)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What was fixed when training started."""
        facts = _read_json(self.path / FACTS)
        if facts.get("format") != FORMAT:
            found = f"found {facts.get('format')!r}; it was made by another version of nmt"
            raise InputFault(f"{self.path / FACTS}: expected a run of format {FORMAT}, {found}")
        return facts

    @property
    def outcome(self) -> dict[str, Any] | None:
        """How training ended, or None while it has not."""
        return _read_json(self.path / OUTCOME) if (self.path / OUTCOME).exists() else None

    @cached_property
    def vocabularies(self) -> tuple[Vocabulary, Vocabulary]:
        """Source and target vocabulary; the same object when they are joint."""
        if (self.path / JOINT).exists():
            joint = Vocabulary.from_file(self.path / JOINT)
            return joint, joint
        return Vocabulary.from_file(self.path / SOURCE), Vocabulary.from_file(self.path / TARGET)

    @cached_property
    def weights_sha256(self) -> str:
        """Hash of the best weights."""
        try:
            with (self.path / WEIGHTS).open("rb") as file:
                return file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise self._no_weights() from error

    def check(self) -> None:
        """Finds what is missing before work begins that would need it; the weights are hashed but not loaded."""
        _ = self.recipe, self.facts, self.weights_sha256

    @property
    def unseen(self) -> frozenset[int] | None:
        """Source token ids that no training sentence has; None for a run of a time when they were not recorded."""
        return frozenset(_numbers(self.facts["unseen"])) if "unseen" in self.facts else None

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be said beside every score of this run."""
        fallback = self.facts["corpus"]["fallback"]
        return (f"trained on the {fallback} corpus, because {self.facts['corpus']['asked']['corpus']} could not be reached",) if fallback else ()

    def fresh_model(self) -> TranslationModel:
        """The run's architecture with fresh weights."""
        from nmt.models.families import build

        source, target = self.vocabularies
        sizes = self.recipe.model.model_dump()
        return build(**sizes, source=len(source), target=len(target), joint=source is target)

    def model(self) -> TranslationModel:
        """The best weights, ready to translate."""
        from safetensors import SafetensorError

        from nmt.models import weights

        model = self.fresh_model()
        path = self.path / WEIGHTS
        try:
            weights.load(model, path)
        except FileNotFoundError as error:
            raise self._no_weights() from error
        except (SafetensorError, ValueError) as error:
            raise InputFault(f"{path}: not the weights of this run's model ({error})") from error
        return model.eval()

    def _no_weights(self) -> InputFault:
        return InputFault(f"{self.path / WEIGHTS}: this run has no weights yet; train it to its first validation: nmt train RECIPE --run {self.path}")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a second training out of a run folder; the lock goes with the process, however it ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise InputFault(f"{folder}: another nmt train is at work in this folder; wait for it, or name another one with --run") from error
    finally:
        os.close(handle)


def newest_finished(folder: Path = RUNS) -> Path:
    """The run that finished last."""
    finished = sorted(folder.glob(f"*/{OUTCOME}"), key=lambda path: path.stat().st_mtime)
    if not finished:
        raise InputFault(f"{folder}: there is no finished run; name one, or train one: nmt train recipes/de-en.yaml")
    return finished[-1].parent


def ranges(numbers: Sequence[int]) -> str:
    """Rising numbers as text, such as `4-259 1033`."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _numbers(text: str) -> Iterator[int]:
    """The numbers that `ranges` wrote."""
    for run in text.split():
        first, _, last = run.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise InputFault(f"{path}: cannot be read as JSON ({error}); the run folder is damaged") from error
    if not isinstance(values, dict):
        raise InputFault(f"{path}: expected an object, found {type(values).__name__}; the run folder is damaged")
    return values
