"""A corpus of ten million pairs: cached once, trained on in little memory, shuffled anew in every epoch, and resumed to
the same result.

Sentences are three phrases of random words each. They are short, since memory does not depend on their length. A
smaller count lowers `data.in_memory` with it, so that the text always goes to disk.
"""

from __future__ import annotations

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from nmt.data import batches
from nmt.runs.run_folder import OUTCOME, Run
from nmt.training import loading, planning
from tools.checks import process
from tools.checks.check import Trial
from tools.checks.command import within
from tools.checks.moments import in_update
from tools.checks.outcome import difference, outcome
from tools.checks.toy import FAMILIES

LIMIT = 2000.0
"""Most resident megabytes, anonymous memory and mapped files together."""
PATIENCE = 60.0
"""Seconds in which a run on a cached corpus has made and saved its first update."""
EVERY = 0.02
"""Seconds between two measurements of a process's memory."""
PHRASES, WORDS, LONGEST = 220, 800, 4
"""Phrases for each of the three places in a sentence, words to make them of, and most words of a phrase."""
SPREAD = 0.8
"""Least mean standard deviation of the rows in a batch, relative to that of all rows, if the corpus is shuffled."""
ALIKE = 0.2
"""Share of positions with the same row in two epochs from which their order counts as the same."""
RECIPE = """\
data: {{train: "train.de,train.en", held_out: 20, in_memory: {in_memory}}}
vocabulary: {{size: {pieces}}}
model: {model}
training: {{updates: 20, save_every: 10, validate_every: 10, batch_tokens: 4096, warmup: 2, threads: 1, device: cpu,
  precision: fp32}}
search: {{beam: 1, max_ratio: 1.0, max_extra: 0}}
"""
Memory = tuple[float, float]
"""Resident megabytes of a process: anonymous, and mapped from files."""


def trials(count: int) -> Iterator[Trial]:
    """A run that fills the cache; a run that uses it, is stopped and continued; and the order of two epochs."""
    with tempfile.TemporaryDirectory(prefix="nmt-large-") as name:
        folder = Path(name)
        write(folder, count)
        (folder / "large.yaml").write_text(
            RECIPE.format(
                model=FAMILIES["attention"], in_memory=max(1, count // 10), pieces=min(1000, 400 + count // 50)
            ),
            "utf8",
        )
        yield _trial(folder, "prepares and trains", "whole", count)
        if not (folder / "whole" / OUTCOME).exists():  # the others are compared with it
            return
        began = time.monotonic()
        yield _trial(folder, "is stopped in its first update", "parts", count, stopped=True)
        late = f"{time.monotonic() - began:.0f} s to the first update" if time.monotonic() - began > PATIENCE else None
        yield Trial("starts on what is prepared", late or _made_again(folder))
        shutil.move(folder / "train.de", folder / "away.de")  # the cache is all that continuing needs
        yield (parts := _trial(folder, "continues without the text", "parts", count))
        shutil.move(folder / "away.de", folder / "train.de")
        yield Trial(
            "comes to the same end", parts.fault or difference(outcome(folder / "parts"), outcome(folder / "whole"))
        )
        yield Trial("shuffles", _shuffled(folder))


def write(folder: Path, count: int) -> None:
    """Writes pairs into two text files, with hardly any repetition."""
    rng = random.Random(1)
    words = [["".join(rng.choices("aeioulmnrst", k=rng.randint(3, 8))) for _ in range(WORDS)] for _ in range(2)]
    drawn = [[rng.choices(range(WORDS), k=rng.randint(1, LONGEST)) for _ in range(PHRASES)] for _ in range(3)]
    for side, own in zip(("de", "en"), words, strict=True):
        first, second, third = ([" ".join(own[word] for word in phrase) for phrase in place] for place in drawn)
        with (folder / f"train.{side}").open("w", encoding="utf8") as file:
            for row in range(count):
                place, rest = divmod(row, PHRASES)
                file.write(f"{first[rest]} {second[place % PHRASES]} {third[place // PHRASES % PHRASES]}\n")


def _trial(folder: Path, what: str, name: str, count: int, *, stopped: bool = False) -> Trial:
    prelude = in_update(1, signal.SIGTERM) if stopped else None
    command = process.start(folder, "train", "large.yaml", "--run", name, prelude=prelude)
    seen = list(_watched(command))
    own, mapped, together = (max(values) for values in zip(*((*look, sum(look)) for look in seen), strict=True))
    measured = {"MB resident": together, "MB of its own": own, "MB of files": mapped}
    status = process.wait(command)
    if status != (128 + signal.SIGTERM if stopped else 0):
        return Trial(
            f"{count:,} pairs: {what}", f"exit {status}: {' / '.join(process.stderr_lines(folder)[-3:])}", measured
        )
    return Trial(f"{count:,} pairs: {what}", f"{together:.0f} MB resident" if together > LIMIT else None, measured)


def _watched(command: process.Process) -> Iterator[Memory]:
    """Resident memory of a process at regular intervals until it ends."""
    yield (0.0, 0.0)
    while command.is_alive():
        lines = Path(f"/proc/{command.pid}/status").read_text().splitlines()
        sizes = {
            key: int(value.split()[0]) * 1024 / 1e6
            for key, _, value in (line.partition(":") for line in lines)
            if key.startswith("Rss")
        }
        if sizes:  # absent for a process that is ending
            yield sizes["RssAnon"], sizes["RssFile"] + sizes["RssShmem"]
        command.join(EVERY)


def _made_again(folder: Path) -> str | None:
    """What the last command cached again, or left besides the cache; None if nothing."""
    again = [line for line in process.stderr_lines(folder) if line.startswith("writing")]
    kinds = sorted(path.name.partition("-")[0] for path in folder.glob("cache/*"))
    return (
        None
        if not again and kinds == ["text", "tokens", "vocabulary"]
        else f"{' / '.join(again)}; there are {', '.join(kinds)}"
    )


def _shuffled(folder: Path) -> str | None:
    """What is wrong with the order of two epochs; None if both have all pairs, shuffled as a whole and differently."""
    with within(folder):
        opened = Run(Path("whole"))
        wanted, found = (
            opened.recipe.training,
            planning.batches(opened.recipe, loading.reload_dataset(opened, lambda _: None)),
        )
    ordered = partial(batches.order, seed=wanted.seed, batch_tokens=wanted.batch_tokens)
    epochs = [ordered(*found.lengths(epoch), epoch=epoch) for epoch in (0, 1)]
    one, other = map(np.concatenate, epochs)
    for rows, each in zip((one, other), epochs, strict=True):
        if not np.array_equal(np.bincount(rows, minlength=len(one)), np.ones(len(one))):
            return "an epoch holds a pair twice or not at all"
        if float(np.mean([batch.std() for batch in each])) < SPREAD * float(rows.std()):
            return "batches hold pairs of the same part of the corpus"
    return "two epochs have the same order" if float((one == other).mean()) > ALIKE else None
