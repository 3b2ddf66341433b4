"""The layers of the package: a file imports only from places above it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "nmt").rglob("*.py"))

FOUNDATION = {"errors", "printable", "unfinished", "atomic", "cpu_tuning", "provenance"}
MAY_IMPORT = {
    "__init__": {"runs", "inference"},
    "errors": set[str](),
    "printable": set[str](),
    "cpu_tuning": set[str](),
    "unfinished": set[str](),
    "atomic": {"errors", "printable", "unfinished"},
    "provenance": {"atomic", "errors", "models.device"},
    "text": FOUNDATION,
    "recipe": FOUNDATION,
    "data": {"text", *FOUNDATION},
    "models": {"errors"},
    "search": {"models.protocol"},
    "runs": {"text", "data", "models", "search", "recipe", "evaluation", *FOUNDATION},
    "inference": {"text", "data", "models", "search", "runs", *FOUNDATION},
    "documents": {"inference", *FOUNDATION},
    "training": {"text", "data", "models", "search", "recipe", "runs", "inference", "evaluation", *FOUNDATION},
    "evaluation": {"text", "data", "recipe.document", "search", "runs", "inference", *FOUNDATION},
    "export": {"data", "models", "search", "runs", "inference", "evaluation", "training", *FOUNDATION},
    "interpret": {"data", "models", "search", "runs", "inference", *FOUNDATION},
    "serving": {"text", "documents", "data", "recipe", "search", "runs", "inference", "interpret", *FOUNDATION},
    "corpus_checks": {"text", "data", "evaluation", *FOUNDATION},
}
"""The places of the package from top to bottom."""
OUTERMOST = {"cli", "__main__", "lab"}
MODELS = (
    "protocol",
    "device",
    "dropout",
    "embeddings",
    "cells",
    "encoders",
    "attention",
    "attentions",
    "fused_attention",
    "recurrent",
    "transformer",
    "inference",
    "weights",
    "registry",
)
"""The files of `nmt/models/`, each of which imports only from those before it."""


def name_of(file: Path) -> str:
    """`models.cells`, without the package's own name; a package is named by its folder."""
    parts = file.relative_to(ROOT / "nmt").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


NAMES = {name_of(file) for file in FILES}


def imports(file: Path) -> Iterator[str]:
    """What a file imports of the package, also inside functions, as the names of files."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found = [f"{node.module}.{alias.name}" for alias in node.names]
            assert node.level == 0, f"{name_of(file)} imports relatively"
        else:
            continue
        for name in found:
            if name.split(".")[0] == "nmt":
                yield _file(name)


def _file(name: str) -> str:
    """The file of an imported name: `models.cells` for `nmt.models.cells.Cell`, the package itself for `nmt.load`."""
    parts = name.split(".")[1:]
    return next(
        (".".join(parts[:end]) for end in range(len(parts), 0, -1) if ".".join(parts[:end]) in NAMES), "__init__"
    )


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_imports_only_from_places_above_it(file: Path) -> None:
    place = name_of(file).split(".")[0]
    found = {name for name in imports(file) if name.split(".")[0] != place}
    if place in OUTERMOST:
        return
    if place not in MAY_IMPORT:
        assert not {name for name in found if name.split(".")[0] in OUTERMOST}
    else:
        allowed = MAY_IMPORT[place]
        assert {name for name in found if not {name, name.split(".")[0]} & allowed} == set()


def test_a_model_file_imports_only_from_those_before_it() -> None:
    for file in sorted((ROOT / "nmt" / "models").glob("[!_]*.py")):
        before = MODELS[: MODELS.index(file.stem)]
        found = {name.split(".")[1] for name in imports(file) if name.startswith("models.")}
        assert found <= set(before), file.stem


def test_no_file_imports_another_that_imports_it() -> None:
    TopologicalSorter({name_of(file): set(imports(file)) - {"__init__"} for file in FILES}).prepare()


def test_only_commands_import_the_laboratory_and_only_when_they_run() -> None:
    """Outside `nmt/lab/`, an import of it stands in a function of `nmt/cli/`, or is for types alone."""
    for file in FILES:
        place = name_of(file).split(".")[0]
        if place in ("lab", "cli"):
            continue
        assert not {name for name in imports(file) if name.split(".")[0] == "lab"}, name_of(file)
    asked = "import sys, nmt.cli.app; print(*(name for name in sys.modules if name.startswith('nmt.lab')))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_packages_are_empty_but_for_the_outermost() -> None:
    written = [name_of(file) for file in FILES if file.name == "__init__.py" and file.stat().st_size]
    assert written == ["__init__"]


@pytest.mark.parametrize("module", ["nmt", "nmt.cli.app", "nmt.recipe.reading", "nmt.runs.run_folder"])
def test_what_a_command_starts_with_imports_neither_torch_nor_datasets(module: str) -> None:
    if _file(module) not in NAMES:
        pytest.skip(f"there is no {module}")
    heavy = "{'torch', 'datasets', 'sentencepiece', 'pyarrow'}"
    asked = f"import sys, {module}; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


FORBIDDEN = {"pickle", "marshal", "shelve", "dill", "yaml"}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_nothing_that_is_read_can_run(file: Path) -> None:
    """Neither are objects unpickled, nor is text evaluated; what torch loads is weights only."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not FORBIDDEN & {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("eval", "exec", "compile", "os.system"), f"{name_of(file)}:{node.lineno}"
            if called == "torch.load":
                assert any(
                    keyword.arg == "weights_only" and ast.unparse(keyword.value) == "True" for keyword in node.keywords
                )
