#!/bin/sh
# What delivering a backlog costs: a day of 130 series at 1 Hz to a private mosquitto, as packed and as JSON.
set -eu
cd "$(dirname "$0")/.."
. scripts/broker.sh

if [ ! -x .build/release/StorageBench ]; then echo "bench: no .build/release/StorageBench; run make build" >&2; exit 1; fi
folder="$PWD/.run/drain"
rm -rf "$folder"
mkdir -p "$folder"
broker_pid=""
trap 'stop_process "$broker_pid"; rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE
start_broker "$folder"
.build/release/StorageBench drain "$broker_port" "$folder" "${BENCH_DRAIN_SECONDS:-86400}"
