# Debian with systemd as process 1: the agent as its unit, with all that holds it down, beside systemctl, systemd-analyze, systemd-detect-virt, dpkg-query,
# timedatectl and resolvectl; a unit that fails raises its alert.
#appliance
#memory 1024
#limit 1500
export DNS_NAME=device.lab.example
ok "systemd starts" '[ "$(cat /proc/1/comm)" = systemd ]; [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; note "$(cat /tmp/booted), $(systemd-analyze time | head -n 1)"'
# Peers that answer: a time server that leaves the clock alone, and a resolver.
printf 'local stratum 3\nallow 127.0.0.0/8\ncmdport 0\nuser root\npidfile /run/lab-time.pid\nbindcmdaddress /\n' >/tmp/chrony.conf
ok "a time server and a resolver" 'ip link add lab0 type dummy; ip addr add 192.0.2.10/24 dev lab0; ip link set lab0 up # resolved asks nobody without a way out
systemd-run -q --unit lab-time /opt/chrony/usr/sbin/chronyd -n -x -f /tmp/chrony.conf
mkdir -p /etc/systemd/timesyncd.conf.d /etc/systemd/resolved.conf.d
printf "[Time]\nNTP=127.0.0.1\nFallbackNTP=\n" >/etc/systemd/timesyncd.conf.d/lab.conf
printf "[Resolve]\nDNS=127.0.0.2\nFallbackDNS=\nDNSSEC=no\nCacheFromLocalhost=yes\n" >/etc/systemd/resolved.conf.d/lab.conf
systemd-run -q --unit lab-dns dnsmasq -k -u root -C /dev/null --listen-address=127.0.0.2 --bind-interfaces --no-resolv --no-hosts --local-ttl=20 --host-record=$DNS_NAME,192.0.2.1
systemctl restart systemd-timesyncd systemd-resolved
await "resolvectl query $DNS_NAME"; await "timedatectl timesync-status | grep -q Offset"'
printf '[Unit]\nStartLimitIntervalSec=600\nStartLimitBurst=3\n[Service]\nExecStart=/bin/sh -c "[ -e /run/lab-works ] && exec sleep 10000"\nRestart=on-failure\nRestartSec=1\n' >/etc/systemd/system/lab-works.service
touch /run/lab-works
systemctl daemon-reload
systemctl start lab-works
ok "the agent as its unit reports with the password of its credential" 'install_agent <<PROFILE
sensors:
  memory:
  self:
  systemd: {every: 10s, deadline: 30s, units: [lab-works, godwitd, "systemd-time*"]}
  time: {every: 5s, deadline: 30s}
  dns: {every: 5s, query: $DNS_NAME, record: A, deadline: 30s}
  packages: {every: 10s, deadline: 1m}
  vm: {every: 5s}
  processes: {every: 10s, deadline: 30s, watch: [{name: works, unit: lab-works}]}
alerts:
  - {name: unit-failed, when: "systemd.unit_failed > 0"}
  - {name: unit-down, when: "systemd.unit_active{unit=\"lab-works.service\"} < 1", severity: critical}
