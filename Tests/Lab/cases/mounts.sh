# An ext4 that an error of its disk stops, and a mount that goes, each with its alert.
#limit 600
modprobe brd rd_nr=1 rd_size=65536
modprobe dm_mod
export SETTINGS='{required: [/mnt/bad], every: 1s}'
# mounts NAME: a value of /mnt/bad.
mounts() { values mounts "$SETTINGS" | sed -n "s/^ *mounts\.$1{mount=\"\/mnt\/bad\"} *\([0-9.]*\).*/\1/p"; }
export -f mounts
ok "a mount in order" 'dmsetup create bad --table "0 131072 linear /dev/ram0 0"; mkfs.ext4 -qF /dev/mapper/bad; mkdir -p /mnt/bad; mount /dev/mapper/bad /mnt/bad; [ "$(mounts present)" = 1 ]; [ "$(mounts read_only)" = 0 ]; [ "$(mounts filesystem_errors)" = 0 ]'
ok "an agent that reports" 'reporting <<PROFILE
sensors: {memory: , mounts: {required: [/mnt/bad], every: 5s}}
alerts:
  - {name: disk-errors, when: "mounts.filesystem_errors > 0", severity: critical}
  - {name: mount-missing, when: "mounts.present == 0"}
  - {name: mount-read-only, when: "mounts.read_only{mount=\"/mnt/bad\"} == 1"}
PROFILE
await "alert disk-errors | grep -q ^ok"'
ok "errors are counted though it says rw" 'mark; dmsetup suspend bad; dmsetup load bad --table "0 131072 error"; dmsetup resume bad; ! touch /mnt/bad/a; ! ls -R /mnt/bad/lost+found; await "[ \"\$(mounts filesystem_errors)\" != 0 ]"; findmnt -no OPTIONS /mnt/bad'
ok "their alert" 'alerted disk-errors firing 5'
ok "a required mount that is missing" 'mark; umount /mnt/bad; [ "$(mounts present)" = 0 ]'
ok "its alert" 'alerted mount-missing firing 5'
ok "read-only as findmnt says" 'dmsetup suspend bad; dmsetup load bad --table "0 131072 linear /dev/ram0 0"; dmsetup resume bad; mkfs.ext4 -qF /dev/mapper/bad; mark; mount -o ro /dev/mapper/bad /mnt/bad; findmnt -no OPTIONS /mnt/bad | grep -q "^ro"; [ "$(mounts read_only)" = 1 ]'
ok "the alerts of what is there again, and of what is read-only" 'alerted disk-errors ok 5; alerted mount-missing ok 5; alerted mount-read-only firing 5'
