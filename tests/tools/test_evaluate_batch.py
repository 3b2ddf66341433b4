from __future__ import annotations

from types import ModuleType


def test_the_tool_is_the_command_with_another_name_for_runs(tool: ModuleType) -> None:
    given = ["batch.yaml", "--runs", "runs/*", "--runs=runs/a", "--test", "news=a.de,a.en"]
    expected = ["evaluate", "--batch", "batch.yaml", "runs/*", "runs/a", "--test", "news=a.de,a.en"]
    assert tool.arguments(given) == expected
