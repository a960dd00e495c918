#!/bin/sh
# The release programs on Debian's own kernel with emulated hardware: one virtual machine for each of Tests/Lab/cases, or those named.
# A case that begins with `#host` runs here and drives its machine itself; the others run inside.
# Their heads may hold `#qemu ARGUMENTS`, `#memory MB`, `#limit SECONDS` and `#disk NAME SIZE` lines.
set -eu
cd "$(dirname "$0")/.."

if ! command -v qemu-system-x86_64 >/dev/null 2>&1; then
  echo "lab: skipped: there is no qemu-system-x86_64 (apt-get install --no-install-recommends qemu-system-x86)"
  exit 0
fi

scripts/packages.sh
scripts/build.sh
Tests/Lab/lab.sh build
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
tar -cf "$folder/hardware.tar" hardware

# head CASE WORD: what stands behind `#WORD` lines.
head_lines() { sed -n "s/^#$2 //p" "$1"; }

run_case() {
  script="$1"
  if grep -q '^#host' "$script"; then
    bash "$script"
    return
  fi
  set -- -t "$(head_lines "$script" limit | grep . || echo 120)" -m "$(head_lines "$script" memory | grep . || echo 640)"
  while read -r name size; do
    [ -n "$name" ] || continue
    truncate -s "$size" "$folder/$name.img"
    set -- "$@" -d "$name=$folder/$name.img"
  done <<DISKS
$(head_lines "$script" disk)
DISKS
  while read -r arguments; do
    [ -z "$arguments" ] || set -- "$@" -q "$arguments"
  done <<QEMU
$(head_lines "$script" qemu)
QEMU
  { echo 'tar -xf hardware.tar'; cat Tests/Lab/prelude.sh "$script"; } |
    Tests/Lab/lab.sh run "$@" -f .build/release/godwit -f .build/release/godwitd -f "$folder/hardware.tar"
}

[ $# -gt 0 ] || set -- Tests/Lab/cases/*.sh
passed=0
failed=0
for script; do
  [ -e "$script" ] || script="Tests/Lab/cases/$script.sh"
  printf '\n== %s\n' "$(basename "$script" .sh)"
  status=0
  run_case "$script" >"$folder/output" 2>&1 || status=$?
  cat "$folder/output"
  passed=$((passed + $(grep -c '^ok ' "$folder/output" || true)))
  bad="$(grep -c '^FAIL ' "$folder/output" || true)"
  # A case that ends without a line of its own has failed, too, and one that did not come to its end.
  grep -q '^\(ok\|FAIL\) ' "$folder/output" || bad=1
  [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
  failed=$((failed + bad))
done
printf '\nlab: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
