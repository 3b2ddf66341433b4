from __future__ import annotations

import pytest
import torch

from nmt.models import precision

CPU = torch.device("cpu")


@pytest.mark.parametrize("bf16", [True, False])
def test_auto_takes_bf16_only_where_the_hardware_computes_in_it(monkeypatch: pytest.MonkeyPatch, bf16: bool) -> None:
    monkeypatch.setattr(precision, "computes_bf16", lambda device: bf16)
    assert precision.resolved("auto", CPU) == ("bf16" if bf16 else "fp32")
    assert (precision.resolved("fp32", CPU), precision.resolved("bf16", CPU)) == ("fp32", "bf16")


def test_mps_is_not_taken_to_compute_in_bf16() -> None:
    assert not precision.computes_bf16(torch.device("mps"))


@pytest.mark.parametrize(("wanted", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_in_the_precision_that_is_named(wanted: str, dtype: torch.dtype) -> None:
    with precision.autocast(CPU, wanted):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
