# Sourced in the guest before each case. A case calls `ok WHAT SCRIPT`: one line of output, and the script must end with status 0.
# What the script notes with `note` stands behind it.
export PATH=/case:$PATH GODWIT_HARDWARE=/case/hardware
failures=0

ok() {
  local status=0 output
  : >/tmp/note
  output=$(bash -c "set -e; $2" 2>&1) || status=$?
  if [ "$status" = 0 ]; then
    echo "ok    $1$(cat /tmp/note)"
  else
    echo "FAIL  $1: $output"
    failures=$((failures + 1))
  fi
}

note() { printf ' (%s)' "$*" >>/tmp/note; }
export -f note

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

# reporting: the agent with what is still to be said of its profile from standard input: it ticks each second and reports to a broker. All that the
# broker passes on to a subscriber is in /tmp/messages: the time it came, its topic and the payload.
reporting() {
  printf 'listener 1883 127.0.0.1\nallow_anonymous true\nuser root\n' >/tmp/broker.conf
  mosquitto -c /tmp/broker.conf >/tmp/broker.log 2>&1 &
  await 'mosquitto_pub -t lab -m up' || { cat /tmp/broker.log; return 1; }
  mosquitto_sub -t 'godwit/v1/lab/#' -F '%U %t %p' >/tmp/messages 2>&1 &
  { printf 'node: lab\ntick: 1s\nbuffer: {commit_every: 1s}\nuplink: {broker: "mqtt://127.0.0.1"}\n'; cat; } | agent
  await '[ "$(ticks 0 Z)" -ge 3 ]' || { cat /tmp/agent.log /tmp/messages; return 1; }
}

# mark: from here on the agent's ticks count.
mark() { date -u +%Y-%m-%dT%H:%M:%S.%3NZ >/tmp/mark; }

# ticks FROM TO: how many the agent took in between and reported, by its own clock.
ticks() { metrics | awk -v from="$1" -v to="$2" '$1 > from && $1 <= to { count++ } END { print count + 0 }'; }

# metrics: the reported ticks, a line each: the time, then all else.
metrics() { sed -n 's/^[^ ]* [^ ]*\/v1\/lab\/metrics {"t":"\([^"]*\)",/\1 /p' /tmp/messages; }

# alert RULE: the state of an alert as it was last reported, and the time the agent says.
alert() { sed -n "s/^[^ ]* [^ ]*\/alerts\/$1 .*\"state\":\"\([a-z]*\)\",\"t\":\"\([^\"]*\)\".*/\1 \2/p" /tmp/messages | tail -n 1; }

# alerted RULE STATE SECONDS: the broker passes on that the alert is in that state, within twice the sensor's interval of so many seconds since the
# mark. Counted in ticks: however slow this machine is, the agent has to be told no later.
alerted() {
  local state time count
  await "[ \"\$(alert $1 | cut -d ' ' -f 1)\" = $2 ]" || { alert "$1"; tail -n 3 /tmp/agent.log; return 1; }
  read -r state time <<<"$(alert "$1")"
  # The tick that it belongs to may come just behind it.
  await "[ \$(ticks $time Z) -ge 1 ]"
  count=$(ticks "$(cat /tmp/mark)" "$time")
  note "$1 $2 after $count ticks, $(($(date -d "$time" +%s%3N) - $(date -d "$(cat /tmp/mark)" +%s%3N))) ms"
  [ "$count" -le $((2 * $3)) ] || { echo "$count ticks"; return 1; }
  # It was not so before. What ends by itself may be seen before the mark is set.
  [ "$state" != firing ] || [ "$count" -ge 1 ] || { echo "before its time"; return 1; }
}
export -f reporting mark ticks metrics alert alerted

trap 'exit $((failures > 0))' EXIT
