# An ext4 that an error of its disk stops, and a mount that goes.
#limit 180
modprobe brd rd_nr=1 rd_size=65536
modprobe dm_mod
export SETTINGS='{required: [/mnt/bad], every: 1s}'
# mounts NAME: a value of /mnt/bad.
mounts() { values mounts "$SETTINGS" | sed -n "s/^ *mounts\.$1{mount=\"\/mnt\/bad\"} *\([0-9.]*\).*/\1/p"; }
export -f mounts
ok "a mount in order" 'dmsetup create bad --table "0 131072 linear /dev/ram0 0"; mkfs.ext4 -qF /dev/mapper/bad; mkdir -p /mnt/bad; mount /dev/mapper/bad /mnt/bad; [ "$(mounts present)" = 1 ]; [ "$(mounts read_only)" = 0 ]; [ "$(mounts filesystem_errors)" = 0 ]'
ok "errors are counted though it says rw" 'dmsetup suspend bad; dmsetup load bad --table "0 131072 error"; dmsetup resume bad; ! touch /mnt/bad/a; ! ls -R /mnt/bad/lost+found; await "[ \"\$(mounts filesystem_errors)\" != 0 ]"; findmnt -no OPTIONS /mnt/bad'
ok "a required mount that is missing" 'umount /mnt/bad; [ "$(mounts present)" = 0 ]'
ok "read-only as findmnt says" 'dmsetup suspend bad; dmsetup load bad --table "0 131072 linear /dev/ram0 0"; dmsetup resume bad; mkfs.ext4 -qF /dev/mapper/bad; mount -o ro /dev/mapper/bad /mnt/bad; findmnt -no OPTIONS /mnt/bad | grep -q "^ro"; [ "$(mounts read_only)" = 1 ]'
