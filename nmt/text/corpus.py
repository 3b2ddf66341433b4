"""The corpus of a run: three splits of sentence pairs; training is cleaned, evaluation never. A large one is kept in a prepared folder."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from nmt.faults import InputFault
from nmt.text import origins
from nmt.text.cleaning import Cleaning, report
from nmt.text.files import read_pair_files, stream_pair_files
from nmt.text.origins import Notice, Origin, Request
from nmt.text.pairs import Pair, Pairs, discard
from nmt.text.shelf import Folder, Shelf

__all__ = ["Corpus", "Pairs", "Request", "load", "load_again", "load_test", "pinned", "read_pair_files"]

Item = TypeVar("Item")
SHUFFLE = 1
"""Seed of the shuffle that decides what is held out: one for all, so that runs with different seeds share a validation set."""
SAID_EVERY = 1_000_000
"""Pairs between two lines of progress."""
FORMAT = 1
"""Of prepared text; another number makes it anew."""
ELSEWHERE = ("revision", "offline", "pack", "in_memory", "prepared")
"""Fields of a request that change nothing in the text, or, as the revision, stand beside it as what they came to."""

Keep = Callable[[str, Iterable[Pair]], Pairs]
"""Takes a stream of pairs in, under a name: into memory or into files."""


@dataclass(frozen=True)
class Corpus:
    """The three splits, and the facts about them that a run records: what was asked for, what was loaded, counts and fingerprints."""

    train: Pairs
    valid: Pairs
    test: Pairs | None
    facts: dict[str, object]
    shelf: Shelf | None = None
    """Where training text lies that is too large for memory, and where what is made of it belongs."""


def load(*, notice: Notice, **data: Any) -> Corpus:
    """The corpus that the fields of a recipe's `data` describe; `notice` takes the lines meant for the user."""
    request = Request(**data)
    loading = _Loading(request, notice)
    few = list(islice(loading.read(), request.in_memory + 1))
    if len(few) <= request.in_memory:
        return _reported(loading.corpus(few, lambda _, stream: Pairs.gathered(stream)), notice)
    few.clear()
    shelf = Shelf(Path(request.prepared), notice)
    return _reported(_opened(shelf.folder("text", loading.made_from(), loading.fill), request, shelf), notice)


def load_again(facts: Mapping[str, Any], *, notice: Notice, **data: Any) -> Corpus:
    """The corpus of a run, whose facts are given, as it was when the run began: out of its prepared folder, or loaded anew."""
    shelf = Shelf(Path(data["prepared"]), notice)
    folder = shelf.find(facts["prepared"]["folder"]) if "prepared" in facts else None
    if folder is None:
        return load(notice=notice, **pinned(data, facts))
    return _reported(_opened(folder, Request(**data), shelf), notice)


def load_test(*, notice: Notice, **data: Any) -> tuple[Pairs | None, dict[str, object]]:
    """The test split alone, if there is one, and its facts; nothing is cleaned, and training files are not read."""
    request = Request(**data)
    origin = origins.find(request, notice)
    test = _gathered(origin, "test", request)
    return test, _facts(request, origin, {"test": test}) | {"replaced": test.replaced if test else 0}


