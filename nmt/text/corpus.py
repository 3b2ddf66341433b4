"""The corpus of a run: sentence pairs from the Hub, a folder, files or the built-in corpus; training is cleaned, evaluation never."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from nmt.faults import InputFault, RunFault
from nmt.text import cleaning, hub, loader, tables
from nmt.text.files import read_pair_files
from nmt.text.pairs import Pairs, joined

if TYPE_CHECKING:
    from datasets import DatasetDict

__all__ = ["Corpus", "Pairs", "Request", "load", "load_test", "pinned", "read_pair_files"]

Notice = Callable[[str], None]
NAMES = {"train": ("train",), "valid": ("validation", "valid", "val", "dev"), "test": ("test",)}
"""What a split is called in the data sets there are; the first that is found is taken."""
BUILTIN = ("train", "valid", "test", "natural")
SHUFFLE = 1
"""Seed of the shuffle that decides what is held out: one for all, so that runs with different seeds share a validation set."""


@dataclass(frozen=True)
class Request:
    """What is asked for: the fields of a recipe's `data`, where they are documented."""

    source: str
    target: str
    corpus: str | None
    configuration: str | None
    revision: str | None
    train: str | list[str] | None
    valid: str | list[str] | None
    test: str | list[str] | None
    held_out: int
    offline: str
    errors: str
    max_words: int
    max_ratio: float | None
    duplicates: str
    overlap: str
    extra: list[str]
    pack: int


@dataclass(frozen=True)
class Corpus:
    """The three splits, and the facts about them that a run records: what was asked for, what was loaded, counts and fingerprints."""

    train: Pairs
    valid: Pairs
    test: Pairs | None
    facts: dict[str, object]


@dataclass(frozen=True)
class Origin:
    """Where pairs come from: a reader for every split there is, and what is known of the place."""

    name: str
    splits: Mapping[str, Callable[[], Pairs]]
    facts: Mapping[str, str | None]


def load(*, notice: Notice, **data: Any) -> Corpus:
    """The corpus that the fields of a recipe's `data` describe; `notice` takes the lines meant for the user."""
    request = Request(**data)
    origin = _origin(request, notice)
    test, valid, whole = (_split(origin, role, request) for role in ("test", "valid", "train"))
    if whole is None:
        raise _no_split(origin, "train", "train")
    if request.extra:
        whole = joined([whole, read_pair_files(request.extra, request.source, request.target, request.errors)])
    train, left_out = _cleaned(whole, test, request, notice)
    replaced = sum(pairs.replaced for pairs in (whole, valid, test) if pairs)
    if valid is None:
        train, valid = _held_out(train, request.held_out)
    _check_choice(valid, test)
    _check_packs(request.pack, train, valid)
    splits = {"train": train, "valid": valid, "test": test}
    facts = _facts(request, origin, splits) | {"cleaning": {"read": len(whole), **left_out}, "replaced": replaced}
    _report(facts, notice)
    return Corpus(train, valid, test, facts)


def load_test(*, notice: Notice, **data: Any) -> tuple[Pairs | None, dict[str, object]]:
    """The test split alone, if there is one, and its facts; nothing is cleaned, and training files are not read."""
    request = Request(**data)
    origin = _origin(request, notice)
    test = _split(origin, "test", request)
    return test, _facts(request, origin, {"test": test}) | {"replaced": test.replaced if test else 0}


