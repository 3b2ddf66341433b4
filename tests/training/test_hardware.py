from __future__ import annotations

import pytest
import torch

from nmt.faults import InputFault
from nmt.training import hardware


def offer(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(("cuda", "mps", "name"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_auto_takes_the_first_accelerator_there_is(monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, name: str) -> None:
    offer(monkeypatch, cuda=cuda, mps=mps)
    assert hardware.device("auto").type == name
    assert hardware.device("cpu").type == "cpu"


def test_a_device_that_is_not_there_is_an_error_that_names_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, cuda=False, mps=True)
    with pytest.raises(InputFault, match=r"training\.device: cuda is not there; expected one of mps, cpu, or auto"):
        hardware.device("cuda")


def test_the_description_of_a_machine_does_not_name_it() -> None:
    assert hardware.describe().keys() <= {"system", "architecture", "cores", "bf16", "gpu"}
