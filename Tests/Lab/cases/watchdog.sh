# A watchdog that resets the machine: fed by ticks, stopped by a clean end. That it fires is watchdog-reset's matter.
#qemu -device i6300esb
#limit 200
modprobe i6300esb
ok "the agent feeds it longer than its timeout" 'agent <<PROFILE
node: lab
tick: 1s
buffer: {path: /var/lib/godwit/buffer.db, commit_every: 1s}
control: {socket: /run/godwit/control.sock}
sensors: {memory: }
watchdog: {device: /dev/watchdog, timeout: 10s}
PROFILE
await "grep -qi watchdog /tmp/agent.log"; cat /sys/class/watchdog/watchdog0/timeout | grep -qx 10; sleep 15; kill -0 $(cat /tmp/agent.pid)'
ok "a clean stop stops it" 'kill $(cat /tmp/agent.pid); await "! kill -0 $(cat /tmp/agent.pid)"; sleep 12'
