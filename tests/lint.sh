#!/usr/bin/env bash
# Checks the text of scripts and documents, without building anything.
#
#   tests/lint.sh [shell] [python] [text] [format]     without names: shell, python and text
#
#   shell   shellcheck on all shell scripts
#   python  ruff on all Python files, in the version of tests/lint.txt, with the rules of ruff.toml
#   text    tests/docs/prose.py: sentences of more than 25 words, lines of more than 100 columns
#   format  clang-format on all C++ files; not yet part of the checks without names
#
# ruff is installed once into ${DFINE_CACHE:-~/.cache/dfine}; set DFINE_RUFF to use another one.
# The package shellcheck is installed by launcher/setup.sh --tests.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0; fi

files() { git ls-files -z --cached --others --exclude-standard -- "$@"; }

ruff() {
  if [ -z "${DFINE_RUFF:-}" ]; then
    local home
    home=${DFINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dfine}
    home+=/lint-$(sha256sum tests/lint.txt | cut -c1-12)
    if [ ! -x "$home/bin/ruff" ]; then
      rm -rf "$home"
      python3 -m venv "$home"
      "$home/bin/python" -m pip install -q --disable-pip-version-check -r tests/lint.txt
    fi
    DFINE_RUFF=$home/bin/ruff
  fi
  "$DFINE_RUFF" "$@"
}

check() {
  case $1 in
    shell) files '*.sh' '*.sbatch' .ci/run | xargs -0 shellcheck ;;
    python) ruff check --no-cache --output-format concise . ;;
    text) python3 tests/docs/prose.py ;;
    format) files '*.cpp' '*.h' | xargs -0 clang-format --dry-run -Werror ;;
    *) echo "lint.sh: unknown check $1 (see --help)" >&2; exit 2 ;;
  esac
}

if (($# == 0)); then set -- shell python text; fi
failed=()
for name in "$@"; do
  echo "== $name"
  (check "$name") || failed+=("$name")
done
if ((${#failed[@]})); then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi
