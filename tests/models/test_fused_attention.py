from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from nmt.models import fused_attention, recurrent
from nmt.models.protocol import Memory, TranslationModel
from nmt.models.registry import build

LENGTHS = torch.tensor([7, 3, 5, 1, 6])
MASK = torch.arange(7) < LENGTHS[:, None]
CHANCE = torch.Generator().manual_seed(1)
SOURCE, TARGET = torch.randint(4, 40, (5, 7), generator=CHANCE), torch.randint(4, 40, (5, 6), generator=CHANCE)


def model_of(layers: int) -> TranslationModel:
    torch.manual_seed(0)
    encoder = {"layers": 1, "hidden": 8, "direction": "both", "residual": False}
    decoder = {"layers": layers, "hidden": 16, "residual": False}
    sizes = {
        "embedding": 12,
        "attention_size": 9,
        "bottleneck": None,
        "encoder": encoder,
        "decoder": decoder,
        "forget_bias": 1.0,
        "dropout": 0.0,
    }
    return build(
        {"family": "recurrent", "cell": "lstm", "attention": "bahdanau", "tied": False, **sizes},
        source=40,
        target=40,
        joint=True,
    )


def gradients(model: TranslationModel, *, by_hand: bool) -> dict[str, Tensor]:
    """Of a loss that weighs every logit differently, with respect to all parameters and to the slots of memory."""
    memory = model.encode(SOURCE, MASK)
    memory.slots.retain_grad()
    logits = model.decode(TARGET, memory) if by_hand else TranslationModel.decode(model, TARGET, memory)
    model.zero_grad()
    weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(2))
    (logits * weights).sum().backward()  # type: ignore[no-untyped-call]  # torch's
    assert memory.slots.grad is not None
    found = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    return {
        **{name: each.clone() for name, each in found.items()},
        "slots": memory.slots.grad,
        "logits": logits.detach(),
    }


@pytest.mark.parametrize("layers", [1, 2])
def test_logits_and_all_gradients_equal_those_of_the_unrolled_definition(layers: int) -> None:
    model = model_of(layers)
    hand, unrolled = gradients(model, by_hand=True), gradients(model, by_hand=False)
    assert hand.keys() == unrolled.keys()
    for name, expected in unrolled.items():
        # gradients here are of size 1 to 20, and sums of some hundred products in fp32
        torch.testing.assert_close(hand[name], expected, atol=2e-5, rtol=1e-5)


def test_the_default_model_takes_this_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def attend_target(*given: Tensor, **weights: Tensor) -> tuple[Tensor, Tensor]:
        calls.append(len(given))
        return fused_attention.attend_target(*given, **weights)

    monkeypatch.setattr(recurrent, "fused_attention", SimpleNamespace(attend_target=attend_target))
    model_of(1)(SOURCE, MASK, TARGET)
    assert len(calls) == 1


def test_what_is_masked_gets_no_gradient() -> None:
    model = model_of(1)
    memory = model.encode(SOURCE, MASK)
    slots, keys = (part.detach().requires_grad_() for part in (memory.slots, memory.keys[0]))
    state = model.initial_state(memory).detach()
    own = Memory(slots, MASK, (keys,))
    assert isinstance(model, recurrent.RecurrentModel)
    outputs, contexts = model._attend(model.embed_target(TARGET), state[:, 0], own)
    (outputs.sum() + contexts.square().sum()).backward()  # type: ignore[no-untyped-call]  # torch's
    for part in (slots, keys):
        assert part.grad is not None
        assert part.grad[~MASK].abs().max() == 0
        assert part.grad[0].abs().min() > 0, "the longest sentence has no padding"
