# A simulated GPIO chip: edges between ticks, and an output that is safe after a crash.
#limit 200
modprobe gpio-sim
cd /sys/kernel/config/gpio-sim || exit 1
mkdir lab lab/bank
echo 8 >lab/bank/num_lines
echo header >lab/bank/label
mkdir lab/bank/line3 lab/bank/line5
echo DOOR >lab/bank/line3/name
echo FAN >lab/bank/line5/name
echo 1 >lab/live
cd /case || exit 1
export chip=/sys/devices/platform/gpio-sim.0/gpiochip0

ok "lines by name" 'godwit gpio list | tee /tmp/list; grep -q DOOR /tmp/list; echo pull-up >$chip/sim_gpio3/pull; godwit gpio read DOOR | tee /tmp/read; grep -q "1\|high" /tmp/read'
ok "the agent starts" 'echo pull-down >$chip/sim_gpio3/pull; agent <<PROFILE
node: lab
tick: 1s
buffer: {path: /var/lib/godwit/buffer.db, commit_every: 1s}
control: {socket: /run/godwit/control.sock}
sensors:
  memory:
  self: {every: 1s}
  gpio:
    inputs:
      - {name: door, line: DOOR, active: high, debounce: 5ms}
outputs:
  - {name: fan, line: FAN, active: high, safe: on, commands: true}
PROFILE'
ok "a door that opens between two ticks is counted" 'await "godwit status --profile /tmp/agent.yaml --json | grep -q gpio.active"; for i in 1 2 3; do echo pull-up >$chip/sim_gpio3/pull; sleep 0.05; echo pull-down >$chip/sim_gpio3/pull; sleep 0.05; done; await "godwit status --profile /tmp/agent.yaml --json | grep -o \"gpio.activations_total[^,]*\" | grep -q \": *3\""'
ok "an output is switched" 'godwit output set fan off --socket /run/godwit/control.sock; await "[ \$(cat $chip/sim_gpio5/value) = 0 ]"; godwit output set fan on --socket /run/godwit/control.sock; await "[ \$(cat $chip/sim_gpio5/value) = 1 ]"'
ok "a busy line says who has it" 'godwit gpio read FAN >/tmp/read 2>&1 || true; cat /tmp/read; grep -qi "godwit" /tmp/read'
