# Containers of Podman under systemd, cgroup version 2: what the agent as its unit reports of their control groups beside podman stats; names and states
# by the engine's socket beside podman ps; a process that is killed for want of memory raises its alert.
#appliance
#memory 1536
#limit 1500
# It eats when it is told to; its child is what the kernel kills.
cat >/srv/container/hungry <<'HUNGRY'
while true; do
  if [ -e /eat ]; then
    busybox rm /eat
    sh -c 'x=a; while true; do x=$x$x; done'
  fi
  sleep 1
done
HUNGRY
# The root is laid over another already, and a third layer the kernel refuses.
printf '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n' >/etc/containers/storage.conf
ok "an image and a container" 'tar -C /srv/container -c . | podman import -q - lab; podman run -d --name busy --network none --memory 64m --pids-limit 50 --cpus 0.3 lab sh -c "while true; do true; done"; [ "$(podman info -f "{{.Host.CgroupsVersion}} {{.Host.CgroupManager}}")" = "v2 systemd" ]'
podman inspect -f '{{.Id}}' busy >/tmp/busy
export SHORT="$(head -c 12 /tmp/busy)"
# container NAME OF: a value of the agent's.
container() { value "containers.$1{container=\"${2:-$SHORT}\",engine=\"podman\"}"; }
stats() { podman stats --no-stream --format "{{.$1}}" "${2:-busy}"; }
export -f container stats
ok "the agent as its unit reports" 'install_agent <<PROFILE
sensors: {memory: , containers: {every: 5s, sockets: []}}
alerts:
  - {name: container-oom, when: "containers.oom_kills_total > 0", severity: critical}
  - {name: container-gone, when: "containers.running == 0"}
PROFILE
await "report; [ \"\$(container running)\" = 1 ]"'
ok "memory, its limit, processes as the engine says" 'within "$(container memory_limit_bytes)" 67108864 0 0; within "$(container process_limit)" 50 0 0; report; within "$(container processes)" "$(stats PIDs)" 0 1; note "$(container memory_bytes) B, $(stats MemUsage)"'
# The limit of the processor is on a control group of crun's own.
limited() { report; local periods; periods=$(awk '/^nr_periods/ { print $2 }' /sys/fs/cgroup/machine.slice/libpod-$(cat /tmp/busy).scope/container/cpu.stat); [ "$(container periods)" -gt 0 ] && within "$periods" "$(container periods)" 0.3 100; }
export -f limited
ok "periods of its processor limit, and that it waits" 'await limited; [ "$(container throttled_periods)" -gt 0 ]; note "$(container periods), $(container throttled_periods) throttled"'
usage() { report; echo "$(container cpu_seconds) $(awk '/^usage_usec/ { print $2 / 1e6 }' /sys/fs/cgroup/machine.slice/libpod-$(cat /tmp/busy).scope/cpu.stat)"; }
export -f usage
ok "processor time as its control group counts" 'read -r told counted <<<"$(usage)"; within "$counted" "$told" 0 5; note "$told s, $counted s"'
# Its socket starts the engine for each question, which takes longer here than the sensor waits: one that runs already.
named() { values containers "{sockets: [/run/podman/lab.sock]}" >/tmp/named; grep -q "containers.running{container=\"busy\",engine=\"podman\"} *1" /tmp/named; }
export -f named
ok "names, image and state through the engine's socket" 'systemd-run -q --unit lab-engine podman system service --time 0 unix:///run/podman/lab.sock; await named || { cat /tmp/named; exit 1; }; grep -q "containers.state{container=\"busy\",engine=\"podman\",state=\"$(podman inspect -f "{{.State.Status}}" busy)\"} *1" /tmp/named || { cat /tmp/named; exit 1; }; grep -q "containers.info{container=\"busy\",engine=\"podman\",image=\"$(podman inspect -f "{{.ImageName}}" busy)\"}" /tmp/named || { cat /tmp/named; exit 1; }; note "$(podman inspect -f "{{.Name}} {{.ImageName}} {{.State.Status}}" busy)"'
# When it was killed is what counts: to get there takes its time here.
killed() { grep -q "^oom_kill [1-9]" /sys/fs/cgroup/machine.slice/libpod-$(cat /tmp/hungry).scope/memory.events; }
export -f killed
ok "a process is killed for want of memory" 'podman run -d --name hungry --network none --memory 16m --memory-swap 16m lab sh /hungry >/tmp/hungry; SHORT=$(head -c 12 /tmp/hungry); await "report; [ \"\$(container oom_kills_total $SHORT)\" = 0 ]"; await "[ \"\$(alert container-oom | cut -d \" \" -f 1)\" = ok ]"; mark; echo >/proc/$(head -n 1 /sys/fs/cgroup/machine.slice/libpod-$(cat /tmp/hungry).scope/container/cgroup.procs)/root/eat; for i in $(seq 300); do ! killed || break; mark; sleep 0.1; done; killed'
ok "its alert" 'alerted container-oom firing 5'
ok "killed as often as the kernel counts" 'SHORT=$(head -c 12 /tmp/hungry); report; [ "$(container oom_kills_total $SHORT)" = "$(awk "/^oom_kill / { print \$2 }" /sys/fs/cgroup/machine.slice/libpod-$(cat /tmp/hungry).scope/memory.events)" ]'
ok "one that is stopped runs no more" 'podman kill busy; await "report; [ \"\$(container running)\" != 1 ]"'
