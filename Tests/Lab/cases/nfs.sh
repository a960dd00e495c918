# A file system of the kernel's own NFS server, mounted hard: while the server is stopped whoever asks for it hangs, all but the agent.
#limit 600
modprobe nfsd
modprobe nfsv4
mount -t nfsd nfsd /proc/fs/nfsd
# Clients may write 10 s after a start of the server, not 90 s: Documentation/filesystems/nfs/nfs41-server.rst.
echo 10 >/proc/fs/nfsd/nfsv4leasetime
echo 10 >/proc/fs/nfsd/nfsv4gracetime
mkdir -p /srv/lab /mnt/nfs
mount -t tmpfs -o size=16M lab /srv/lab
touch /etc/exports
exportfs -o rw,insecure,no_subtree_check,no_root_squash,fsid=0 127.0.0.1:/srv/lab
rpc.mountd -N 2 -N 3
serve() { rpc.nfsd -N 3 -V 4 "$1"; }
# answer: whether the mount answers the sensor.
answer() { values mounts "{include: [/mnt/nfs], answer_within: 1s}" | sed -n 's/^ *mounts\.responding{mount="\/mnt\/nfs"} *\([0-9.]*\).*/\1/p'; }
# gaps: how many numbers are missing among the reported ticks.
gaps() { metrics | sed -n 's/.*"seq":\([0-9]*\).*/\1/p' | awk 'last && $1 != last + 1 { count++ } { last = $1 } END { print count + 0 }'; }
export -f serve answer gaps
ok "a server and its client" 'serve 1; mount.nfs4 -o hard,timeo=10 127.0.0.1:/ /mnt/nfs; findmnt -no OPTIONS /mnt/nfs | grep -q hard; [ "$(answer)" = 1 ]'
ok "an agent that reports" 'reporting <<PROFILE
sensors: {memory: , disk: {every: 2s}, mounts: {required: [/mnt/nfs], every: 5s, answer_within: 1s}}
alerts: [{name: server-silent, when: "mounts.responding{mount=\"/mnt/nfs\"} == 0", severity: critical}]
PROFILE
await "alert server-silent | grep -q ^ok"'
ok "the server stops: who asks hangs" 'mark; serve 0; ! timeout 3 stat -f /mnt/nfs; [ "$(answer)" = 0 ]'
ok "its alert" 'alerted server-silent firing 5'
ok "meanwhile each tick has its values" 'from=$(cat /tmp/mark); await "[ \"\$(ticks $from Z)\" -ge 20 ]"; [ "$(gaps)" = 0 ]
  metrics | awk -v from="$from" "\$1 > from { all++ } \$1 > from && /\"memory\":/ { memory++ } \$1 > from && /\"disk\":/ { disk++ }
    END { print all, memory, disk; exit !(memory == all && disk >= all / 3) }"; findmnt -no FSTYPE /mnt/nfs | grep -q nfs4'
ok "the server returns, and the alert clears" 'mark; serve 1; await "timeout 3 stat -f /mnt/nfs"; mark; alerted server-silent ok 5; [ "$(answer)" = 1 ]'
