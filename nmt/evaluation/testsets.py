"""A test set: sources with one reference each, under a name, with hashes that identify its version."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Literal

from nmt.data import corpus, hub, lines
from nmt.data.metadata import CorpusRequest
from nmt.errors import UserError
from nmt.runs.run_folder import Run


@dataclass(frozen=True)
class TestSet:
    """Line n of ``references`` translates line n of ``source``; the counts are compared on construction."""

    __test__ = False  # for pytest, which collects classes of this name

    name: str
    source: list[str]
    references: list[str]
    endings: tuple[str, str] = field(default=("", ""), compare=False)
    """The endings of its two files, such as ``de`` and ``en``; empty where it does not come from two files."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.+-]*", self.name):
            raise UserError(
                f"test set {self.name!r}: expected a name of letters, digits, and . _ + - (it names a file of outputs)"
            )
        if len(self.source) != len(self.references):
            raise UserError(
                f"test set {self.name}: {len(self.source)} source lines, but {len(self.references)} references"
            )
        if not self.source:
            raise UserError(f"test set {self.name}: there are no sentences in it")

    @property
    def source_sha256(self) -> str:
        """See `text_sha256`."""
        return text_sha256(self.source)

    @property
    def references_sha256(self) -> str:
        """See `text_sha256`."""
        return text_sha256(self.references)

    @property
    def sha256(self) -> str:
        """Hash of both sides, independent of the name."""
        return sha256(f"{self.source_sha256} {self.references_sha256}".encode()).hexdigest()


def text_sha256(text: Sequence[str]) -> str:
    """The result of ``sha256sum`` for a UTF-8 file of these lines, each with one line feed."""
    return sha256("".join(f"{line}\n" for line in text).encode()).hexdigest()


def check_names(tests: Sequence[TestSet]) -> None:
    """Raises if two test sets have the same name."""
    names = [test.name for test in tests]
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"test set {name}: the name is given twice, expected a different name for each test set")


def read(argument: str, errors: str = "strict") -> TestSet:
    """The test set of a command line argument ``NAME=SRC,REF``."""
    name, equals, files = argument.partition("=")
    paths = files.split(",")
    if not (name and equals and len(paths) == 2 and all(paths)):
        raise UserError(f"test set {argument!r}: expected NAME=SRC,REF, two text files separated by one comma")
    return from_files(name, Path(paths[0]), Path(paths[1]), errors)


def of_run(run: Run, log: Callable[[str], None], split: Literal["test", "valid"] = "test") -> TestSet:
    """The test or validation split of a run's recipe, as it was when the run began."""
    data = run.recipe.data
    if run.bundled and (data.corpus is None or hub.is_local(data.corpus)):
        raise UserError(
            f"{run.path}: a bundle cannot name files of this machine to be read; name a test set: "
            "--test NAME=SOURCE,REFERENCES"
        )
    metadata, request = run.metadata.corpus, CorpusRequest(**data.model_dump())
    if split == "test":
        pairs = corpus.load_test(corpus.pinned(request, metadata), log)[0]
    else:
        pairs = corpus.load_again(request, metadata, log).valid
    if pairs is None:
        raise UserError(f"{run.path}: its recipe has no test set; name one: --test NAME=SOURCE,REFERENCES")
    return TestSet(split, list(pairs.source), list(pairs.target))


def from_files(name: str, source: Path, references: Path, errors: str = "strict") -> TestSet:
    """A test set of two text files, one sentence a line; for `errors` see `nmt.data.lines.read`."""
    sides = [lines.read(path, errors).text for path in (source, references)]
    if len(sides[0]) != len(sides[1]):
        raise UserError(
            f"test set {name}: {source} has {len(sides[0])} lines, but {references} has {len(sides[1])}; "
            "one reference per source"
        )
    if not sides[0]:
        raise UserError(f"test set {name}: {source} and {references} have no lines")
    return TestSet(name, sides[0], sides[1], (_ending(source), _ending(references)))


def _ending(path: Path) -> str:
    """``de`` of ``news.de``, ``news.de.txt`` and ``news.de.gz``."""
    endings = [each.lstrip(".") for each in path.suffixes if each not in (".txt", ".gz")]
    return endings[-1] if endings else ""
