# The health of an emulated NVMe drive beside nvme-cli, and of an ATA disk by smartctl.
#limit 180
#qemu -blockdev driver=null-co,node-name=nv,size=67108864,read-zeroes=on -device nvme,id=nvme0,serial=LABNVME,drive=nv
#qemu -blockdev driver=null-co,node-name=hd,size=67108864,read-zeroes=on -device ide-hd,drive=hd,serial=LABATA,bus=ide.0
modprobe nvme
modprobe ahci
modprobe sd_mod
await '[ -e /dev/nvme0n1 ] && [ -e /dev/sda ]'
# smart NAME DEVICE: a value.
smart() { values smart | sed -n "s/^ *smart\.$1{device=\"$2\"} *\([0-9.]*\).*/\1/p"; }
# log KEY: what nvme-cli reads.
log() { nvme smart-log /dev/nvme0 -o json | sed -n "s/^ *\"$1\" *: *\"*\([0-9]*\).*/\1/p"; }
export -f smart log
ok "an NVMe drive as nvme-cli sees it" '[ "$(smart temperature_celsius nvme0)" = $(($(log temperature) - 273)) ]; [ "$(smart wear_percent nvme0)" = "$(log percent_used)" ]; [ "$(smart spare_threshold_percent nvme0)" = "$(log spare_thresh)" ]; [ "$(smart power_cycles nvme0)" = "$(log power_cycles)" ]; [ "$(smart power_on_seconds nvme0)" = $(($(log power_on_hours) * 3600)) ]'
ok "its verdict" '[ "$(smart healthy nvme0)" = 1 ]; [ "$(smart failing_soon nvme0)" = 0 ]'
ok "an ATA disk by smartctl" 'smartctl -H /dev/sda | grep -q PASSED; [ "$(smart healthy sda)" = 1 ]; [ "$(smart standby sda)" = 0 ]; [ "$(smart reallocated_sectors sda)" = 0 ]'
