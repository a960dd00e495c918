# A share of Samba: a server that is silent, with its connections open, holds up whoever asks for it, all but the agent.
#limit 600
modprobe cifs
mkdir -p /srv/lab /mnt/smb /run/samba /var/lib/samba/private /var/cache/samba /var/log/samba
printf '[global]\nworkgroup = LAB\nsecurity = user\nmap to guest = bad user\nguest account = root\ninterfaces = lo\nbind interfaces only = yes\ndisable netbios = yes\n' >/tmp/smb.conf
printf 'load printers = no\nprintcap name = /dev/null\nlog file = /tmp/smb.log\n[lab]\npath = /srv/lab\nguest ok = yes\nread only = no\n' >>/tmp/smb.conf
# answer: whether the mount answers the sensor.
answer() { values mounts "{include: [/mnt/smb], answer_within: 1s}" | sed -n 's/^ *mounts\.responding{mount="\/mnt\/smb"} *\([0-9.]*\).*/\1/p'; }
# Without the helper of cifs-utils the address is given as mount.cifs would.
connect() { mount -i -t cifs -o ip=127.0.0.1,username=nobody,password=,vers=3.1.1,hard //127.0.0.1/lab /mnt/smb; }
export -f answer connect
ok "a server and its client" 'smbd -D -s /tmp/smb.conf; await connect || { cat /tmp/smb.log; dmesg | tail -n 5; exit 1; }; [ "$(answer)" = 1 ]'
ok "an agent that reports" 'reporting <<PROFILE
sensors: {memory: , disk: {every: 2s}, mounts: {required: [/mnt/smb], every: 5s, answer_within: 1s}}
alerts: [{name: server-silent, when: "mounts.responding{mount=\"/mnt/smb\"} == 0", severity: critical}]
PROFILE
await "alert server-silent | grep -q ^ok"'
ok "the server falls silent" 'mark; kill -STOP $(pidof smbd); [ "$(answer)" = 0 ]'
ok "its alert" 'alerted server-silent firing 5'
ok "the server goes on, and the alert clears" 'mark; kill -CONT $(pidof smbd); alerted server-silent ok 5; [ "$(answer)" = 1 ]'
