#!/usr/bin/env bash
# Installs a clean clone and runs its tests: with the versions of constraints.txt (pinned), or with the newest release of
# everything but torch (newest).
#
#   tools/checks/newest.sh [pinned|newest] [TESTS...]
#
# PYTHON is the interpreter, by default python3.11. TESTS are arguments of pytest, by default all tests. Output goes to stderr.
set -euo pipefail
which=${1:-newest}
shift || true
root=$(cd "$(dirname "$0")/../.." && pwd)
clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
git clone --quiet "$root" "$clone"
cd "$clone"
case $which in
    pinned) constraints=constraints.txt ;;
    newest) constraints=torch.txt; grep '^torch==' constraints.txt > "$constraints" ;;
    *) echo "newest.sh: expected pinned or newest, found $which" >&2; exit 2 ;;
esac
"${PYTHON:-python3.11}" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint "$constraints" --editable '.[dev]' >&2
.venv/bin/python -m pip freeze --exclude-editable >&2
env -u PYTHONPATH .venv/bin/python -m pytest "$@" >&2