def pinned(data: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same request held to what a run loaded: that commit of a Hub data set and nothing in its place, or the corpus it fell back to."""
    if facts["fallback"]:
        return {**data, "corpus": "builtin", "configuration": None, "revision": None, "train": None, "valid": None, "test": None}
    return {**data, "revision": facts["revision"] or data["revision"], "offline": "error"}


class _Loading:
    """A corpus on its way in: validation and test are here, training is a stream that can be begun more than once."""

    def __init__(self, request: Request, notice: Notice) -> None:
        self.request, self.notice, self.origin = request, notice, origins.find(request, notice)
        self.test, self.valid = (_gathered(self.origin, role, request) for role in ("test", "valid"))
        if self.valid is not None:
            _check_choice(self.valid, self.test)
        train = self.origin.split("train", request)
        if train is None:
            raise self.origin.no_split("train", "train")
        self.train = train

    def read(self) -> Iterator[Pair]:
        """All that there is to train on, before it is cleaned."""
        request = self.request
        extra = stream_pair_files(request.extra, request.source, request.target, request.errors) if request.extra else ()
        return chain(self.train(), extra)

    def corpus(self, stream: Iterable[Pair], keep: Keep) -> Corpus:
        """The corpus with this to train on, once it is cleaned and, where there is no validation split, some is held out."""
        request = self.request
        rules = {name: getattr(request, name) for name in ("max_words", "max_ratio", "duplicates", "overlap")}
        cleaning = Cleaning(self.test, **rules)
        train = keep("cleaned", cleaning.kept(stream))
        left_out = dict(cleaning.left_out)
        if not train:
            raise InputFault(f"data.train: nothing is left to train on\n{report(left_out, 0)}")
        self.notice(report(left_out, len(train)))
        valid = self.valid
        if valid is None:
            rows = held_out(len(train), request.held_out)
            train, valid = keep("rest", train.without(frozenset(rows))), train.take(rows)
            _check_choice(valid, self.test)
        _check_packs(request.pack, train, valid)
        replaced = cleaning.replaced + sum(pairs.replaced for pairs in (self.valid, self.test) if pairs)
        facts = _facts(request, self.origin, {"train": train, "valid": valid, "test": self.test})
        return Corpus(train, valid, self.test, facts | {"cleaning": {"read": cleaning.read, **left_out}, "replaced": replaced})

    def made_from(self) -> dict[str, Any]:
        """All that decides what the corpus is."""
        asked = {name: value for name, value in asdict(self.request).items() if name not in ELSEWHERE}
        revision = self.origin.facts.get("revision")
        return {"format": FORMAT, "asked": asked, "revision": revision, "files": self.origin.content(self.request)}

    def fill(self, folder: Path) -> dict[str, Any]:
        """Puts the corpus into a prepared folder."""
        corpus = self.corpus(counted(self.read(), "read", self.notice), lambda name, stream: Pairs.stored(folder / name, stream))
        for name, split in (("valid", corpus.valid), ("test", corpus.test)):
            if split is not None:
                Pairs.stored(folder / name, split)
        if self.valid is None:
            discard(folder / "cleaned")
        return {"corpus": corpus.facts, "train": "rest" if self.valid is None else "cleaned"}


def _opened(folder: Folder, request: Request, shelf: Shelf) -> Corpus:
    """The corpus that `_Loading.fill` put into a folder: text to train on stays there, the rest comes into memory."""
    facts = folder.facts["corpus"] | {"asked": asdict(request), "prepared": folder.record}
    valid, test = (Pairs.gathered(Pairs.open(folder.path / name)) if name in facts["splits"] else None for name in ("valid", "test"))
    assert valid is not None, "there is a validation split, or some is held out"
    train = Pairs.open(folder.path / folder.facts["train"])
    _check_packs(request.pack, train, valid)
    return Corpus(train, valid, test, facts, shelf)


def _gathered(origin: Origin, role: str, request: Request) -> Pairs | None:
    stream = origin.split(role, request)
    return Pairs.gathered(stream()) if stream else None


def counted(stream: Iterable[Item], what: str, notice: Notice, of: int | None = None) -> Iterator[Item]:
    """The same stream, with a line of progress now and then."""
    for number, item in enumerate(stream, start=1):
        yield item
        if number % SAID_EVERY == 0:
            notice(f"{what} {number:,}" + (f" of {of:,}" if of else "") + " pairs")


def held_out(pairs: int, most: int) -> list[int]:
    """Rows that are held out of so many for validation, rising: the end of a shuffle, at most a twentieth, at least one."""
    count = max(1, min(most, pairs // 20))
    if count == pairs:
        raise InputFault("data.valid: one training pair is too few to hold out a validation pair; expected data.valid or more pairs")
    rows = array("q", range(pairs))
    random.Random(SHUFFLE).shuffle(rows)
    return sorted(rows[-count:])


def _check_choice(valid: Pairs, test: Pairs | None) -> None:
    """Weights are chosen by the validation split, which therefore must not be the test set, or mostly be made of it."""
    tested = set(zip(test.source, test.target, strict=True)) if test else set()
    shared = sum(pair in tested for pair in zip(valid.source, valid.target, strict=True))
    if 2 * shared > len(valid):
        raise InputFault(
            f"data.valid: {shared:,} of its {len(valid):,} pairs stand in data.test; weights are chosen by validation, and a test set that "
            "chose them measures nothing\nexpected other pairs in data.valid, or null to hold some out of training"
        )


def _check_packs(pack: int, train: Pairs, valid: Pairs) -> None:
    for split, pairs in (("training", train), ("validation", valid)):
        if pack > len(pairs):
            raise InputFault(
                f"data.pack: {len(pairs)} {split} pairs are too few to join up to {pack} of them; expected a larger corpus or a smaller pack"
            )


def _facts(request: Request, origin: Origin, splits: Mapping[str, Pairs | None]) -> dict[str, object]:
    counted = {role: {"pairs": len(pairs), "sha256": pairs.sha256} for role, pairs in splits.items() if pairs is not None}
    unknown = {"revision": None, "fallback": None, "fallback_reason": None}
    return {"asked": asdict(request), "loaded": origin.name, **unknown, **origin.facts, "splits": counted}


def _reported(corpus: Corpus, notice: Notice) -> Corpus:
    facts: Mapping[str, Any] = corpus.facts
    counts = ", ".join(f"{split['pairs']:,} {role}" for role, split in facts["splits"].items())
    notice(f"corpus {facts['loaded']}: {counts} pairs")
    if facts["replaced"]:
        notice(f"invalid UTF-8 was replaced in {facts['replaced']:,} texts (data.errors: replace)")
    return corpus
