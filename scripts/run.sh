#!/bin/sh
# The whole thing on this machine: a private broker, the agent on a detected profile, its live status until Ctrl-C.
# Everything it writes lies in .run/, and nothing is left running.
set -eu
cd "$(dirname "$0")/.."
. scripts/broker.sh

scripts/packages.sh
scripts/build.sh

programs="$PWD/.build/release"
run="$PWD/.run"
rm -rf "$run"
mkdir -p "$run/profile.d"

broker_pid=""
agent_pid=""
status_pid=""
stop_all() {
  trap '' INT TERM HUP
  stop_process "$status_pid"
  stop_process "$agent_pid"
  stop_process "$broker_pid"
}
trap stop_all EXIT
# Ctrl-C is how this ends, so it is no failure.
trap 'exit 0' INT
trap 'exit 143' TERM HUP PIPE

start_broker "$run"
"$programs/godwit" detect >"$run/profile.yaml"
cat >"$run/profile.d/50-run.yaml" <<PROFILE
# Keeps this run inside the checkout.
buffer: {path: "$run/buffer.db"}
control: {socket: "$run/control.sock"}
uplink: {broker: "mqtt://127.0.0.1:$broker_port"}
PROFILE

# In sessions of their own, so that Ctrl-C reaches them through stop_all and in its order.
setsid "$programs/godwit" run --profile "$run/profile.yaml" </dev/null >"$run/agent.log" 2>&1 &
agent_pid=$!
patience=100
until [ -S "$run/control.sock" ]; do
  patience=$((patience - 1))
  if [ "$patience" -eq 0 ] || ! kill -0 "$agent_pid" 2>/dev/null; then
    echo "godwit: the agent did not start; its log:" >&2
    tail -n 20 "$run/agent.log" >&2
    exit 1
  fi
  sleep 0.1
done

# In the background, so that the traps above act at once.
"$programs/godwit" status --profile "$run/profile.yaml" --watch &
status_pid=$!
wait "$status_pid"
