# Latency of a device whose every request takes as long as is set: null_blk, with requests of its own; a device of the mapper that delays,
# without; a probe that hangs, and a disk whose delay changes. inotify on the guest's kernel.
#limit 300
mount -t tracefs tracing /sys/kernel/tracing 2>/dev/null || true
modprobe null_blk nr_devices=0
mkdir /sys/kernel/config/nullb/slow
for set in size=64 blocksize=4096 irqmode=2 completion_nsec=5000000 submit_queues=1 power=1; do
  echo "${set#*=}" >"/sys/kernel/config/nullb/slow/${set%%=*}"
done
await '[ -b /dev/nullb0 ] || [ -b /dev/slow ]'
export DEVICE=$(basename "$(ls -d /sys/block/nullb0 /sys/block/slow 2>/dev/null | head -1)")

# latency NAME DEVICE OPERATION: a value of two samples, between which 200 blocks are read or written past the page cache. What dd needed for
# one on average, in milliseconds, is in /tmp/dd.
latency() {
  local begun ended
  printf 'node: lab\nsensors:\n  io_latency: {tracepoints: true}\n' >/tmp/latency.yaml
  godwit sample --profile /tmp/latency.yaml --interval 12s --json >/tmp/latency.json 2>/tmp/latency.err &
  sleep 3
  begun=$(date +%s%N)
  case $3 in
    read) dd if="/dev/$2" of=/dev/null iflag=direct bs=4k count=200 ;;
    write) dd if=/dev/zero of="/dev/$2" oflag=direct bs=4k count=200 ;;
  esac >/dev/null 2>&1
  ended=$(date +%s%N)
  awk -v ns="$((ended - begun))" 'BEGIN { print ns / 200 / 1e6 }' >/tmp/dd
  wait
  value "$1" "$2" "$3"
}
# value NAME DEVICE OPERATION: another of the same samples.
value() { sed -n 's/.*"io_latency\.'"$1"'{device=\\"'"$2"'\\",operation=\\"'"$3"'\\"}":\([0-9.]*\).*/\1/p' /tmp/latency.json; }
source_of() { sed -n 's/.*"io_latency\.source{device=\\"'"$1"'\\",source=\\"\([a-z]*\)\\"}":1.*/\1/p' /tmp/latency.json; }
# between LOW HIGH NUMBER
between() { awk -v low="$1" -v high="$2" -v x="$3" 'BEGIN { if (x == "" || x < low || x > high) { print x " is not within " low " and " high; exit 1 } }'; }
export -f latency value source_of between

# Emulated timers are late, so the upper bound is what dd saw.
ok "reads of 5 ms" 'X=$(latency p50_milliseconds $DEVICE read); between 5 $(cat /tmp/dd) "$X"; [ "$(source_of $DEVICE)" = tracepoints ]; between "$X" 500 "$(value p99_milliseconds $DEVICE read)"; between 5 $(cat /tmp/dd) "$(value mean_milliseconds $DEVICE read)"'
ok "writes of 5 ms" 'X=$(latency p50_milliseconds $DEVICE write); between 5 $(cat /tmp/dd) "$X"'
ok "nothing is left behind in the kernel" '[ "$(cat /sys/kernel/tracing/events/block/enable)" = 0 ]; [ -z "$(ls /sys/kernel/tracing/instances)" ]; ! ls -l /proc/[0-9]*/fd 2>/dev/null | grep perf_event'
ok "a mapper that delays by 15 ms more has a mean" 'modprobe dm-delay; dmsetup create late --table "0 131072 delay /dev/$DEVICE 0 15"; N=$(basename /sys/block/dm-*); X=$(latency mean_milliseconds $N read); between 20 $(($(cut -d. -f1 /tmp/dd) + 2)) "$X"; [ "$(source_of $N)" = diskstats ]; [ -z "$(value p50_milliseconds $N read)" ]; between 5 20 "$(value p50_milliseconds $DEVICE read)"; dmsetup remove late'

# live TEXT: whether the agent's report has it. ticks: how many it took.
live() { godwit status --profile /tmp/agent.yaml --json | grep -q "$1"; }
ticks() { godwit status --profile /tmp/agent.yaml --json | sed -n 's/.*"ticks" *: *\([0-9]*\).*/\1/p' | head -1; }
export -f live ticks

# A disk that stops answering while the agent runs: suspended, it holds all requests.
dmsetup create hang --table "0 131072 linear /dev/$DEVICE 0"
ok "an agent with a probe" 'agent <<PROFILE
node: lab
sensors:
  system: {every: 1s}
  io_latency: {every: 2s, probes: [{path: /dev/mapper/hang, every: 2s}]}
  files: {every: 1s, watches: [{path: /watched, name: w, event: true}]}
buffer: {path: /var/lib/godwit/buffer.db, commit_every: 1s}
alerts:
  - {name: hung, when: io_latency.probe_responding == 0, severity: critical}
PROFILE
  await "live io_latency.probe_milliseconds"'
ok "a disk that hangs is told, and hangs nobody" 'dmsetup suspend --nolockfs --noflush hang; await "grep -q \"alert hung.*firing\" /tmp/agent.log"; A=$(ticks); sleep 3; B=$(ticks); [ $((B - A)) -ge 2 ]; dmsetup resume hang; await "grep -q \"alert hung.*resolved\" /tmp/agent.log"'
ok "a directory that comes, and what happens in it" 'mkdir /watched; sleep 2; echo x >/watched/a; await "grep -q \"file: /watched/a: written\" /tmp/agent.log"'
kill "$(cat /tmp/agent.pid)"
