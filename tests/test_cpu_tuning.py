from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nmt import cpu_tuning

HELD = """
from nmt.cpu_tuning import keep_freed_memory

def held():
    block = b"x" * (64 << 20)
    del block
    return next(int(line.split()[1]) >> 10 for line in open("/proc/self/status") if line.startswith("VmRSS"))

before = held()
keep_freed_memory()
print(held() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone is told anything")
def test_a_large_block_that_is_freed_stays_with_the_process() -> None:
    found = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    assert 60 <= int(found.stdout) <= 70, "MiB more than without"


@pytest.mark.parametrize(("before", "after"), [(None, "64"), ("1024", "1024")])
def test_few_kernels_are_kept_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    name = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
    monkeypatch.setenv(name, before or "")
    if before is None:
        monkeypatch.delenv(name)
    cpu_tuning.keep_few_kernels()
    assert os.environ[name] == after
