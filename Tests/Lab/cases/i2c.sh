# Chips on two emulated buses: one that knows SMBus only, one with plain transfers and faults.
#limit 200
modprobe i2c-stub chip_addr=0x40,0x48,0x49
modprobe lab_i2c addr=0x44,0x48
modprobe i2c-dev
modprobe lm75
stub=$(i2cdetect -l | sed -n 's/^i2c-\([0-9]*\).*SMBus stub.*/\1/p')
lab=$(i2cdetect -l | sed -n 's/^i2c-\([0-9]*\).*lab i2c.*/\1/p')
faults=/sys/kernel/debug/lab_i2c
export stub lab faults
# TMP102, table 5 of its data sheet: 0x1900 is 25 degrees; bytes of a word are swapped on SMBus.
i2cset -y "$stub" 0x48 0 0x0019 w
printf '\x19\x80' >$faults/0x48/regs

ok "scan finds what answers" 'godwit i2c scan | tee /tmp/scan; grep -q 0x40 /tmp/scan; grep -q 0x44 /tmp/scan'
ok "tmp102 over SMBus" 'godwit i2c read tmp102 --bus $stub --address 0x48 | tee /tmp/read; grep -q "25" /tmp/read'
ok "lm75 over plain I2C" 'godwit i2c read lm75 --bus $lab --address 0x48 | tee /tmp/read; grep -q "25.5" /tmp/read'
ok "an empty address is told" '! godwit i2c read tmp102 --bus $lab --address 0x49 >/tmp/read 2>&1; grep -qi "acknowledge" /tmp/read'
ok "a chip that times out is told" 'echo 110 >$faults/0x48/fail; ! godwit i2c read lm75 --bus $lab --address 0x48 >/tmp/read 2>&1; cat /tmp/read; grep -qi "timed out" /tmp/read; echo 0 >$faults/0x48/fail'
ok "a kernel driver's chip points to hwmon" 'echo lm75 0x49 >/sys/bus/i2c/devices/i2c-$stub/new_device; ! godwit i2c read lm75 --bus $stub --address 0x49 >/tmp/read 2>&1; cat /tmp/read; grep -q "hwmon/hwmon" /tmp/read'
ok "the agent reads both buses, one with a fault" 'echo 6 >$faults/0x48/fail; agent <<PROFILE
node: lab
tick: 1s
buffer: {path: /var/lib/godwit/buffer.db, commit_every: 1s}
control: {socket: /run/godwit/control.sock}
sensors:
  i2c:
    every: 1s
    devices:
      - {chip: tmp102, bus: $stub, address: 0x48, name: inlet}
      - {chip: lm75, bus: $lab, address: 0x48, name: outlet}
PROFILE
await "godwit status --profile /tmp/agent.yaml --json | grep -q \"i2c.temperature_celsius.*inlet\""
echo 0 >$faults/0x48/fail
await "godwit status --profile /tmp/agent.yaml --json | grep -q \"i2c.temperature_celsius.*outlet\""
kill $(cat /tmp/agent.pid)'
