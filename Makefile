# The build entry: every target is a small script, so that each can be read and run alone.
.DEFAULT_GOAL := help
.PHONY: run build test bench bench-all crash torture lab format lint clean help

run: ## the agent on this machine, with a private broker, and its live status until Ctrl-C
	@scripts/run.sh

build: ## the release programs, in .build/release
	@scripts/packages.sh
	@scripts/build.sh

test: ## every test and the lint; ends with one line of counts
	@scripts/test.sh

bench: ## what agent and storage cost, beside their goals (BENCH_SECONDS=60; as root also BENCH_DEVICE_SECONDS=3600)
	@scripts/packages.sh
	@scripts/build.sh
	@scripts/bench.sh
	@scripts/bench-absent.sh
	@.build/release/StorageBench
	@scripts/bench-drain.sh
	@scripts/bench-device.sh

bench-all: ## what all kinds of sensors cost beside the base profile, on this machine and on one of 2,000 processes and 5,000 sockets
	@scripts/packages.sh
	@scripts/build.sh
	@scripts/bench-all.sh
	@BENCH_PROCESSES=2000 BENCH_SOCKETS=5000 scripts/bench-all.sh

crash: ## the buffer after 10,000 seeded power cuts (GODWIT_CRASH_POINTS, GODWIT_CRASH_SEED)
	@scripts/packages.sh
	@GODWIT_CRASH_POINTS="$${GODWIT_CRASH_POINTS:-10000}" swift test --filter StorageFaultTests

torture: ## delivery over 200 seeded link faults and 50 kills, eight minutes (GODWIT_TORTURE_SEED …)
	@scripts/packages.sh
	@scripts/torture.sh

lab: ## the programs on emulated hardware in a virtual machine; skipped where there is no qemu
	@scripts/lab.sh

format: ## rewrites the sources in the house's format
	@swift format -i -r -p Package.swift Sources Tests

lint: ## format (strict) and shell scripts, without changing anything
	@scripts/lint.sh

clean: ## removes what was built and what `make run` left
	@rm -rf .build .run

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 18
