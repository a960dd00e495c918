#!/bin/sh
# What kinds of sensors cost a tick whose hardware is not there: two agents at 10 Hz, one with them and one without.
set -eu
cd "$(dirname "$0")/.."
. scripts/broker.sh

agent="${BENCH_AGENT:-$PWD/.build/release/godwitd}"
godwit="${BENCH_GODWIT:-$PWD/.build/release/godwit}"
for program in "$agent" "$godwit"; do
  if [ ! -x "$program" ]; then echo "bench: no $program; run make build" >&2; exit 1; fi
done
folder="$PWD/.run/absent"
rm -rf "$folder"
mkdir -p "$folder"
with_pid=""
without_pid=""
trap 'stop_process "$with_pid"; stop_process "$without_pid"; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

absent=$("$godwit" detect --json | python3 -c '
import json, sys
print(*(s["name"] for s in json.load(sys.stdin)["sensors"] if (s["problem"] or "").startswith("absent")))')
profile() {
  name="$1"
  shift
  {
    echo "node: $name"
    echo "tick: 100ms"
    echo "buffer: {path: \"$folder/$name.db\", commit_every: 10s}"
    echo "control: {socket: \"$folder/$name.sock\"}"
    echo "log: {level: error}"
    echo "sensors:"
    echo "  cpu: {every: 1s}"
    for kind in "$@"; do echo "  $kind: {every: 100ms}"; done
  } >"$folder/$name.yaml"
}
# Each word is a kind.
# shellcheck disable=SC2086
profile with $absent
profile without
setsid "$agent" --profile "$folder/with.yaml" </dev/null >"$folder/with.log" 2>&1 &
with_pid=$!
setsid "$agent" --profile "$folder/without.yaml" </dev/null >"$folder/without.log" 2>&1 &
without_pid=$!
python3 scripts/measure_absent.py "$with_pid" "$without_pid" "${BENCH_ABSENT_SECONDS:-60}" $absent
