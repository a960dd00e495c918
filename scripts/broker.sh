# shellcheck shell=sh
# Sourced: a private mosquitto on a free loopback port, in a folder of ours.
#   start_broker FOLDER   sets broker_pid and broker_port; false when none came up
#   stop_process PID      TERM, five seconds of patience, KILL; then gone

start_broker() {
  broker_port=$((15000 + $$ % 12000))
  broker_attempt=0
  while [ "$broker_attempt" -lt 50 ]; do
    broker_attempt=$((broker_attempt + 1))
    broker_port=$((broker_port + 1))
    printf 'listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest stderr\n' "$broker_port" >"$1/mosquitto.conf"
    PATH="$PATH:/usr/sbin" setsid mosquitto -c "$1/mosquitto.conf" </dev/null >"$1/mosquitto.log" 2>&1 &
    broker_pid=$!
    # It says `running` once it listens, and ends by itself when the port is taken.
    while kill -0 "$broker_pid" 2>/dev/null; do
      if grep -q ' running$' "$1/mosquitto.log" 2>/dev/null; then return 0; fi
      sleep 0.1
    done
    wait "$broker_pid" || true
    if ! grep -q 'Address already in use' "$1/mosquitto.log"; then
      cat "$1/mosquitto.log" >&2
      break
    fi
  done
  broker_pid=""
  echo "godwit: the private mosquitto did not start" >&2
  return 1
}

stop_process() {
  [ -n "${1:-}" ] || return 0
  kill -TERM "$1" 2>/dev/null || true
  stop_patience=50
  while kill -0 "$1" 2>/dev/null && [ "$stop_patience" -gt 0 ]; do
    stop_patience=$((stop_patience - 1))
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
