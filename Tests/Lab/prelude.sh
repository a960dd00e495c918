# Sourced in the guest before each case. A case calls `ok WHAT SCRIPT`: one line of output, and the script must end with status 0.
export PATH=/case:$PATH GODWIT_HARDWARE=/case/hardware
failures=0

ok() {
  local status=0 output
  output=$(bash -c "set -e; $2" 2>&1) || status=$?
  if [ "$status" = 0 ]; then
    echo "ok    $1"
  else
    echo "FAIL  $1: $output"
    failures=$((failures + 1))
  fi
}

# await CONDITION: at most 20 s.
await() {
  local i
  for i in $(seq 100); do
    eval "$1" >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  echo "never: $1"
  return 1
}
export -f await

# values KIND [SETTINGS]: what one sensor reads.
values() {
  printf 'node: lab\nsensors:\n  %s: %s\n' "$1" "${2:-}" >/tmp/values.yaml
  godwit sample --profile /tmp/values.yaml 2>&1
}
export -f values

# agent PROFILE: starts the agent with a profile from standard input; its log is /tmp/agent.log, its process id in /tmp/agent.pid.
agent() {
  mkdir -p /run/godwit /var/lib/godwit
  cat >/tmp/agent.yaml
  godwitd --profile /tmp/agent.yaml >/tmp/agent.log 2>&1 &
  echo $! >/tmp/agent.pid
  await 'godwit status --profile /tmp/agent.yaml --json | grep -q "\"ticks\""' || { cat /tmp/agent.log; return 1; }
}
export -f agent

trap 'exit $((failures > 0))' EXIT
