#!/bin/sh
# Every committed tick arrives, over link faults and agent kills by a seed: eight release agents at ten ticks a second.
set -eu
cd "$(dirname "$0")/.."

scripts/build.sh
export GODWIT_BIN="$PWD/.build/release"
export GODWIT_TORTURE_FAULTS="${GODWIT_TORTURE_FAULTS:-200}"
export GODWIT_TORTURE_KILLS="${GODWIT_TORTURE_KILLS:-50}"
export GODWIT_TORTURE_NODES="${GODWIT_TORTURE_NODES:-8}"
export GODWIT_TORTURE_SECONDS="${GODWIT_TORTURE_SECONDS:-420}"
exec swift test --filter TortureTests
