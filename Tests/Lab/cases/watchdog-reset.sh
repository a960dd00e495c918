#host
# An agent that freezes: the watchdog resets the machine, and the next start says that it did.
lab=Tests/Lab/lab.sh
name="watchdog-$$"
trap '"$lab" cut "$name"' EXIT

start_agent='modprobe i6300esb; . ./prelude.sh; agent <<PROFILE
node: lab
tick: 1s
buffer: {path: /var/lib/godwit/buffer.db, commit_every: 1s}
control: {socket: /run/godwit/control.sock}
sensors: {memory: }
watchdog: {device: /dev/watchdog, timeout: 10s}
PROFILE
await "[ \$(cat /sys/class/watchdog/watchdog0/timeout) = 10 ]"; sleep 3; cat /tmp/agent.log'

"$lab" start -t 120 -m 640 -q '-device i6300esb -action watchdog=reset' \
  -f "$LAB_PROGRAMS/godwit" -f "$LAB_PROGRAMS/godwitd" -f Tests/Lab/prelude.sh "$name"
LAB_LIMIT=120 "$lab" exec "$name" "$start_agent; kill -STOP \$(cat /tmp/agent.pid)" || echo "FAIL  the agent starts"
if LAB_LIMIT=120 "$lab" boots "$name" 2 >/dev/null; then
  echo "ok    a frozen agent lets the watchdog reset the machine"
else
  echo "FAIL  a frozen agent lets the watchdog reset the machine"
fi
if LAB_LIMIT=120 "$lab" exec "$name" "$start_agent" | grep "the last restart of this device was the watchdog's"; then
  echo "ok    the next start says that the watchdog did it"
else
  echo "FAIL  the next start says that the watchdog did it"
fi
