"""The one way from a run to a translator: engine, device, number of processes, precision and search settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias, overload

from nmt.errors import Log, RunError, UserError
from nmt.inference import exports
from nmt.inference.ctranslate2 import CTranslate2Translator
from nmt.inference.diagnostics import TrainingStatistics
from nmt.inference.exports import Export
from nmt.inference.memory import SearchMemory
from nmt.inference.parallel import ParallelTranslator
from nmt.inference.protect.protection import Protection
from nmt.inference.translator import TorchTranslator, Translator
from nmt.models.device import find_device, resolve_precision
from nmt.runs.files import EXPORT
from nmt.runs.run_folder import Run
from nmt.search import SearchSettings
from nmt.text.passage import Passage

Engine: TypeAlias = Literal["auto", "torch", "ctranslate2"]
Split: TypeAlias = Literal["auto", "always", "never"]
SEVERAL = 0.2
"""Share of training lines with several sentences from which on a model translates lines as they are."""


WITHOUT = "translating with torch"


def silent(line: str) -> None:
    """A log that drops its lines."""


@overload
def open_translator(
    run: Run | Path,
    engine: Literal["torch"],
    *,
    device: str = "auto",
    precision: str | None = None,
    search: SearchSettings | None = None,
    batch_tokens: int | None = None,
    split_long: bool = True,
    split: Split = "auto",
    protect: bool | None = None,
) -> TorchTranslator: ...
@overload
def open_translator(
    run: Run | Path,
    engine: Engine = "auto",
    *,
    device: str = "auto",
    workers: int | None = None,
    precision: str | None = None,
    search: SearchSettings | None = None,
    batch_tokens: int | None = None,
    split_long: bool = True,
    split: Split = "auto",
    protect: bool | None = None,
    log: Log = silent,
) -> Translator: ...
def open_translator(
    run: Run | Path,
    engine: Engine = "auto",
    *,
    device: str = "auto",
    workers: int | None = None,
    precision: str | None = None,
    search: SearchSettings | None = None,
    batch_tokens: int | None = None,
    split_long: bool = True,
    split: Split = "auto",
    protect: bool | None = None,
    log: Log = silent,
) -> Translator:
    """The translator of a run folder or a bundle. What is None is as the recipe says.

    The engine ``auto`` takes the run's export where this user made one, and says so. ``workers`` are processes of one
    thread each on the CPU, or threads of an export; None computes in this process. A wrong setting is a `ValueError`
    that begins with its name.

    ``split`` says whether lines are split into sentences, see `passages`. ``protect`` keeps numbers, addresses,
    placeholders and the like as they are; None does so where lines are split. Unless `split_long` is false, sentences
    longer than any training sentence are translated in parts.
    """
    run = run if isinstance(run, Run) else Run(run)
    search = search or run.search_settings()
    memory = SearchMemory.of(run, batches=batch_tokens is None)
    memory.check(search)
    tokens = batch_tokens or run.recipe.search.batch_tokens
    protect = split != "never" if protect is None else protect
    stand_ins = run.recipe.data.placeholders and all(each.has_stand_ins for each in run.vocabularies)
    protection = Protection(run.recipe.data.target, stand_ins=stand_ins).translate if protect else None
    export = find_export(run, engine, log) if device in ("auto", "cpu") else None
    if engine == "ctranslate2" and export is None:
        raise UserError(f"--engine ctranslate2: an export computes on the CPU, found --device {device}")
    if export is not None:
        if precision is not None:
            raise ValueError(
                "precision: an export computes in the numbers that it was made with; "
                "take the run itself with --engine torch"
            )
        try:
            translator = CTranslate2Translator(
                export,
                *run.vocabularies,
                search,
                training_statistics(run),
                batch_tokens=tokens,
                passage=passages(run, split),
                protect=protection,
                memory=memory,
                workers=workers or 1,
                threads=1 if workers and workers > 1 else 0,
            )
        except ValueError as error:  # it cannot be loaded, or the beam is too wide
            if engine != "auto":
                raise
            log(f"{WITHOUT}: {error}")
        else:
            quantized = export.description.quantization
            log(f"translating with CTranslate2 in {quantized}; --engine torch takes the run itself")
            return translator
    if workers is not None:
        return _parallel(run, workers, device, precision, search, batch_tokens, split, protect, memory)
    place = find_device(device)
    model = run.model().to(place)
    numbers = resolve_precision(precision or run.recipe.search.precision, place)
    return TorchTranslator(
        model.for_inference(place, numbers),
        *run.vocabularies,
        search,
        training_statistics(run),
        batch_tokens=tokens,
        split_long=split_long,
        passage=passages(run, split),
        protect=protection,
        memory=memory,
        device=place,
        interpreted=model,
    )


def find_export(run: Run, engine: Engine, log: Log) -> Export | None:
    """The export to translate with, or None for torch. ``auto`` takes a sound one of this user, and logs why not."""
    if engine == "torch":
        return None
    try:
        export = exports.open_export(run, own=engine == "auto")
    except (UserError, RunError) as error:
        if engine == "auto":
            log(f"{WITHOUT}: {error}")
            return None
        raise type(error)(f"--engine ctranslate2: {error}") from error
    if engine == "ctranslate2" and export is None:
        exports.check(run, "float32")
        raise UserError(
            f"--engine ctranslate2: {run.files.where(EXPORT)}: no such export; "
            f"make it: nmt export {run.path} --to ctranslate2"
        )
    return export


def passages(run: Run, split: Split) -> Callable[[str], Passage]:
    """How a run's lines are cut into sentences.

    ``always`` cuts every line, ``never`` none: the line is one sentence. ``auto`` cuts, unless the run was trained on
    lines of several sentences; then line breaks and lines without letters are kept, and a line is translated whole.
    """
    if split == "never":
        return Passage.whole
    several = run.metadata.several_sentences
    if several is None:
        several = 1 - 1 / run.recipe.data.concatenation
    return Passage.of_lines if split == "auto" and several >= SEVERAL else Passage.of_sentences


def training_statistics(run: Run) -> TrainingStatistics:
    """What diagnostics know of a run's training."""
    source, target = run.metadata.lengths.source, run.metadata.lengths.target
    return TrainingStatistics(source.longest, target.tokens / source.tokens, run.unseen_tokens, run.recipe.data.source)


def _parallel(
    run: Run,
    workers: int,
    device: str,
    precision: str | None,
    search: SearchSettings,
    batch_tokens: int | None,
    split: Split,
    protect: bool,
    memory: SearchMemory,
) -> ParallelTranslator:
    if device not in ("auto", "cpu"):
        raise UserError(f"--workers: processes compute on the CPU, found --device {device}; leave one of them out")
    opener = partial(
        open_translator,
        run.path,
        "torch",
        device="cpu",
        precision=precision,
        search=search,
        batch_tokens=batch_tokens,
        split=split,
        protect=protect,
    )
    limit = memory.longest_source(training_statistics(run).longest, search)
    return ParallelTranslator(workers, opener, limit)