PROFILE
[ "$(property godwitd ActiveState)" = active ]; await "[ \"\$(alert unit-down | cut -d \" \" -f 1)\" = ok ]"'
ok "it is held down as its unit says" 'status=/proc/$(property godwitd MainPID)/status
grep -q "^Seccomp:.2" $status; grep -q "^NoNewPrivs:.1" $status; grep -q "^CapEff:.0000000000000000" $status; grep -q "^CapBnd:.0000000000000000" $status
[ "$(stat -c %U /proc/$(property godwitd MainPID))" = godwit ]
group=/sys/fs/cgroup$(property godwitd ControlGroup); [ "$(cat $group/memory.max)" = 67108864 ]; [ "$(cat $group/pids.max)" = 128 ]
if grep -E "^(max|oom|oom_kill) [1-9]" $group/memory.events; then exit 1; fi; grep -q "^max 0" $group/pids.events; note "$(($(cat $group/memory.current) / 1024)) KiB, $(cat $group/pids.current) tasks"'
# Every kind that stands in the profile must give its values at some time: a machine this slow gives up single samples.
states() { godwit status --profile $PROFILE --json | sed 's/{"/\n&/g' | sed -n 's/^{.*"name":"\([a-z]*\)".*"state":"\([a-z ]*\)".*/\1 \2/p' >>/tmp/states; }
export -f states
all_work() { states; [ "$(grep ' ok$' /tmp/states | sort -u | wc -l)" = 8 ]; }
export -f all_work
ok "each sensor works within that" 'await all_work || { sort /tmp/states | uniq -c; exit 1; }'
ok "vm is what systemd-detect-virt says" 'report; grep -q "^vm.info{.*hypervisor=\"$(systemd-detect-virt --vm)\"" /tmp/report; note "$(grep ^vm.info /tmp/report)"'
ok "packages as dpkg-query counts" 'await "report; [ -n \"\$(value packages.installed{manager=\\\"dpkg\\\"})\" ]"; [ "$(value "packages.installed{manager=\"dpkg\"}")" = "$(dpkg-query -Wf "\${db:Status-Status}\n" | grep -cx installed)" ]; note "$(value "packages.installed{manager=\"dpkg\"}")"'
# The sensor counts what systemd lists as loaded; between two questions nothing may have changed.
counts() { systemctl list-units --all --plain --no-legend | awk '{ print $3 }' | sort | uniq -c; }
units() { counts >/tmp/before; report; counts >/tmp/after; cmp /tmp/before /tmp/after; while read -r number name; do [ "$(value "systemd.units{state=\"$name\"}")" = "$number" ] || return 1; done </tmp/after; }
export -f counts units
ok "units by state as systemctl lists them" 'await units; note "$(tr -s "\n " " " </tmp/after)"'
ok "the system's state, restarts and changes of a unit" 'report; [ "$(value "systemd.state{state=\"$(systemctl is-system-running)\"}")" = 1 ]
for unit in godwitd systemd-timesyncd; do [ "$(value "systemd.unit_restarts_total{unit=\"$unit.service\"}")" = "$(property $unit NRestarts)" ]; [ "$(value "systemd.unit_active{unit=\"$unit.service\"}")" = 1 ]
within "$(value "systemd.unit_changed_seconds{unit=\"$unit.service\"}")" "$(date -d "$(property $unit StateChangeTimestamp)" +%s)" 0 1; done'
ok "time to boot as systemd-analyze says" 'report; line=$(systemd-analyze time | head -n 1); for phase in kernel userspace; do span=$(echo "$line" | sed "s/.* \(in\|+\) \([0-9a-z. ]*\) ($phase).*/\2/"); within "$(value "systemd.boot_seconds{phase=\"$phase\"}")" "$(seconds "$span")" 0 0.0011; done # systemd-analyze cuts off what is below a millisecond
within "$(value "systemd.boot_seconds{phase=\"total\"}")" "$(seconds "$(echo "$line" | sed "s/.*= \([0-9a-z. ]*\).*/\1/")")" 0 0.002'
# timedatectl computes from the same answer of the server, unless a new one came in between.
timesync() {
  timedatectl timesync-status >/tmp/before; sleep 6; report; timedatectl timesync-status >/tmp/after; cmp /tmp/before /tmp/after || return 1
  field() { sed -n "s/^ *$1: *\([^()]*[^() ]\).*/\1/p" /tmp/after; }
  within "$(value time.offset_seconds)" "$(seconds "$(field Offset)")" 0.01 0.000002 && within "$(value time.jitter_seconds)" "$(seconds "$(field Jitter)")" 0.01 0.000002 &&
    within "$(value time.root_delay_seconds)" "$(seconds "$(field Delay)")" 0.01 0.00002 && [ "$(value 'time.source_selected{source="127.0.0.1"}')" = 1 ] &&
    within "$(value 'time.source_stratum{source="127.0.0.1"}')" "$(field Stratum)" 0 0
}
export -f timesync
ok "time as timedatectl says" 'await timesync; note "$(grep -E "Offset|Jitter|Stratum" /tmp/after | tr -s "\n " " ")"'
resolved() {
  resolvectl statistics >/tmp/before; report; resolvectl statistics >/tmp/after; cmp /tmp/before /tmp/after || return 1
  field() { sed -n "s/^ *$1: *//p" /tmp/after; }
  local stub='{resolver="systemd-resolved"}'
  [ "$(value "dns.cache_hits_total$stub")" = "$(field 'Cache Hits')" ] && [ "$(value "dns.cache_misses_total$stub")" = "$(field 'Cache Misses')" ] && [ "$(field 'Cache Hits')" -gt 0 ]
}
export -f resolved
ok "resolver and its cache as resolvectl says" 'await resolved; [ "$(value "dns.up{resolver=\"127.0.0.53\"}")" = 1 ]; [ "$(value "dns.up{resolver=\"127.0.0.2\"}")" = 1 ]; note "$(grep -E "Cache" /tmp/after | tr -s "\n " " ")"'
ok "a unit fails" 'mark; rm /run/lab-works; systemctl kill -s KILL lab-works; await "[ \"\$(property lab-works ActiveState)\" = failed ]"'
ok "its alert" 'alerted unit-failed firing 10'
ok "its name and restarts as systemctl says" 'await "report; [ \"\$(value \"systemd.unit_failed{unit=\\\"lab-works.service\\\"}\")\" = 1 ]"; [ "$(value "systemd.unit_restarts_total{unit=\"lab-works.service\"}")" = "$(property lab-works NRestarts)" ]; [ "$(value "systemd.state{state=\"degraded\"}")" = 1 ]; [ "$(systemctl is-system-running)" = degraded ]
[ "$(grep -c "^systemd.unit_failed{.* 1$" /tmp/report)" = "$(systemctl list-units --failed --plain --no-legend | wc -l)" ]; note "$(property lab-works NRestarts) restarts"'
ok "it is mended" 'touch /run/lab-works; systemctl reset-failed lab-works; mark; systemctl start lab-works'
ok "its alerts clear" 'alerted unit-down ok 5; alerted unit-failed ok 5'
ok "a changed profile is taken over, a bad one is not" 'sed -i "s/vm: {every: 5s}/vm: {every: 7s}/" $PROFILE; systemctl reload godwitd; await "godwit status --profile $PROFILE --json | grep -q \"\\\"name\\\":\\\"vm\\\".*\\\"every_ms\\\":7000\""
cp $PROFILE /tmp/good; echo "nonsense: 1" >>$PROFILE; systemctl reload godwitd; await "journalctl -u godwitd | grep -q nonsense"; cp /tmp/good $PROFILE; [ "$(property godwitd NRestarts)" = 0 ]'
ok "one that freezes is started again by its service manager" 'kill -STOP $(property godwitd MainPID); before=$(property godwitd MainPID); for i in 1 2 3 4; do await "[ \$(property godwitd NRestarts) = 1 ]" >/dev/null && break; done; await "[ \$(property godwitd ActiveState) = active ]"; [ "$(property godwitd MainPID)" != "$before" ]; journalctl -u godwitd | grep -q "Watchdog timeout"'
ok "it ends in order" 'systemctl stop godwitd; [ "$(property godwitd Result)" = success ]; [ "$(property godwitd ExecMainStatus)" = 0 ]; await "grep -q \"/state offline\" /tmp/messages"'
