"""The run folder.

    recipe.yaml           the recipe with every default
    run.json              metadata, fixed when training begins
    vocabulary.model      SentencePiece, or source.model and target.model
    model.safetensors     the best weights so far
    checkpoints/step-N/   what resuming needs
    metrics.jsonl         losses and validations; timing.jsonl: seconds and rates
    outcome.json          written when training has finished
    scores.jsonl          the evaluation log; outputs/: the translations that were scored

Translating and evaluating need everything but the checkpoints and metrics. The folder can be moved to another machine,
and bundled into one file.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.data.vocabulary import Vocabulary
from nmt.errors import RunError, UserError, meant_path
from nmt.recipe import reading
from nmt.recipe.types import Recipe
from nmt.runs.files import (
    JOINT,
    METADATA,
    OUTCOME,
    RECIPE,
    SOURCE,
    SUFFIX,
    TARGET,
    WEIGHTS,
    Bundle,
    FolderFiles,
    RunFiles,
)
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
    "newest",
    "ranges",
]

RUNS = Path("runs")
CHECKPOINTS, METRICS, TIMING = "checkpoints", "metrics.jsonl", "timing.jsonl"


class Run:
    """A run folder or a bundle, opened for reading. Its files may be a stranger's and are checked when they are
    read."""

    def __init__(self, path: Path) -> None:
        self.files: RunFiles = Bundle(path) if os.path.isfile(path) else FolderFiles(path)
        if METADATA not in self.files:
            found = "not a run folder" if os.path.exists(path) else "no such run folder"
            near = "" if os.path.exists(path) else meant_path(path, RUNS.glob("*"))
            expected = near or f"; expected one made by nmt train, with {METADATA} in it"
            raise UserError(f"{path}: {found}{expected}")
        self.path = path

    @property
    def bundled(self) -> bool:
        """Whether this is a bundle, to which nothing can be added."""
        return isinstance(self.files, Bundle)

    @property
    def evaluations(self) -> FolderFiles:
        """Where outputs and the evaluation log are: in the run folder, or in a folder beside the bundle."""
        if not self.bundled:
            return FolderFiles(self.path)
        beside = self.path.with_name(f"{self.path.name}.evaluations")
        if beside.is_symlink():
            raise UserError(f"{beside}: a link is not followed; take it away, or put the folder itself there")
        return FolderFiles(beside)

    def to_write(self, name: str) -> Path:
        """The path at which a file or folder of this run may be written; see `FolderFiles.to_write`."""
        return FolderFiles(self.path).to_write(name)

    @property
    def size(self) -> str:
        """The sizes of weights and checkpoints, in words."""
        if self.bundled:
            return f"{_mebibytes([self.path])}, one file"
        weights, checkpoints = (_mebibytes(self.path.glob(pattern)) for pattern in ("*.safetensors", "checkpoints/*/*"))
        return f"weights {weights}, checkpoints {checkpoints}"

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe with every default."""
        _ = self.metadata  # a run of an older format says so before its recipe's old keys are refused
        try:
            return reading.read_content(self.files.read(RECIPE), self.files.where(RECIPE))
        except FileNotFoundError as error:
            raise UserError(f"{self.files.where(RECIPE)}: cannot read the recipe: there is none") from error

    @cached_property
    def metadata(self) -> Metadata:
        """What was fixed when training began."""
        return read_metadata(self.files.read(METADATA), self.files.where(METADATA), self.path)

    @property
    def outcome(self) -> Outcome | None:
        """How training ended, or None while it has not."""
        return read_outcome(self.files.read(OUTCOME), self.files.where(OUTCOME)) if OUTCOME in self.files else None

    @cached_property
    def vocabularies(self) -> tuple[Vocabulary, Vocabulary]:
        """Source and target vocabulary; the same object when they are joint."""
        if JOINT in self.files:
            joint = self._vocabulary(JOINT)
            return joint, joint
        return self._vocabulary(SOURCE), self._vocabulary(TARGET)

    def _vocabulary(self, name: str) -> Vocabulary:
        try:
            return Vocabulary(self.files.read(name))
        except FileNotFoundError as error:
            raise UserError(f"{self.files.where(name)}: expected a SentencePiece model, found none") from error
        except UserError as error:
            raise UserError(
                f"{self.files.where(name)}: expected a SentencePiece model of nmt, found something else ({error})"
            ) from error

    @cached_property
    def weights_sha256(self) -> str:
        """Hash of the best weights."""
        return sha256(self._weights()).hexdigest()

    def _weights(self) -> bytes:
        try:
            return self.files.read(WEIGHTS)
        except FileNotFoundError as error:
            raise self._no_weights() from error

    def check(self) -> None:
        """Reads recipe, metadata and weights, so that missing files are found before long work."""
        _ = self.recipe, self.metadata, self.weights_sha256

    @property
    def unseen_tokens(self) -> frozenset[int] | None:
        """Source token ids that no training sentence has; None where they were not recorded."""
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
        """Notes to print with every score of this run."""
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
            with torch.device("meta"):  # allocates nothing, as a stranger's recipe may name any sizes
                weights.put(self.fresh_model(), found)
        except (SafetensorError, ValueError, RuntimeError) as error:
            if isinstance(error, UserError | RunError):
                raise
            raise UserError(
                f"{self.files.where(WEIGHTS)}: not the weights of this run's model ({_first_line(error)})"
            ) from error
        model = self.fresh_model()
        weights.put(model, found)
        return model.eval()

    def _no_weights(self) -> UserError:
        return UserError(
            f"{self.files.where(WEIGHTS)}: this run has no weights yet; "
            f"train it to its first validation: nmt train RECIPE --run {self.path}"
        )


