#!/bin/sh
# What the agent costs at 1 Hz with storage, one alert rule and QoS 1 to a private broker: BENCH_SECONDS (60) of it.
set -eu
cd "$(dirname "$0")/.."
. scripts/broker.sh

agent="$PWD/.build/release/godwitd"
seconds="${BENCH_SECONDS:-60}"
case "$seconds" in
  '' | *[!0-9]*) echo "bench: BENCH_SECONDS is a number of seconds, not '$seconds'" >&2; exit 2 ;;
esac
if [ "$seconds" -lt 40 ]; then echo "bench: BENCH_SECONDS must be at least 40" >&2; exit 2; fi
if [ ! -x "$agent" ]; then echo "bench: no $agent; run make build" >&2; exit 1; fi

folder="$PWD/.run/bench"
rm -rf "$folder"
mkdir -p "$folder"
broker_pid=""
agent_pid=""
subscriber_pid=""
stop_all() {
  trap '' INT TERM HUP
  stop_process "$agent_pid"
  stop_process "$subscriber_pid"
  stop_process "$broker_pid"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP PIPE

start_broker "$folder"
cat >"$folder/profile.yaml" <<PROFILE
node: bench
tick: 1s
buffer: {path: "$folder/buffer.db", commit_every: 10s}
control: {socket: "$folder/control.sock"}
sensors:
  cpu:
  pressure:
  memory:
  thermal:
  hwmon:
  disk:
  network:
  system:
  self:
alerts:
  - name: cpu-hot
    when: cpu.usage_percent > 95
    for: 30s
uplink: {broker: "mqtt://127.0.0.1:$broker_port", qos: 1, payloads: [json]}
PROFILE

# One line per message: the time it came, its topic, its payload.
setsid stdbuf -oL mosquitto_sub -h 127.0.0.1 -p "$broker_port" -q 1 -t 'godwit/#' -F '%U %t %p' </dev/null >"$folder/messages" 2>"$folder/subscriber.log" &
subscriber_pid=$!
setsid "$agent" --profile "$folder/profile.yaml" </dev/null >"$folder/agent.log" 2>&1 &
agent_pid=$!

cc -O2 -o "$folder/floor" Benchmarks/floor.c 2>/dev/null || clang -O2 -o "$folder/floor" Benchmarks/floor.c
echo "bench: measuring for $seconds s …" >&2
if ! python3 scripts/measure.py "$agent_pid" "$seconds" "$agent" "$folder/messages" "$folder/floor"; then
  echo "bench: the agent's log:" >&2
  tail -n 20 "$folder/agent.log" >&2
  exit 1
fi
