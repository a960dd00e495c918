#!/bin/sh
# What reaches the device: the agent in real time with its buffer on ext4 over a loop device, by /proc/diskstats, so the journal and inode
# updates count too; beside it the naive design on a second one. Needs root; BENCH_DEVICE_SECONDS (0: not at all) of it, an hour for the
# figure of the goal.
set -eu
cd "$(dirname "$0")/.."

seconds="${BENCH_DEVICE_SECONDS:-0}"
case "$seconds" in
  *[!0-9]*) echo "bench: BENCH_DEVICE_SECONDS is a number of seconds, not '$seconds'" >&2; exit 2 ;;
esac
if [ "$seconds" -eq 0 ]; then
  echo "bench: set BENCH_DEVICE_SECONDS (3600) to measure what reaches a device"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then echo "bench: a loop device needs root; left out" >&2; exit 0; fi
for program in godwitd godwit StorageBench; do
  if [ ! -x ".build/release/$program" ]; then echo "bench: no .build/release/$program; run make build" >&2; exit 1; fi
done

folder="$PWD/.run/device"
agent=""
naive=""
agent_loop=""
naive_loop=""
finish() {
  trap '' INT TERM HUP
  for process in $agent $naive; do
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  umount "$folder/agent" 2>/dev/null || true
  umount "$folder/naive" 2>/dev/null || true
  for loop in $agent_loop $naive_loop; do losetup -d "$loop" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A file system of its own for each, so that one's journal is not the other's.
rm -rf "$folder"
for place in agent naive; do
  mkdir -p "$folder/$place"
  truncate -s 512M "$folder/$place.image"
  mkfs.ext4 -q -F "$folder/$place.image"
done
agent_loop="$(losetup -f --show "$folder/agent.image")"
naive_loop="$(losetup -f --show "$folder/naive.image")"
mount "$agent_loop" "$folder/agent"
mount "$naive_loop" "$folder/naive"

cat >"$folder/profile.yaml" <<PROFILE
node: bench
tick: 1s
buffer: {path: "$folder/agent/buffer.db", commit_every: 10s}
control: {socket: "$folder/control.sock"}
PROFILE
.build/release/godwitd --profile "$folder/profile.yaml" </dev/null >"$folder/agent.log" 2>&1 &
agent=$!
.build/release/StorageBench pace "$((seconds + 600))" "$folder/naive/samples.db" </dev/null >/dev/null 2>&1 &
naive=$!

sectors() { awk -v device="${1#/dev/}" '$3 == device { print $10 }' /proc/diskstats; }
agent_samples() { .build/release/godwit sql --buffer "$folder/agent/buffer.db" --csv 'SELECT count(*) FROM samples' | tail -n 1 | tr -d '\r'; }
naive_samples() {
  python3 -c 'import sqlite3, sys; print(sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True).execute("SELECT count(*) FROM sample").fetchone()[0])' \
    "$folder/naive/samples.db"
}

# What the start costs (tables, the first commit, a new file system's own writes) is left out.
sleep 20
for place in agent naive; do sync -f "$folder/$place"; done
if ! kill -0 "$agent" 2>/dev/null || ! held="$(agent_samples)"; then
  echo "bench: the agent did not start to store; its log:" >&2
  tail -n 20 "$folder/agent.log" >&2
  exit 1
fi
naive_held="$(naive_samples)"
before="$(sectors "$agent_loop")"
naive_before="$(sectors "$naive_loop")"
echo "bench: measuring the device for $seconds s …" >&2
sleep "$seconds"
for place in agent naive; do sync -f "$folder/$place"; done
awk -v sectors="$(($(sectors "$agent_loop") - before))" -v samples="$(($(agent_samples) - held))" \
  -v naive_sectors="$(($(sectors "$naive_loop") - naive_before))" -v naive_samples="$(($(naive_samples) - naive_held))" \
  -v seconds="$seconds" 'BEGIN {
  if (samples <= 0 || naive_samples <= 0) { print "bench: nothing was stored meanwhile" > "/dev/stderr"; exit 1 }
  printf "reaching the device per sample, ext4, %d s in real time, %d and %d samples\n", seconds, samples, naive_samples
  printf "%-54s%9.1f B  %10s%11.1f\n", "  journal and inodes included", sectors * 512 / samples, "≤ 40", naive_sectors * 512 / naive_samples }'
