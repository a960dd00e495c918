# A mirror of md that loses a disk and gets another, with its alert; a thin pool and a volume of LVM. mdadm and lvs are run as the other reader.
#limit 600
modprobe brd rd_nr=4 rd_size=65536
modprobe raid1
# raid NAME: the value of a series of md0.
raid() { values raid | sed -n "s/^ *raid\.$1{array=\"md0\",type=\"md\"} *\([0-9.]*\).*/\1/p"; }
# detail WORDS: a number of `mdadm --detail`.
detail() { mdadm --detail /dev/md0 | sed -n "s/^ *$1 : \([0-9]*\).*/\1/p"; }
export -f raid detail
ok "a mirror in order" 'mdadm -q -C /dev/md0 --run -l1 -n2 --metadata=0.90 --assume-clean /dev/ram0 /dev/ram1; [ "$(raid working)" = 1 ]; [ "$(raid degraded)" = 0 ]; [ "$(raid devices)" = "$(detail "Raid Devices")" ]; [ "$(raid devices_failed)" = 0 ]'
ok "an agent that reports" 'reporting <<PROFILE
sensors: {memory: , raid: {every: 5s}}
alerts: [{name: array-degraded, when: "raid.degraded == 1", severity: critical}]
PROFILE
await "[ \"\$(alert array-degraded | cut -d \" \" -f 1)\" = ok ]"'
ok "a disk fails" 'mark; mdadm -q /dev/md0 -f /dev/ram1; [ "$(raid degraded)" = 1 ]; [ "$(raid devices_failed)" = 1 ]; [ "$(detail "Failed Devices")" = 1 ]; values raid | grep -q "raid.device_failed{array=\"md0\",device=\"ram1\",type=\"md\"} *1"'
ok "its alert" 'alerted array-degraded firing 5'
ok "a rebuild and how far it is" 'echo 1000 >/proc/sys/dev/raid/speed_limit_max; mdadm -q /dev/md0 -r /dev/ram1; mdadm -q /dev/md0 -a /dev/ram2; await "[ \"\$(raid rebuilding)\" = 1 ]"; await "[ -n \"\$(raid sync_percent)\" ]"; [ "$(raid degraded)" = 1 ]'
ok "the mirror is whole again" 'echo 200000 >/proc/sys/dev/raid/speed_limit_max; await "grep -q UU /proc/mdstat"; mark; await "[ \"\$(raid degraded)\" = 0 ]"; [ "$(raid rebuilding)" = 0 ]; [ "$(detail "Active Devices")" = "$(raid devices)" ]'
ok "its alert clears" 'alerted array-degraded ok 5'
ok "one that is stopped is no array" 'mdadm -q --stop /dev/md0; values raid | grep -q "absent: raid"'
# lvs has 1.5 s for its answer, which this machine may take with others at work.
ok "use of a thin pool" 'kill $(cat /tmp/agent.pid) $(pidof mosquitto mosquitto_sub); modprobe dm_thin_pool; A="--config activation{udev_sync=0}"; pvcreate -q $A -ffy /dev/ram3; vgcreate -q $A vg0 /dev/ram3; lvcreate -q $A -T -L 16M vg0/pool; P=$(lvs --noheadings -o data_percent vg0/pool | tr -d " "); await "values raid | grep -q \"raid.used_percent{array=\\\"vg0/pool\\\",type=\\\"lvm\\\"} *${P%0}\""'
