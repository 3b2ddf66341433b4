from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from nmt.errors import UserError
from nmt.recipe.types import Training
from nmt.runs.metadata import Decisions
from nmt.runs.run_folder import Run
from nmt.training import planning
from nmt.training.planning import count_updates

if TYPE_CHECKING:
    from tests.training.conftest import Toy


@pytest.mark.parametrize(
    ("limits", "pace", "updates"),
    [
        ({"updates": 50}, None, 50),
        ({"epochs": 3}, None, 30),
        ({"epochs": 3, "accumulate": 4}, None, 8),
        ({"minutes": 2.0}, 20.5, 41),
        ({"minutes": 0.001}, 20.0, 1),
        ({"updates": 50, "epochs": 3, "minutes": 2.0}, 20.0, 30),
        ({"updates": 50, "epochs": 9, "minutes": 2.0}, 20.0, 40),
        ({"updates": 5, "epochs": 9, "minutes": 2.0}, 20.0, 5),
    ],
)
def test_the_number_of_updates_is_that_of_the_first_limit_reached(
    limits: dict[str, Any], pace: float | None, updates: int
) -> None:
    assert count_updates(Training(**limits), pace, batches_per_epoch=10) == updates


def decided(toy: Toy, folder: str, *overrides: str) -> Decisions:
    toy.train(folder, *overrides)
    return Run(Path(folder)).metadata.decided


def test_what_the_recipe_leaves_open_is_decided_and_recorded(toy: Toy) -> None:
    open_keys = ("training.validate_every=0", "training.device=auto", "training.threads=0")
    found = decided(toy, "run", *open_keys, "training.updates=12", "training.save_every=20")
    assert found.validate_every == 2
    assert found.device in ("cpu", "cuda", "mps")
    assert found.threads == torch.get_num_threads()
    assert found.parameters == sum(parameter.numel() for parameter in Run(Path("run")).fresh_model().parameters())


def test_a_plan_has_the_decisions_in_place_of_the_keys_of_the_recipe(toy: Toy) -> None:
    plan = planning.plan(toy.recipe(), Decisions(updates=77, validate_every=7, warmup=3, precision="bf16"))
    assert (plan.updates, plan.validate_every, plan.precision, plan.save_every, plan.learning_rate) == (
        77,
        7,
        "bf16",
        2,
        0.01,
    )
    assert plan.warmup == 3


def test_a_model_that_memory_cannot_hold_is_refused_before_anything_is_made(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy.train("run")
    count = Run(Path("run")).metadata.decided.parameters
    monkeypatch.setattr(planning, "memory", lambda: 16 * count)
    toy.train("just")
    monkeypatch.setattr(planning, "memory", lambda: 16 * count - 1)
    with pytest.raises(UserError, match=rf"model: {count:,} parameters take 0\.0 GiB in training, and this machine"):
        toy.train("over")
    assert not Path("over").exists()


def test_sizes_that_are_allowed_alone_and_too_large_together_are_refused_at_once(toy: Toy) -> None:
    """Four terabytes, of which nothing is allocated."""
    with pytest.raises(UserError, match=r"lower the sizes in model, or vocabulary\.size"):
        toy.train("run", "model.encoder.hidden=65536", "model.decoder.hidden=65536", "model.decoder.layers=4")
    assert [path.name for path in Path().iterdir() if path.is_dir()] == []


def test_a_line_that_is_far_too_long_is_left_out_and_training_goes_on(toy: Toy) -> None:
    """More pieces than the metadata of a run allow, in a line that is one word."""
    with Path("train.tsv").open("a") as file:
        file.write(f"{'ab' * 600_000}\t{'cd' * 600_000}\n")
    assert toy.train("run") == 0
    assert "left out 1 training pairs that are longer than training.batch_tokens, 128 tokens" in toy.logged
    assert Run(Path("run")).metadata.lengths.source.longest < 128


def test_text_of_which_no_pair_fits_a_batch_is_an_error(toy: Toy) -> None:
    with pytest.raises(UserError, match=r"training\.batch_tokens: all \d+ training pairs are longer than .* 2 tokens"):
        toy.train("run", "training.batch_tokens=2")
    Path("valid.tsv").write_text("Haus".join("x" * 128) + "\thouse\n", "utf8")
    with pytest.raises(UserError, match=r"training\.batch_tokens: all validation pairs are longer than that"):
        toy.train("run")
    assert not Path("run").exists()


def test_warm_up_takes_at_most_a_tenth_of_a_run(toy: Toy) -> None:
    assert decided(toy, "short", "training.updates=20", "training.warmup=8").warmup == 2
    assert decided(toy, "long", "training.updates=20", "training.warmup=1").warmup == 1


def test_minutes_become_updates_by_timing_which_is_logged(toy: Toy) -> None:
    """About a second on two updates of milliseconds: more than the two updates that would end it, so these do."""
    limits = ("training.minutes=0.02", "training.updates=2")
    found = decided(toy, "run", *limits)
    assert (found.updates_per_minute or 0) > 0
    assert (found.updates, toy.logged[3]) == (2, "training.minutes 0.02 comes to 2 updates on this machine")


def test_timing_updates_does_not_change_the_trained_weights(toy: Toy) -> None:
    toy.train("timed", "training.minutes=1000", "training.updates=2")
    toy.train("plain", "training.updates=2")
    assert Path("timed/model.safetensors").read_bytes() == Path("plain/model.safetensors").read_bytes()
