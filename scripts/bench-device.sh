#!/bin/sh
# What reaches the device: the agent in real time with its buffer on ext4 over a loop device, by /proc/diskstats, so the journal and inode
# updates count too. Needs root; BENCH_DEVICE_SECONDS (0: not at all) of it, an hour for the figure of the goal.
set -eu
cd "$(dirname "$0")/.."

seconds="${BENCH_DEVICE_SECONDS:-0}"
if [ "$seconds" -eq 0 ]; then
  echo "bench: set BENCH_DEVICE_SECONDS (3600) to measure what reaches a device"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then echo "bench: a loop device needs root; left out" >&2; exit 0; fi

folder="$PWD/.run/device"
mkdir -p "$folder/mount"
truncate -s 512M "$folder/image"
mkfs.ext4 -q -F "$folder/image"
loop="$(losetup -f --show "$folder/image")"
agent=""
finish() {
  trap '' INT TERM HUP
  if [ -n "$agent" ]; then
    kill "$agent" 2>/dev/null || true
    wait "$agent" 2>/dev/null || true
  fi
  umount "$folder/mount" 2>/dev/null || true
  losetup -d "$loop" 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mount "$loop" "$folder/mount"

cat >"$folder/profile.yaml" <<PROFILE
node: bench
tick: 1s
buffer: {path: "$folder/mount/buffer.db", commit_every: 10s}
control: {socket: "$folder/control.sock"}
PROFILE
.build/release/godwitd --profile "$folder/profile.yaml" </dev/null >"$folder/agent.log" 2>&1 &
agent=$!
sectors() { awk -v device="${loop#/dev/}" '$3 == device { print $10 }' /proc/diskstats; }
samples() {
  .build/release/godwit export --buffer "$folder/mount/buffer.db" --format jsonl 2>/dev/null |
    python3 -c 'import json, sys; print(sum(len(json.loads(line)["m"]) for line in sys.stdin))'
}
sleep 20
before="$(sectors)"
held="$(samples)"
echo "bench: measuring the device for $seconds s …" >&2
sleep "$seconds"
sync -f "$folder/mount"
awk -v sectors="$(($(sectors) - before))" -v samples="$(($(samples) - held))" 'BEGIN {
  printf "reaching the device per sample (%d samples)            %8.1f B   goal ≤ 40\n", samples, sectors * 512 / samples }'