def saved_recipe(path: Path) -> Path | None:
    """The recipe in a run folder, for the path of the folder or of that recipe; None for a recipe of its own."""
    if path.suffix == SUFFIX:
        raise UserError(f"{path}: a bundle cannot be continued; go on with it: nmt finetune {path} data.train=FILES")
    folder = path if path.is_dir() else path.parent
    if (path.name == RECIPE or path.is_dir()) and (folder / METADATA).exists():
        return folder / RECIPE
    if path.is_dir():
        raise UserError(f"{path}: not a run folder; expected a recipe, or a folder made by nmt train")
    return None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Locks a run folder against a second training; the lock ends with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise UserError(
            f"{folder}: another nmt train is working in this folder; wait for it, or name another one with --run"
        ) from error
    finally:
        os.close(handle)


def newest(folder: Path = RUNS) -> Path:
    """The run that finished last; if none has finished, the one whose weights are the newest."""
    for name in (OUTCOME, WEIGHTS):
        if found := max(folder.glob(f"*/{name}"), key=lambda path: path.stat().st_mtime, default=None):
            return found.parent
    raise UserError(
        f"{folder}: there is no trained run; name one, try the model that ships with nmt: nmt translate --demo,\n"
        "or train one: nmt train recipes/builtin.yaml (4 minutes), nmt train recipes/de-en.yaml (77 minutes)"
    )


def ranges(numbers: Sequence[int]) -> str:
    """Increasing numbers as text, such as `4-259 1033`."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])]
    return " ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _numbers(text: str, limit: int) -> Iterator[int]:
    """The numbers that `ranges` wrote, below a limit."""
    end = 0  # ranges of a stranger may overlap, and a number counts once
    for run in text.split():
        first, _, last = run.partition("-")
        yield from range(max(int(first), end), min(int(last or first) + 1, limit))
        end = max(end, int(last or first) + 1)


def _mebibytes(paths: Iterable[Path]) -> str:
    """The size of regular files; links are not followed."""
    sizes = (each.st_size for each in map(os.lstat, paths) if stat.S_ISREG(each.st_mode))
    return f"{sum(sizes) / 2**20:.1f} MiB"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]
