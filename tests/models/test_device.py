from __future__ import annotations

import pytest
import torch

from nmt import provenance
from nmt.errors import UserError
from nmt.models import device
from nmt.models.device import find_device


def offer(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(("cuda", "mps", "name"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_auto_takes_the_first_accelerator_there_is(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, name: str
) -> None:
    offer(monkeypatch, cuda=cuda, mps=mps)
    assert find_device("auto").type == name
    assert find_device("cpu").type == "cpu"


def test_a_device_that_is_not_there_is_an_error_that_names_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, cuda=False, mps=True)
    with pytest.raises(
        UserError, match=r"device: cuda is not available on this machine; expected one of mps, cpu, or auto"
    ):
        find_device("cuda")


def test_the_description_of_a_machine_does_not_name_it() -> None:
    assert provenance.machine().keys() <= {"system", "architecture", "cores", "bf16", "gpu"}


CPU = torch.device("cpu")


@pytest.mark.parametrize("bf16", [True, False])
def test_auto_takes_bf16_only_where_the_hardware_computes_in_it(monkeypatch: pytest.MonkeyPatch, bf16: bool) -> None:
    monkeypatch.setattr(device, "computes_bf16", lambda _: bf16)
    assert device.resolve_precision("auto", CPU) == ("bf16" if bf16 else "fp32")
    assert (device.resolve_precision("fp32", CPU), device.resolve_precision("bf16", CPU)) == ("fp32", "bf16")


def test_mps_is_not_taken_to_compute_in_bf16() -> None:
    assert not device.computes_bf16(torch.device("mps"))


@pytest.mark.parametrize(("wanted", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_products_are_in_the_precision_that_is_named(wanted: str, dtype: torch.dtype) -> None:
    with device.autocast(CPU, wanted):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == dtype
