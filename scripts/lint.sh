#!/bin/sh
# Format and shell checks; changes nothing. Warnings are errors in the build itself (Package.swift).
set -eu
cd "$(dirname "$0")/.."

swift format lint --strict -r -p Package.swift Sources Tests
if command -v shellcheck >/dev/null 2>&1; then
  shellcheck scripts/*.sh .ci/run
else
  echo "godwit: shellcheck is not installed; the shell scripts were not checked" >&2
fi
