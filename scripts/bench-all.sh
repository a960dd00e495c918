#!/bin/sh
# What the sensors beyond the base profile cost at their default intervals: two agents at 1 Hz, one with all kinds of the catalogue and one with
# the base's, for BENCH_ALL_SECONDS (120). On a machine with BENCH_PROCESSES (0) more processes and BENCH_SOCKETS (0) more sockets.
set -eu
cd "$(dirname "$0")/.."
. scripts/broker.sh

agent="${BENCH_AGENT:-$PWD/.build/release/godwitd}"
godwit="${BENCH_GODWIT:-$PWD/.build/release/godwit}"
for program in "$agent" "$godwit"; do
  if [ ! -x "$program" ]; then echo "bench: no $program; run make build" >&2; exit 1; fi
done
folder="$PWD/.run/all"
rm -rf "$folder"
mkdir -p "$folder"
all_pid=""
base_pid=""
load_pid=""
trap 'stop_process "$all_pid"; stop_process "$base_pid"; stop_process "$load_pid"; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

# Machine, hardware and the agent itself. What the catalogue has besides is what is measured.
base="cpu pressure memory thermal hwmon devfreq gpu gpu_processes coral npu power raspberrypi disk mmc network nvidia hailo i2c gpio system self"
kinds=$("$godwit" sensors --json | python3 -c 'import json, sys; print(*(kind["name"] for kind in json.load(sys.stdin)))')
profile() {
  name="$1"
  shift
  {
    echo "node: $name"
    echo "tick: 1s"
    echo "buffer: {path: \"$folder/$name.db\", commit_every: 10s}"
    echo "control: {socket: \"$folder/$name.sock\"}"
    echo "log: {level: error}"
    echo "sensors:"
    for kind in "$@"; do echo "  $kind:"; done
  } >"$folder/$name.yaml"
}
# Each word is a kind.
# shellcheck disable=SC2086
profile all $kinds
# shellcheck disable=SC2086
profile base $base

processes="${BENCH_PROCESSES:-0}"
sockets="${BENCH_SOCKETS:-0}"
if [ "$processes" -gt 0 ] || [ "$sockets" -gt 0 ]; then
  python3 scripts/load_machine.py "$processes" "$sockets" >"$folder/load.log" 2>&1 &
  load_pid=$!
  while ! grep -q ready "$folder/load.log"; do
    if ! kill -0 "$load_pid" 2>/dev/null; then cat "$folder/load.log" >&2; exit 1; fi
    sleep 0.2
  done
fi
setsid "$agent" --profile "$folder/all.yaml" </dev/null >"$folder/all.log" 2>&1 &
all_pid=$!
setsid "$agent" --profile "$folder/base.yaml" </dev/null >"$folder/base.log" 2>&1 &
base_pid=$!
goal=3
if [ "$processes" -ge 1000 ]; then goal=20; fi
python3 scripts/measure_all.py "$all_pid" "$base_pid" "${BENCH_ALL_SECONDS:-120}" "$goal" \
  "$(($(find /proc -maxdepth 1 -name '[0-9]*' | wc -l))) processes, $(($(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | wc -l) - 2)) TCP sockets"
