"""Seams of the package, counted: what one room may know of another."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from nmt.models.attention import ATTENTIONS
from nmt.models.registry import FAMILIES

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "nmt").rglob("*.py"))
TREES = {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text(encoding="utf8")) for file in FILES}
SETUP = (
    "nmt/recipe/",
    "nmt/cli/",
    "nmt/training/plan",
    "nmt/training/begin",
    "nmt/training/continuing",
    "nmt/training/finetuning",
    "nmt/training/loading",
    "nmt/runs/run_folder.py",
    "nmt/lab/studies/plan",
)
"""Places that may know the types of a recipe: reading, commands, the set-up of training, and the run that holds one."""
JSON = ("as_json", "read", "write", "append", "print_json")
"""Beginnings of the names of functions that take or return JSON objects."""


def places(*without: str) -> Iterator[tuple[str, ast.Module]]:
    """Every file but those in the given places."""
    return ((name, tree) for name, tree in TREES.items() if not name.startswith(without))


def public_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """Functions and methods that other files may call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__init__"):
            yield node


def test_no_file_outside_models_asks_what_kind_of_model_it_has() -> None:
    classes = {
        node.name
        for name, tree in TREES.items()
        if name.startswith("nmt/models/")
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = []
    for name, tree in places("nmt/models/"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
                kinds = {each.id for each in ast.walk(node.args[1]) if isinstance(each, ast.Name)}
                if kinds & classes:
                    found.append(f"{name}:{node.lineno}")
    assert found == []


def test_no_file_outside_models_and_recipes_compares_the_name_of_a_family_or_an_attention() -> None:
    names = {*FAMILIES, *ATTENTIONS} - {"none"}
    found = []
    for name, tree in places("nmt/models/", "nmt/recipe/", "nmt/lab/experiments/"):  # there they name conditions
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare):
                words = {
                    each.value
                    for each in ast.walk(node)
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
                if words & names:
                    found.append(f"{name}:{node.lineno}")
    assert found == []


def test_public_functions_name_their_parameters() -> None:
    found = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in places()
        for node in public_functions(tree)
        if node.args.kwarg is not None
    ]
    assert found == []


def test_public_functions_exchange_types_and_not_dictionaries_of_anything() -> None:
    found = []
    for name, tree in places():
        for node in public_functions(tree):
            if node.name.startswith(JSON):
                continue
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            annotations = [node.returns, *(argument.annotation for argument in arguments)]
            words = " ".join(ast.unparse(each) for each in annotations if each is not None)
            if "dict[str, Any]" in words or "Mapping[str, Any]" in words:
                found.append(f"{name}:{node.lineno} {node.name}")
    assert found == []


def test_types_of_a_recipe_stay_with_reading_commands_and_set_up() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in places(*SETUP)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "nmt.recipe.types"
    ]
    assert found == []


def test_one_loop_of_training_makes_optimizer_steps() -> None:
    found = {
        name
        for name, tree in places()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("optimizer.step", "clip_grad_norm_"))
    }
    assert found == {"nmt/training/step.py"}


def test_nothing_outside_the_laboratory_imports_it_but_commands_and_these_only_when_they_run() -> None:
    found = []
    for name, tree in places("nmt/lab/"):
        lazy = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for inner in ast.walk(node)}
        lazy |= {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in (each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            laboratory = any(module == "nmt.lab" or module.startswith("nmt.lab.") for module in modules)
            if laboratory and not (name.startswith("nmt/cli/") and id(node) in lazy):
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_no_room_but_runs_finds_the_files_of_a_strangers_run() -> None:
    """Elsewhere they are read by `run.files` and written where `run.to_write` says: a link leads nobody out."""
    found = [
        f"{name}:{node.lineno}"
        for name, tree in places("nmt/runs/", "nmt/training/", "nmt/lab/")  # which work on runs of their own
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp | ast.Call)
        and ast.unparse(node).startswith(("run.path / ", "opened.path / ", "run.path.joinpath(", "run.path.glob("))
    ]
    assert found == []