def pinned(data: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same request held to what a run loaded: that commit of a Hub data set and nothing in its place, or the corpus it fell back to."""
    if facts["fallback"]:
        return {**data, "corpus": "builtin", "configuration": None, "revision": None, "train": None, "valid": None, "test": None}
    return {**data, "revision": facts["revision"] or data["revision"], "offline": "error"}


def _origin(request: Request, notice: Notice) -> Origin:
    if request.corpus is None:
        return _files(request)
    if request.corpus == "builtin":
        return _builtin(request)
    if loader.is_local(request.corpus):
        return _tables(request, loader.load_folder(request.corpus, request.configuration), None)
    try:
        return _tables(request, *hub.load_remote(request.corpus, request.configuration, request.revision, notice))
    except hub.UnreachableError as reason:
        return _fallback(request, str(reason), notice)


def _fallback(request: Request, reason: str, notice: Notice) -> Origin:
    if request.offline != "builtin":
        raise RunFault(
            f"data.corpus: cannot reach the Hugging Face Hub for {request.corpus!r} ({reason})\n"
            "download it on a connected machine (its cache is the folder HF_HOME), or use files of your own:\n"
            "data.corpus=null data.train=train.jsonl data.test=test.jsonl"
        )
    notice(f"THE BUILT-IN CORPUS IS USED: cannot reach the Hugging Face Hub for {request.corpus!r} ({reason})")
    notice("it is a small generated corpus for demonstration; scores on it say nothing about real text")
    notice("(data.offline: builtin in the recipe allows this; data.offline=error stops instead; the run and its scores record it)")
    return _builtin(request, reason)


def _builtin(request: Request, fallback: str | None = None) -> Origin:
    from nmt.text.builtin.corpus import pairs

    def read(split: str) -> Pairs:
        source, target = zip(*pairs(split, request.source, request.target), strict=True)
        return Pairs(list(source), list(target))

    facts = {"fallback": "builtin", "fallback_reason": fallback} if fallback else {}
    return Origin("builtin", {name: partial(read, name) for name in BUILTIN}, facts)


def _files(request: Request) -> Origin:
    if request.train is None:
        raise InputFault("data: expected a data set in data.corpus, or files in data.train; found neither")
    read = partial(read_pair_files, source=request.source, target=request.target, errors=request.errors)
    specs = {name: getattr(request, name) for name in NAMES}
    return Origin("files", {name: partial(read, spec) for name, spec in specs.items() if spec is not None}, {})


def _tables(request: Request, loaded: DatasetDict, commit: str | None) -> Origin:
    def read(name: str) -> Pairs:
        try:
            return tables.pairs(loaded[name].with_format("arrow")[:], request.source, request.target, "the corpus", request.errors)
        except UnicodeDecodeError as error:
            raise loader.bad_file(corpus, error) from error

    corpus = request.corpus or ""
    return Origin(corpus, {name: partial(read, name) for name in loaded}, {"revision": commit})


def _split(origin: Origin, role: str, request: Request) -> Pairs | None:
    """The pairs of a role, if the corpus has a split for it."""
    names = _names(origin, role, request)
    for name in names:
        if name not in origin.splits:
            raise _no_split(origin, role, name)
    pairs = joined(origin.splits[name]() for name in names)
    if names and not pairs:
        asked = getattr(request, role)
        place = f"{origin.name}, {', '.join(names)}" if request.corpus else ", ".join([asked] if isinstance(asked, str) else asked)
        raise InputFault(f"data.{role}: expected sentence pairs, found none in {place}")
    return pairs if names else None


def _names(origin: Origin, role: str, request: Request) -> list[str]:
    """The splits that were asked for, or the first that is called as usual; what was asked of another corpus names nothing here."""
    asked = getattr(request, role)
    if asked is None or request.corpus is None or origin.facts.get("fallback"):
        return [name for name in NAMES[role] if name in origin.splits][:1]
    return [asked] if isinstance(asked, str) else asked


def _no_split(origin: Origin, role: str, name: str) -> InputFault:
    return InputFault(f"data.{role}: {origin.name} has no split {name!r}; it has {', '.join(origin.splits) or 'none'}")


def _cleaned(whole: Pairs, test: Pairs | None, request: Request, notice: Notice) -> tuple[Pairs, dict[str, int]]:
    rules = {name: getattr(request, name) for name in ("max_words", "max_ratio", "duplicates", "overlap")}
    train, left_out = cleaning.clean(whole, test, **rules)
    if not train:
        raise InputFault(f"data.train: nothing is left to train on\n{cleaning.report(left_out, 0)}")
    notice(cleaning.report(left_out, len(train)))
    return train, left_out


def _held_out(train: Pairs, most: int) -> tuple[Pairs, Pairs]:
    """What stays for training, in its order, and the end of the shuffled rest for validation: at most a twentieth, at least one pair."""
    count = max(1, min(most, len(train) // 20))
    if count == len(train):
        raise InputFault("data.valid: one training pair is too few to hold out a validation pair; expected data.valid or more pairs")
    rows = list(range(len(train)))
    random.Random(SHUFFLE).shuffle(rows)
    return train.take(sorted(rows[:-count])), train.take(sorted(rows[-count:]))


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


def _report(facts: Mapping[str, Any], notice: Notice) -> None:
    counts = ", ".join(f"{split['pairs']:,} {role}" for role, split in facts["splits"].items())
    notice(f"corpus {facts['loaded']}: {counts} pairs")
    if facts["replaced"]:
        notice(f"invalid UTF-8 was replaced in {facts['replaced']:,} texts (data.errors: replace)")
