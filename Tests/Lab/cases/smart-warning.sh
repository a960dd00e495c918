#host
# An NVMe drive that begins to warn of itself, and stops: the alert of a failing disk.
lab=Tests/Lab/lab.sh
name="smart-$$"
trap '"$lab" cut "$name"' EXIT
inside() { LAB_LIMIT=300 "$lab" exec "$name" ". ./prelude.sh; $1"; }
# warn BITS: the critical warnings of the drive's log; 4 is its reliability (NVM Express base specification, SMART / health information).
warn() { "$lab" hmp "$name" "qom-set /machine/peripheral/nvme0 smart_critical_warning $1"; }

"$lab" start -t 300 -m 640 -q '-blockdev driver=null-co,node-name=nv,size=67108864,read-zeroes=on' -q '-device nvme,id=nvme0,serial=LABNVME,drive=nv' \
  -f "$LAB_PROGRAMS/godwit" -f "$LAB_PROGRAMS/godwitd" -f Tests/Lab/prelude.sh "$name"
inside 'modprobe nvme; await "[ -e /dev/nvme0n1 ]"
ok "an agent that reports" "reporting <<PROFILE
sensors: {memory: , smart: {every: 5s}}
alerts: [{name: disk-failing, when: \"smart.healthy == 0\", severity: critical}]
PROFILE
await \"alert disk-failing | grep -q ^ok\""; mark'
warn 4
inside 'ok "the alert of a drive that warns" "alerted disk-failing firing 5; nvme smart-log /dev/nvme0 -o json | grep critical_warning | grep -q 4"; mark'
warn 0
inside 'ok "it clears" "alerted disk-failing ok 5"'
