#!/usr/bin/env bash
# Checks scripts, documents and sources.
#
#   tests/lint.sh [shell] [python] [text] [format] [tidy] [tidy-all]     without names: the first 4
#
#   shell   shellcheck on all shell scripts
#   python  ruff on all Python files, in the version of tests/lint.txt, with the rules of ruff.toml
#   text    tests/docs/prose.py: sentences of more than 25 words, lines of more than 100 columns, in
#           documents, comments and messages
#   format  clang-format on all C++ files, in the version of tests/lint.txt
#   tidy    clang-tidy on the C++ files that need no LibTorch, with the rules of .clang-tidy; needs
#           build/release. tidy-all: on all, which takes half an hour
#
# ruff, clang-format and clang-tidy are installed once into ${DFINE_CACHE:-~/.cache/dfine}. Set
# DFINE_LINT to the bin folder of an environment to use that instead.
# The package shellcheck is installed by launcher/setup.sh --tests.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 0; fi

files() { git ls-files -z --cached --others --exclude-standard -- "$@"; }

# pinned NAME: the program of that name in the version of tests/lint.txt.
pinned() {
  if [ -z "${DFINE_LINT:-}" ]; then
    local home
    home=${DFINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dfine}
    home+=/lint-$(sha256sum tests/lint.txt | cut -c1-12)
    if [ ! -e "$home/complete" ]; then
      rm -rf "$home"
      python3 -m venv "$home"
      "$home/bin/python" -m pip install -q --disable-pip-version-check -r tests/lint.txt
      touch "$home/complete"
    fi
    DFINE_LINT=$home/bin
  fi
  echo "$DFINE_LINT/$1"
}

check() {
  case $1 in
    shell) files '*.sh' '*.sbatch' launcher/dfine-launch .ci/run | xargs -0 shellcheck ;;
    python) "$(pinned ruff)" check --no-cache --output-format concise . ;;
    text) python3 tests/docs/prose.py ;;
    format) files '*.cpp' '*.h' | xargs -0 "$(pinned clang-format)" --dry-run -Werror ;;
    tidy) python3 tests/tidy.py "$(pinned clang-tidy)" ;;
    tidy-all) python3 tests/tidy.py --all "$(pinned clang-tidy)" ;;
    *) echo "lint.sh: unknown check $1 (see --help)" >&2; exit 2 ;;
  esac
}

if (($# == 0)); then set -- shell python text format; fi
failed=()
for name in "$@"; do
  echo "== $name"
  (check "$name") || failed+=("$name")
done
if ((${#failed[@]})); then
  echo "failed: ${failed[*]}" >&2
  exit 1
fi
