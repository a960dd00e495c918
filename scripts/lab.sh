#!/bin/sh
# The release programs on Debian's own kernel with emulated hardware: one virtual machine for each of Tests/Lab/cases, or those named.
# A case that begins with `#host` runs here and drives its machine itself; the others run inside.
# Their heads may hold `#qemu ARGUMENTS`, `#memory MB`, `#limit SECONDS` and `#disk NAME SIZE` lines, and `#appliance` for one that wants a whole
# Debian with systemd, which is built when first asked for; where it cannot be, the case is skipped.
set -eu
cd "$(dirname "$0")/.."

if ! command -v qemu-system-x86_64 >/dev/null 2>&1; then
  echo "lab: skipped: there is no qemu-system-x86_64 (apt-get install --no-install-recommends qemu-system-x86)"
  exit 0
fi

scripts/packages.sh
# The folder of the programs, where they are built already.
if [ -z "${LAB_PROGRAMS:-}" ]; then
  scripts/build.sh
  LAB_PROGRAMS=.build/release
fi
export LAB_PROGRAMS
Tests/Lab/lab.sh build
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
tar -cf "$folder/shipped.tar" hardware systemd etc

# head CASE WORD: what stands behind `#WORD` lines.
head_lines() { sed -n "s/^#$2 //p" "$1"; }

run_case() {
  script="$1"
  if grep -q '^#host' "$script"; then
    bash "$script"
    return
  fi
  preludes=Tests/Lab/prelude.sh
  system=""
  if grep -q '^#appliance' "$script"; then
    built=0
    Tests/Lab/appliance.sh 2>"$folder/reason" || built=$?
    if [ "$built" = 3 ]; then
      echo "skip  $(basename "$script" .sh): $(tail -n 1 "$folder/reason")"
      return
    fi
    cat "$folder/reason" >&2
    [ "$built" = 0 ] || return "$built"
    preludes="$preludes Tests/Lab/appliance-prelude.sh"
    system=-A
  fi
  set -- $system -t "$(head_lines "$script" limit | grep . || echo 120)" -m "$(head_lines "$script" memory | grep . || echo 640)"
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
  # shellcheck disable=SC2086  # a list of files
  { echo 'tar -xf shipped.tar'; cat $preludes "$script"; } |
    Tests/Lab/lab.sh run "$@" -f "$LAB_PROGRAMS/godwit" -f "$LAB_PROGRAMS/godwitd" -f "$folder/shipped.tar"
}

[ $# -gt 0 ] || set -- Tests/Lab/cases/*.sh
passed=0
skipped=0
failed=0
for script; do
  [ -e "$script" ] || script="Tests/Lab/cases/$script.sh"
  printf '\n== %s\n' "$(basename "$script" .sh)"
  status=0
  run_case "$script" >"$folder/output" 2>&1 || status=$?
  cat "$folder/output"
  passed=$((passed + $(grep -c '^ok ' "$folder/output" || true)))
  skipped=$((skipped + $(grep -c '^skip ' "$folder/output" || true)))
  bad="$(grep -c '^FAIL ' "$folder/output" || true)"
  # A case that ends without a line of its own has failed, too, and one that did not come to its end.
  grep -q '^\(ok\|FAIL\|skip\) ' "$folder/output" || bad=1
  [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
  failed=$((failed + bad))
done
printf '\nlab: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
