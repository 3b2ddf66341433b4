from __future__ import annotations

from typing import Any

import pytest
import torch

from nmt.evaluation import report
from nmt.lab.bench import decoding, operations, training
from nmt.lab.bench.cases import FAMILIES, Case, sweep
from nmt.lab.bench.tables import table
from nmt.models.protocol import Memory, Step, TranslationModel
from nmt.models.registry import build, parameters
from nmt.models.transformer import TransformerModel
from nmt.recipe.types import Transformer

SIZES = Transformer(width=8, heads=2, feed_forward=12, dropout=0.0).model_dump()
PIECES = 40
CPU = torch.device("cpu")
SOURCES = [[4, 5, 6], [7, 8], [9, 10, 11, 12]]


@pytest.fixture
def model() -> TranslationModel:
    torch.manual_seed(0)
    return build(SIZES, source=PIECES, target=PIECES, joint=True)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is measured in no time."""
    for module in (training, decoding):
        monkeypatch.setattr(module, "product_rate", lambda *_, **__: 1e9)
    monkeypatch.setattr(training, "WARMING", 1)


def test_an_update_is_split_into_its_phases_and_counted(model: TranslationModel) -> None:
    batches = training.of_one_length(5, PIECES, 50)
    assert len(batches.batch(0, 0).source) == 10
    found = training.measure(model, batches, device=CPU, precision="fp32", updates=3)
    assert list(found.seconds) == ["data", "forward", "backward", "optimiser"]
    assert min(found.seconds.values()) > 0
    assert found.tokens_per_second == pytest.approx(50 / sum(found.seconds.values()))
    assert (found.updates, found.padding, found.parameters) == (3, 0.0, parameters(model))
    assert found.share == pytest.approx(found.operations / sum(found.seconds.values()) / 1e9)


class Counting:
    """Any model, and how many positions it was asked for, beams and sentences together."""

    def __init__(self, model: TranslationModel) -> None:
        self.model, self.rows, self.steps = model, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def eval(self) -> Counting:
        return self

    def for_inference(self, device: torch.device, precision: str) -> Counting:
        return self

    def step(self, previous: torch.Tensor, state: Any, memory: Memory) -> Step:
        self.rows, self.steps = self.rows + len(previous), self.steps + 1
        return self.model.step(previous, state, memory)


def test_forced_decoding_does_the_same_work_with_any_weights(
    model: TranslationModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "of_search", lambda *_: 1)
    counting = Counting(model)
    found = decoding.force(counting, SOURCES, length=7, beam=2, device=CPU)  # type: ignore[arg-type]
    each = 1 + 2 * 6  # the beams are one before the first piece
    assert (counting.rows, counting.steps) == ((2 + len(SOURCES)) * each, 14)  # two sentences to warm up
    assert found.positions_per_second == pytest.approx(len(SOURCES) * 7 / found.seconds)


def test_workers_share_forced_decoding(model: TranslationModel) -> None:
    found = decoding.force(model, SOURCES, length=7, beam=2, device=CPU, workers=2)
    assert found.positions_per_second == pytest.approx(len(SOURCES) * 7 / found.seconds)
    assert found.seconds > 0


@pytest.mark.parametrize(("workers", "batches"), [(1, [4, 2]), (2, [3, 3])])
def test_ctranslate2_is_forced_to_the_same_length_in_equal_shares(
    model: TranslationModel, monkeypatch: pytest.MonkeyPatch, workers: int, batches: list[int]
) -> None:
    import ctranslate2

    lengths: list[int] = []
    sentences: list[int] = []
    made = ctranslate2.Translator

    class Watched:
        def __init__(self, *given: Any, **more: Any) -> None:
            self.engine = made(*given, **more)

        def translate_batch(self, batch: list[list[str]], **options: Any) -> Any:
            options.pop("asynchronous", None)
            sentences.append(len(batch))
            lengths.extend(len(each.hypotheses[0]) for each in self.engine.translate_batch(batch, **options))
            return self.engine.translate_batch(batch, asynchronous=True, **options)

    monkeypatch.setattr(ctranslate2, "Translator", Watched)
    monkeypatch.setattr(decoding, "SENTENCES", 4)
    assert isinstance(model, TransformerModel)
    names = [*map(str, range(PIECES))]
    found = decoding.force_exported(
        model, names, SOURCES * 2, length=7, beam=2, quantization="float32", workers=workers
    )
    assert lengths == [7] * (2 + 2 * len(SOURCES))
    assert sentences == [2, *batches]  # two to warm up
    assert found.share is None


def test_a_sweep_varies_one_setting_at_a_time_and_repeats_nothing() -> None:
    base = Case("attention", "decode", beam=5, threads=2)
    found = [(case.beam, case.threads) for case in sweep(base, {"beam": (1, 5), "threads": (1, 2)})]
    assert found == [(5, 2), (1, 2), (5, 1)]


def test_the_fixed_sizes_are_those_that_peers_are_given() -> None:
    counts = {name: parameters(build(sizes, source=6000, target=6000, joint=True)) for name, sizes in FAMILIES.items()}
    assert 9e6 < counts["attention"] < 11.2e6
    assert 7e6 < counts["transformer"] < 7.2e6


def test_a_table_has_columns_of_varying_settings_and_a_note_of_the_others() -> None:
    rows = [
        {"work": "train", "threads": threads, "length": 15, "tokens_per_second": 1234.5 * threads} for threads in (1, 2)
    ]
    text = report.text(table(rows))
    assert text.split("\n")[0].split() == ["threads", "target", "tokens/s"]
    assert "2,469" in text
    assert "work train, length 15" in text
