"""What every model family promises, stated once. A new family or attention is one line in `CASES`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import nmt.models.inference.recurrent
from nmt.models import attention, weights
from nmt.models.device import autocast
from nmt.models.encoders import RecurrentEncoder
from nmt.models.inference.frozen import rounded
from nmt.models.inference.recurrent import FrozenRecurrentModel
from nmt.models.protocol import Memory, State, TranslationModel, repeat, select, size_in_bytes
from nmt.models.recurrent import RecurrentModel
from nmt.models.registry import build

SIZE = 17
LENGTHS = [5, 9, 1, 7]
CHANCE = torch.Generator().manual_seed(0)
SOURCE = torch.randint(SIZE, (len(LENGTHS), max(LENGTHS)), generator=CHANCE)
MASK = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)
TARGET = torch.randint(SIZE - 2, (len(LENGTHS), 6), generator=CHANCE)
CPU = torch.device("cpu")
CLOSE = 1e-5
"""Logits are of size 1, and the same fp32 sums in two orders differ by some 1e-7 a layer."""


def recurrent(**changes: Any) -> dict[str, Any]:
    stack = {"layers": 1, "residual": False}
    base = {
        "family": "recurrent",
        "cell": "lstm",
        "attention": "bahdanau",
        "embedding": 6,
        "attention_size": 5,
        "bottleneck": None,
        "forget_bias": 1.0,
    }
    halves = {"encoder": {**stack, "hidden": 4, "direction": "both"}, "decoder": {**stack, "hidden": 8}}
    return {
        **base,
        **halves,
        "dropout": 0.0,
        "tied": False,
        "source": SIZE,
        "target": SIZE - 2,
        "joint": False,
        **changes,
    }


def transformer(**changes: Any) -> dict[str, Any]:
    base = {
        "family": "transformer",
        "width": 8,
        "heads": 2,
        "feed_forward": 12,
        "encoder": {"layers": 2},
        "decoder": {"layers": 2},
    }
    return {
        **base,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "tied": False,
        "source": SIZE,
        "target": SIZE - 2,
        "joint": False,
        **changes,
    }


STACK = {
    "encoder": {"layers": 2, "hidden": 4, "direction": "both", "residual": True},
    "decoder": {"layers": 2, "hidden": 8, "residual": True},
}
FORWARDS = {"encoder": {"layers": 2, "hidden": 8, "direction": "forward", "residual": False}}
BACKWARDS = {"encoder": {"layers": 2, "hidden": 8, "direction": "backward", "residual": False}}
BAG = {"encoder": {"layers": 1, "hidden": 4, "direction": "none", "residual": False}}
JOINT = {"joint": True, "target": SIZE}

THOUGHT_VECTORS = {
    "none": recurrent(attention="none", thought_vector="initial_state"),
    "none, stacked": recurrent(attention="none", thought_vector="initial_state", **STACK),
    "none, slot": recurrent(attention="none", thought_vector="initial_state", bottleneck=3),
    "fixed": recurrent(attention="none"),
    "fixed, stacked": recurrent(attention="none", **STACK),
    "fixed, slot": recurrent(attention="none", bottleneck=3, tied=True),
    "fixed, forwards": recurrent(attention="none", **FORWARDS),
    "fixed, backwards": recurrent(attention="none", **BACKWARDS),
    "fixed, bag of words": recurrent(attention="none", **BAG),
}
ATTENTIONS = {
    "bahdanau": recurrent(),
    "bahdanau, tanh": recurrent(cell="tanh"),
    "bahdanau, gru": recurrent(cell="gru"),
    "bahdanau, stacked": recurrent(**STACK),
    "bahdanau, stacked gru": recurrent(cell="gru", **STACK),
    "bahdanau, forwards": recurrent(**FORWARDS),
    "bahdanau, backwards": recurrent(**BACKWARDS),
    "bahdanau, bag of words": recurrent(**BAG),
    "bahdanau, tied": recurrent(tied=True),
    "bahdanau, tied and joint": recurrent(tied=True, **JOINT),
    "dot": recurrent(attention="dot"),
    "dot, stacked": recurrent(attention="dot", **STACK),
}
TRANSFORMERS = {
    "transformer": transformer(),
    "transformer, tied": transformer(tied=True),
    "transformer, joint": transformer(**JOINT),
    "transformer, tied and joint": transformer(tied=True, **JOINT),
}
CASES = {**THOUGHT_VECTORS, **ATTENTIONS, **TRANSFORMERS}


def build_case(case: dict[str, Any]) -> TranslationModel:
    sizes = {key: value for key, value in case.items() if key not in ("source", "target", "joint")}
    return build(sizes, source=case["source"], target=case["target"], joint=case["joint"])


def fresh(case: str, seed: int = 0) -> TranslationModel:
    """A model of the case, its biases not 0, so that a forgotten one is seen."""
    torch.manual_seed(seed)
    model = build_case(CASES[case]).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(case: str) -> TranslationModel:
    return fresh(case)


def advanced(model: TranslationModel, memory: Memory) -> State:
    """The state after a few steps."""
    state = model.initial_state(memory)
    for previous in TARGET[:, :3].unbind(1):
        state = model.step(previous, state, memory).state
    return state


def leaves(tree: Any) -> list[Tensor]:
    return [tree] if isinstance(tree, Tensor) else [leaf for part in tree for leaf in leaves(part)]


def assert_same(found: Any, expected: Any, tolerance: float = 0.0) -> None:
    for one, other in zip(leaves(found), leaves(expected), strict=True):
        torch.testing.assert_close(one, other, atol=tolerance, rtol=0.0)


@torch.no_grad()
def test_decoding_step_by_step_equals_the_whole_pass(model: TranslationModel) -> None:
    memory = model.encode(SOURCE, MASK)
    assert_same(model.decode(TARGET, memory), TranslationModel.decode(model, TARGET, memory), CLOSE)


@torch.no_grad()
def test_a_sentence_alone_equals_itself_in_a_padded_batch(model: TranslationModel) -> None:
    memory, logits = model.encode(SOURCE, MASK), model(SOURCE, MASK, TARGET)
    for row, length in enumerate(LENGTHS):
        alone = slice(row, row + 1), slice(length)
        own = model.encode(SOURCE[alone], MASK[alone])
        assert_same(memory.slots[row][memory.mask[row]], own.slots[0], CLOSE)
        assert_same(logits[row], model.decode(TARGET[row : row + 1], own)[0], CLOSE)


@torch.no_grad()
def test_what_stands_in_the_padding_changes_nothing(model: TranslationModel) -> None:
    other = torch.where(MASK, SOURCE, (SOURCE + 1) % SIZE)
    memory, changed = model.encode(SOURCE, MASK), model.encode(other, MASK)
    assert_same(memory.slots[memory.mask], changed.slots[memory.mask])
    assert_same(model.decode(TARGET, memory), model.decode(TARGET, changed))


@torch.no_grad()
def test_more_padding_changes_nothing(model: TranslationModel) -> None:
    wider = torch.cat([SOURCE, SOURCE], 1), torch.cat([MASK, torch.zeros_like(MASK)], 1)
    assert_same(model(*wider, TARGET), model(SOURCE, MASK, TARGET), CLOSE)


@torch.no_grad()
def test_logits_do_not_depend_on_later_target_tokens(model: TranslationModel) -> None:
    other = torch.cat([TARGET[:, :3], (TARGET[:, 3:] + 1) % (SIZE - 2)], 1)
    whole, changed = model(SOURCE, MASK, TARGET), model(SOURCE, MASK, other)
    assert_same(changed[:, :3], whole[:, :3])
    assert not torch.equal(changed[:, 3:], whole[:, 3:])


@torch.no_grad()
def test_weights_are_0_at_padding_and_sum_to_1_if_anything_is_read(case: str, model: TranslationModel) -> None:
    memory = model.encode(SOURCE, MASK)
    attended = model.step(TARGET[:, 3], advanced(model, memory), memory).weights
    assert attended.shape == memory.mask.shape
    assert (attended[~memory.mask] == 0).all()
    assert_same(attended.sum(1), torch.full((len(LENGTHS),), 0.0 if case.startswith("none") else 1.0), CLOSE)


@torch.no_grad()
def test_select_commutes_with_step(model: TranslationModel) -> None:
    rows = torch.tensor([2, 0, 0])
    memory = model.encode(SOURCE, MASK)
    state = advanced(model, memory)
    before = model.step(TARGET[rows, 3], select(state, rows), select(memory, rows))
    assert_same(before, select(model.step(TARGET[:, 3], state, memory), rows), CLOSE)


@torch.no_grad()
def test_repeat_commutes_with_step(model: TranslationModel) -> None:
    memory = model.encode(SOURCE, MASK)
    state = advanced(model, memory)
    before = model.step(TARGET[:, 3].repeat_interleave(3), repeat(state, 3), repeat(memory, 3))
    assert_same(before, repeat(model.step(TARGET[:, 3], state, memory), 3), CLOSE)
    shared = model.step(TARGET[:, 3].repeat_interleave(3), repeat(state, 3), memory)
    assert_same(shared, before, CLOSE)


@torch.no_grad()
def test_inference_equals_the_model(model: TranslationModel) -> None:
    frozen = model.for_inference(CPU, "fp32")
    for length in (9, 5):  # more slots than a slot of these models has units, and fewer
        source, mask = SOURCE[:, :length], MASK[:, :length]
        memory, fast = model.encode(source, mask), frozen.encode(source, mask)
        state, found = model.initial_state(memory), frozen.initial_state(fast)
        assert_same(found, state)
        for previous in TARGET.unbind(1):
            step, other = model.step(previous, state, memory), frozen.step(previous, found, fast)
            assert_same(other, step, CLOSE)
            state, found = step.state, other.state


@torch.no_grad()
def test_the_beams_of_inference_share_memory(model: TranslationModel) -> None:
    frozen = model.for_inference(CPU, "fp32")
    for length in (9, 5):
        memory = frozen.encode(SOURCE[:, :length], MASK[:, :length])
        state, previous = repeat(frozen.initial_state(memory), 3), torch.arange(3 * len(LENGTHS)) % (SIZE - 2)
        for _ in range(3):
            shared = frozen.step(previous, state, memory)
            assert_same(shared, frozen.step(previous, state, repeat(memory, 3)), CLOSE)
            state = shared.state


@torch.no_grad()
def test_inference_leaves_the_model_as_it_was(case: str) -> None:
    model, untouched = fresh(case), fresh(case)
    model.for_inference(CPU, "bf16")
    assert model.state_dict().keys() == untouched.state_dict().keys()
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert_same(list(model.parameters()), list(untouched.parameters()))


@torch.no_grad()
def test_inference_keeps_a_table_of_projected_embeddings_that_is_not_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    model = fresh("bahdanau")
    assert isinstance(model, RecurrentModel)
    table = FrozenRecurrentModel(model, CPU, "fp32").table
    assert table is not None
    assert table.shape == (SIZE - 2, 4 * 8)
    monkeypatch.setattr(nmt.models.inference.recurrent, "LARGEST_TABLE", (SIZE - 2) * 4 * 8 - 1)
    assert FrozenRecurrentModel(model, CPU, "fp32").table is None


@pytest.mark.parametrize(
    ("case", "width"), [("bahdanau", 32 + 6), ("bahdanau, stacked gru", 2 * 24 + 6), ("fixed", 32 + 6), ("none", None)]
)
@torch.no_grad()
def test_inference_multiplies_the_slots_once_by_the_decoders_weights(case: str, width: int | None) -> None:
    memory = fresh(case).for_inference(CPU, "fp32").encode(SOURCE[:, :5], MASK[:, :5])
    assert [part.shape[-1] for part in memory.projected] == ([width] if width else [])


@torch.no_grad()
def test_the_batch_is_axis_0_of_every_tensor_in_memory_and_state(model: TranslationModel) -> None:
    memory = model.encode(SOURCE, MASK)
    step = model.step(TARGET[:, 3], advanced(model, memory), memory)
    assert {len(leaf) for leaf in leaves((memory, model.initial_state(memory), step))} == {len(LENGTHS)}


def test_every_parameter_gets_a_gradient(model: TranslationModel) -> None:
    model.train()(SOURCE, MASK, TARGET).square().sum().backward()
    without = [
        name for name, parameter in model.named_parameters() if parameter.grad is None or not parameter.grad.any()
    ]
    assert without == []


@torch.no_grad()
def test_modules_keep_nothing_between_calls(model: TranslationModel) -> None:
    memories = model.encode(SOURCE, MASK), model.encode(SOURCE.flip(0), MASK)
    states = [model.initial_state(memory) for memory in memories]
    for previous in TARGET.unbind(1):
        interleaved = [model.step(previous, state, memory) for state, memory in zip(states, memories, strict=True)]
        states = [step.state for step in interleaved]
    for step, memory in zip(interleaved, memories, strict=True):
        assert_same(step.logits, TranslationModel.decode(model, TARGET, memory)[:, -1])


@torch.no_grad()
def test_a_step_leaves_the_state_it_was_given_alone(model: TranslationModel) -> None:
    memory = model.encode(SOURCE, MASK)
    state = advanced(model, memory)
    copies = [leaf.clone() for leaf in leaves((state, memory))]
    model.step(TARGET[:, 3], state, memory)
    assert_same((state, memory), copies)


def test_works_under_bf16_autocast(model: TranslationModel) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        memory = model.encode(SOURCE, MASK)
        logits = model.decode(TARGET, memory)
        step = model.step(TARGET[:, 3], advanced(model, memory), memory)
    logits.float().square().sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    assert step.logits.isfinite().all()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in model.parameters())
    total = step.weights.float().sum(1)
    assert_same(total, total.round(), 2**-6)  # bf16 keeps 8 bits of each weight
    exact = model(SOURCE, MASK, TARGET)
    assert (logits - exact).abs().mean() < 0.1 * exact.abs().mean()


@torch.no_grad()
def test_saved_weights_come_back(case: str, model: TranslationModel, tmp_path: Path) -> None:
    other = fresh(case, seed=1)
    assert not torch.equal(other(SOURCE, MASK, TARGET), model(SOURCE, MASK, TARGET))
    (tmp_path / "weights").write_bytes(weights.packed(model))
    weights.load(other, tmp_path / "weights")
    assert_same(other(SOURCE, MASK, TARGET), model(SOURCE, MASK, TARGET))


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("fixed", "attention.key.bias, attention.key.weight, attention.query.weight on one side only"),
        ("bahdanau, gru", r"is \(12, 6\), expected \(16, 6\)"),
    ],
)
def test_weights_of_another_model_are_refused_and_nothing_is_changed(case: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(weights.packed(fresh(case)))
    model = fresh("bahdanau")
    before = [parameter.detach().clone() for parameter in model.parameters()]
    with pytest.raises(ValueError, match=message):
        weights.load(model, tmp_path / "weights")
    assert_same(list(model.parameters()), before)


@pytest.mark.parametrize("case", THOUGHT_VECTORS)
@torch.no_grad()
def test_the_thought_vector_is_one_slot_of_the_same_size_for_any_length(case: str) -> None:
    model = fresh(case)
    memories = [
        model.encode(torch.ones(1, length, dtype=torch.long), torch.ones(1, length, dtype=torch.bool))
        for length in (3, 30, 300)
    ]
    assert {tuple(memory.slots.shape) for memory in memories} == {(1, 1, CASES[case]["bottleneck"] or 8)}
    assert len({size_in_bytes(memory) for memory in memories}) == 1


@pytest.mark.parametrize("case", [case for case in (*THOUGHT_VECTORS, *ATTENTIONS) if "bag" not in case])
@torch.no_grad()
def test_only_attention_sees_more_of_the_encoder_than_its_final_states(case: str) -> None:
    model = fresh(case)
    before = model(SOURCE, MASK, TARGET)
    drown(model)
    after = model(SOURCE, MASK, TARGET)
    long = torch.tensor(LENGTHS) > 2  # a shorter sentence has no other states
    assert_same(after[~long], before[~long], CLOSE)
    assert torch.equal(after[long], before[long]) == (case in THOUGHT_VECTORS)


def drown(model: TranslationModel) -> None:
    """Replaces all that the encoder puts out by noise, except where a direction has read everything."""
    assert isinstance(model, RecurrentModel)
    assert isinstance(model.encoder, RecurrentEncoder)
    rows, last = torch.arange(len(MASK)), MASK.sum(1) - 1
    half = model.encoder.hidden if model.encoder.forwards else 0

    def noise(module: nn.Module, inputs: Any, states: Tensor) -> Tensor:
        noisy = torch.randn_like(states)
        noisy[rows, last, :half] = states[rows, last, :half]
        noisy[:, 0, half:] = states[:, 0, half:]
        return noisy

    model.encoder.register_forward_hook(noise)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            recurrent(family="convolutional"),
            "model.family: expected one of recurrent, transformer, found 'convolutional'",
        ),
        (recurrent(cell="elman"), "model.cell: expected one of tanh, gru, lstm, found 'elman'"),
        (
            recurrent(attention="concat"),
            f"model.attention: expected one of {', '.join(attention.ATTENTIONS)}, none, found 'concat'",
        ),
        (
            recurrent(encoder={**FORWARDS["encoder"], "direction": "left"}),
            "model.encoder.direction: expected one of both, forward, backward, none",
        ),
        (recurrent(bottleneck=4), "model.bottleneck: attention bahdanau keeps a slot for every source token"),
        (transformer(heads=3), "model.heads: expected a divisor of model.width .8"),
        (transformer(dropout=1.0), "model.dropout: expected a probability of at least 0 and below 1, found 1.0"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_case(sizes)


@pytest.mark.parametrize("case", CASES)
def test_weights_rounded_once_step_as_weights_rounded_in_every_step(case: str) -> None:
    model = fresh(case)
    found = []
    with torch.inference_mode(), autocast(CPU, "bf16"):
        for each in (model, rounded(model)):
            memory = each.encode(SOURCE, MASK)
            state = each.initial_state(memory)
            for previous in TARGET.unbind(1):
                logits, state, _ = each.step(previous, state, memory)
            found.append(logits.float())
    assert torch.equal(*found)
    assert not torch.equal(found[0], model(SOURCE, MASK, TARGET)[:, -1]), "nothing was rounded"


@torch.inference_mode()
def test_inference_in_bf16_multiplies_in_bf16_and_stays_close(model: TranslationModel) -> None:
    exact = model.decode(TARGET, model.encode(SOURCE, MASK))
    frozen = model.for_inference(CPU, "bf16")
    memory = frozen.encode(SOURCE, MASK)
    state, logits = frozen.initial_state(memory), list[Tensor]()
    for previous in TARGET.unbind(1):
        step = frozen.step(previous, state, memory)
        state, logits = step.state, [*logits, step.logits]
    assert {each.dtype for each in logits} == {torch.bfloat16}
    assert (torch.stack(logits, 1) - exact).abs().mean() < 0.1 * exact.abs().mean()
