from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nmt.training import objective as losses
from nmt.training.objective import cross_entropy

BATCH, TARGET, VOCABULARY = 4, 6, 11
IGNORED = -100


def example() -> tuple[Tensor, Tensor, Tensor]:
    """Logits, expected ids and mask; the last row of the mask is all padding."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(BATCH, TARGET, VOCABULARY, generator=generator)
    expected = torch.randint(VOCABULARY, (BATCH, TARGET), generator=generator)
    return logits.requires_grad_(), expected, torch.arange(TARGET) < torch.tensor([[6], [3], [1], [0]])


def reference(logits: Tensor, expected: Tensor, mask: Tensor, smoothing: float) -> Tensor:
    ignoring = expected.masked_fill(~mask, IGNORED)
    return functional.cross_entropy(
        logits.flatten(0, 1), ignoring.flatten(), label_smoothing=smoothing, ignore_index=IGNORED, reduction="sum"
    )


def gradient(objective: Tensor, logits: Tensor) -> Tensor:
    return torch.autograd.grad(objective, logits)[0]


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_value_and_gradient_equal_torchs(smoothing: float) -> None:
    logits, expected, mask = example()
    loss, correct = cross_entropy(logits, expected, mask, smoothing), reference(logits, expected, mask, smoothing)
    torch.testing.assert_close(loss.loss, correct)
    torch.testing.assert_close(loss.nll, reference(logits, expected, mask, 0.0))
    assert loss.tokens == 10
    torch.testing.assert_close(gradient(loss.loss / 7, logits), gradient(correct / 7, logits))


def test_the_gradient_is_that_of_the_objective_in_double_precision() -> None:
    """Against central differences of torch's loss in float64; in float32 a gradient of size 1 is exact to 1e-7."""
    logits, expected, mask = example()
    found = gradient(cross_entropy(logits, expected, mask, 0.1).loss, logits)
    exact, step = logits.detach().double(), 1e-4
    for place in ((0, 0, 0), (1, 2, 5), (2, 0, 10)):
        shift = torch.zeros_like(exact)
        shift[place] = step
        slope = (reference(exact + shift, expected, mask, 0.1) - reference(exact - shift, expected, mask, 0.1)) / (
            2 * step
        )
        assert abs(float(found[place]) - float(slope)) < 1e-6


@pytest.mark.parametrize("rows", [1, 5, 24])
def test_the_size_of_chunks_changes_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    logits, expected, mask = example()
    whole = cross_entropy(logits, expected, mask, 0.1)
    monkeypatch.setitem(losses.CHUNK_BYTES, "cpu", rows * VOCABULARY * 4)
    parts = cross_entropy(logits, expected, mask, 0.1)
    torch.testing.assert_close(parts.loss, whole.loss)
    torch.testing.assert_close(parts.nll, whole.nll)
    assert torch.equal(gradient(parts.loss, logits), gradient(whole.loss, logits))


def test_padding_contributes_nothing() -> None:
    logits, expected, mask = example()
    loss = cross_entropy(logits, expected, mask, 0.1)
    other = torch.where(mask.unsqueeze(-1), logits, torch.full_like(logits, 1e4))
    changed = cross_entropy(other, torch.where(mask, expected, 0), mask, 0.1)
    assert torch.equal(changed.loss, loss.loss)
    assert torch.equal(changed.nll, loss.nll)
    assert not gradient(loss.loss, logits)[~mask].any()


def test_bf16_logits_lose_no_more_than_their_own_rounding() -> None:
    logits, expected, mask = example()
    rounded = logits.detach().bfloat16().requires_grad_()
    loss, exact = cross_entropy(rounded, expected, mask, 0.1), rounded.detach().float().requires_grad_()
    correct = reference(exact, expected, mask, 0.1)
    assert loss.loss.dtype == torch.float32
    torch.testing.assert_close(loss.loss, correct)
    found = gradient(loss.loss / 3, rounded)
    assert found.dtype == torch.bfloat16
    # Three roundings to 8 bits: of the gradient, of the third it is multiplied by, of the product.
    torch.testing.assert_close(found.float(), gradient(correct / 3, exact), rtol=3.05 * 2**-9, atol=1e-6)


def test_the_parts_of_a_batch_add_up_to_the_whole() -> None:
    logits, expected, mask = example()
    whole = cross_entropy(logits, expected, mask, 0.1)
    parts = [cross_entropy(logits[[row]], expected[[row]], mask[[row]], 0.1) for row in range(BATCH)]
    torch.testing.assert_close(torch.stack([part.loss for part in parts]).sum(), whole.loss)
    assert sum(part.tokens for part in parts) == whole.tokens
    accumulated = sum(gradient(part.loss / whole.tokens, logits) for part in parts)
    torch.testing.assert_close(accumulated, gradient(whole.loss / whole.tokens, logits), atol=0.0, rtol=1e-6)


def test_large_logits_overflow_nothing() -> None:
    logits, expected, mask = example()
    loss = cross_entropy(logits * 1e4, expected, mask, 0.1)
    torch.testing.assert_close(loss.loss, reference(logits * 1e4, expected, mask, 0.1))
    assert gradient(loss.loss, logits).isfinite().all()


def test_a_second_backward_pass_is_an_error() -> None:
    """It is scaled where it lies, so a second pass would scale it twice."""
    logits, expected, mask = example()
    objective = cross_entropy(logits, expected, mask, 0.1).loss / 7
    torch.autograd.grad(objective, logits, retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(objective, logits)


def test_without_grad_no_gradient_is_computed() -> None:
    logits, expected, mask = example()
    with torch.no_grad():
        loss = cross_entropy(logits, expected, mask, 0.1)
    assert not loss.loss.requires_grad
    torch.testing.assert_close(loss.loss, reference(logits, expected, mask, 0.1).detach())
