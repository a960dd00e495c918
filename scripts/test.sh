#!/bin/sh
# Packages, lint, debug and release builds, every test. The last line is always `N passed, N failed`; a test with
# arguments counts once, and the lint, a build or a crash that fails counts as one failure.
set -eu
cd "$(dirname "$0")/.."

passed=0
failed=0
step() { printf '\n== %s\n' "$*"; }
# Named once more at the end: some thousand lines lie between a failure and the count.
name_failures() {
  [ -s .build/report/output ] || return 0
  echo
  awk '
    / Test .* recorded an issue/ { print; follow = 3; next }
    /^↳/ && follow > 0           { print; follow--; next }
                                 { follow = 0 }
    / Test .* failed after / && !/Test run with/ || /: error: -\[/ || /Fatal error/ { print }
  ' .build/report/output | cut -c1-400 | tail -n 40
}
finish() {
  [ "$failed" -eq 0 ] || name_failures
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ] && exit 0
  exit 1
}
stop() {
  failed=$((failed + 1))
  printf 'FAILED: %s\n' "$1"
  finish
}

rm -rf .build/report
step "packages"
scripts/packages.sh || stop "packages"

step "lint"
if scripts/lint.sh 2>&1; then
  passed=$((passed + 1))
else
  failed=$((failed + 1))
  echo "FAILED: lint"
fi

step "debug build"
swift build --build-tests 2>&1 || stop "debug build"
step "release build"
scripts/build.sh 2>&1 || stop "release build"

step "tests"
mkdir -p .build/report
# The tests look at the release programs, and may not skip them here.
GODWIT_REQUIRE_RELEASE=1
export GODWIT_REQUIRE_RELEASE
{
  status=0
  swift test --skip-build --xunit-output .build/report/tests.xml 2>&1 || status=$?
  echo "$status" >.build/report/status
} | tee .build/report/output | grep -v '^[^ ]* \(Test\|Test case\|Suite\) .* started\.$' || true

# swift-testing: its report; without one (a crash) the lines of its output. XCTest: the last line with its totals.
report=".build/report/tests-swift-testing.xml"
if [ -s "$report" ]; then
  counts="$(awk '
    /<testcase /  { total++; broken = 0 }
    /<failure/    { if (!broken) { failed++; broken = 1 } }
    /<skipped/    { total-- }
    END           { printf "%d %d", total - failed, failed }' "$report")"
else
  counts="$(awk '
    /^[^ ]+ Test .* passed after / && !/Test run with/ { passed++ }
    /^[^ ]+ Test .* failed after / && !/Test run with/ { failed++ }
    END { printf "%d %d", passed, failed }' .build/report/output)"
fi
xctest="$(awk '/Executed [0-9]+ tests?, with/ {
    for (i = 1; i <= NF; i++) {
      if ($i == "Executed") total = $(i + 1)
      if ($i ~ /^failures?$/) failed = $(i - 1)
    }
  }
  END { printf "%d %d", total - failed, failed }' .build/report/output)"
passed=$((passed + ${counts% *} + ${xctest% *}))
failed=$((failed + ${counts#* } + ${xctest#* }))

if [ "$(cat .build/report/status 2>/dev/null || echo 1)" != 0 ] && [ "${counts#* }" -eq 0 ] && [ "${xctest#* }" -eq 0 ]; then
  stop "the test run ended early"
fi
[ "$passed" -gt 1 ] || stop "no test ran"
finish
