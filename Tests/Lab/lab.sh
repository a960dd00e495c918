#!/bin/bash
# lab.sh - a hardware lab in a VM: boots Debian's own kernel in qemu with a small
# initramfs and a tools image, runs commands in the guest, and hands back their
# output and exit status.  README.md beside this file says what can be tested.
#
#   lab.sh build                      download, unpack and build (idempotent)
#   lab.sh run   [options] [-- CMD…]  boot, run CMD (else stdin, a script), power off
#   lab.sh start [options] NAME       boot a guest that stays up, and reboots when reset
#   lab.sh exec  NAME CMD…            run CMD in it
#   lab.sh hmp   NAME LINE            one line of qemu's monitor, its answer printed
#   lab.sh boots NAME                 how often it has booted; with N: wait for the Nth
#   lab.sh cut   NAME                 power cut: SIGKILL to qemu, the guest flushes nothing
#   lab.sh stop  NAME                 orderly power-off
#
# options (run and start):
#   -a kvm|tcg     accelerator                (kvm where the CPU's own is there, else tcg)
#   -m MB          memory                     (512)
#   -c N           virtual CPUs               (1)
#   -t S           give up after S seconds    (60; start: to become ready)
#   -s DIR         the guest's /share is DIR  (9p, writable)
#   -f FILE        copy FILE into the guest's working directory, /case (repeatable)
#   -d NAME=FILE   raw disk FILE is /dev/lab/NAME (virtio; repeatable)
#   -p HOST:GUEST  network card; 127.0.0.1:HOST here reaches port GUEST there (repeatable)
#   -q 'ARGS'      more qemu arguments, split at blanks (repeatable)
#   -k 'ARGS'      more kernel parameters
#   -A             a whole Debian with systemd as PID 1, which appliance.sh has built
#   -b             boot vmlinuz, not the unpacked vmlinux
#   -K             keep the run's directory and print its path (run)
#
# Exit status: the guest command's; 124: timed out; 125: the guest died before the
# command ended (the end of its console goes to stderr).
# Environment: LAB_CACHE (.build/lab), LAB_LOGLEVEL (4), LAB_LIMIT
# (exec's limit, 60 s), LAB_DISK_CACHE (qemu's cache mode of -d disks, writeback).
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
C=${LAB_CACHE:-$(cd "$HERE/../.." && pwd)/.build/lab}
VMS=$C/vm
ROOT=$C/root

TOOLS="busybox-static bash coreutils findutils grep sed mawk mount hostname kmod util-linux
 procps tzdata iproute2 iputils-ping ethtool e2fsprogs i2c-tools gpiod iw wireless-tools
 hostapd wpasupplicant rfkill mdadm lvm2 dmsetup nvme-cli smartmontools hdparm sg3-utils
 sqlite3 libsqlite3-0 libmosquitto1 libyaml-0-2 libgpiod2 zlib1g mosquitto mosquitto-clients
 nfs-kernel-server nfs-common samba"
# what the initramfs loads; dependencies are added from modules.dep
BOOTMODS="virtio_pci virtio_blk ext4 crc32c_generic overlay 9pnet_virtio 9p"
# module trees that no monitoring test needs
DROPMODS="sound drivers/gpu drivers/media drivers/infiniband drivers/staging
 drivers/comedi drivers/isdn drivers/net/ethernet"
# the kernel's own sources of modules that Debian leaves unbuilt
KSOURCES="drivers/gpio/gpio-sim.c drivers/gpio/gpio-mockup.c drivers/gpio/gpiolib.h
 kernel/irq/irq_sim.c drivers/power/supply/test_power.c"

die() { echo "lab: $*" >&2; exit 2; }
note() { echo "lab: $*" >&2; }
stamp() { touch "$C/.$1"; }
fresh() { # fresh STEP FILE…: STEP's stamp is there and newer than every FILE
    local s=$C/.$1 f; shift
    [ -e "$s" ] || return 1
    for f; do [ ! "$f" -nt "$s" ] || return 1; done
}
download() { (cd "$C/kdeb" && apt-get -qq -o APT::Sandbox::User=root download "$@"); }
kver() { cat "$C/kver"; }

# ------------------------------------------------------------------- build

fetch() {
    local a=()
    mkdir -p "$C"/{kdeb,debs/partial}
    if [ -e "$C/.fetch" ] && [ "$(cat "$C/.tools" 2>/dev/null)" = "$TOOLS" ]; then return; fi
    note "fetching the kernel and the tools"
    [ -s "$C/kver" ] || apt-cache depends linux-image-amd64 |
        sed -n 's/.*Depends: linux-image-\([0-9].*\)/\1/p' >"$C/kver"
    [ -s "$C/kver" ] || die "apt knows no linux-image-amd64: apt-get update"
    ls "$C/kdeb/linux-image-$(kver)"_* >/dev/null 2>&1 || download "linux-image-$(kver)"
    # an empty dpkg status makes apt resolve the whole closure, libc included
    : >"$C/debs/status"
    a=(-o Dir::State::status="$C/debs/status" -o Dir::Cache::archives="$C/debs"
        -o Debug::NoLocking=1 -o APT::Sandbox::User=root --no-install-recommends)
    # shellcheck disable=SC2086
    apt-get -qqy "${a[@]}" --download-only install $TOOLS >"$C/debs/log"
    echo "$TOOLS" >"$C/.tools"; stamp fetch
}

unpack() {
    fresh unpack "$C/.fetch" && return
    note "unpacking"
    local d
    rm -rf "$ROOT" "$C/kern"
    mkdir -p "$ROOT/usr/"{bin,sbin,lib,lib64} "$C/kern"
    for d in bin sbin lib lib64; do ln -s "usr/$d" "$ROOT/$d"; done
    # not dpkg -x, which would put directories where the merged /usr has links
    for d in "$C"/debs/*.deb; do
        dpkg-deb --fsys-tarfile "$d" | tar -x --no-same-owner --keep-directory-symlink -C "$ROOT"
    done
    rm -rf "$ROOT"/usr/share/{doc,man,locale,info,lintian,bash-completion,i18n,perl} "$ROOT"/usr/lib/python3*/test
    dpkg -x "$C/kdeb/linux-image-$(kver)"_*.deb "$C/kern"
    for d in $DROPMODS; do rm -rf "$C/kern/lib/modules/$(kver)/kernel/$d"; done
    mv "$C/kern/lib/modules" "$ROOT/usr/lib/modules"
    # PVH boots the bare vmlinux, which spares the guest the unpacking of its kernel
    python3 - "$C/kern/boot/vmlinuz-$(kver)" "$C/vmlinux" <<'PY' || note "booting vmlinuz, then"
import lzma, sys
z = open(sys.argv[1], 'rb').read()
out = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(z[z.index(b'\xfd7zXZ\0'):])
assert out[:4] == b'\x7fELF'
open(sys.argv[2], 'wb').write(out)
PY
    stamp unpack
}

kmods() { # modules out of tree, against Debian's headers
    fresh kmods "$C/.unpack" "$HERE"/kmod/* && return
    note "building kernel modules"
    local b=$C/kmod h=$C/hdr v p; v=$(kver)
    if [ ! -e "$h/.done-$v" ]; then
        rm -rf "$h"; mkdir -p "$h/source"
        p=$(dpkg-deb -f "$C/kdeb/linux-image-${v}"_*.deb Version)
        download "linux-headers-$v=$p" "linux-headers-${v%-*}-common=$p" "linux-kbuild-${v%.*-*-*}=$p" "linux-source-${v%.*-*-*}=$p"
        for p in "$C"/kdeb/linux-{headers,kbuild}-*.deb; do dpkg -x "$p" "$h"; done
        sed -i "s,/usr/src/,$h/usr/src/," "$h/usr/src/linux-headers-$v/Makefile"
        dpkg-deb --fsys-tarfile "$C"/kdeb/linux-source-*.deb |
            tar -xO --wildcards '*/linux-source-*.tar.xz' | xz -d |
            tar -x --strip-components=1 -C "$h/source" $(printf "linux-source-${v%.*-*-*}/%s " $KSOURCES)
        rm -f "$C"/kdeb/linux-source-*.deb
        touch "$h/.done-$v"
    fi
    rm -rf "$b"; mkdir -p "$b"; cp "$HERE"/kmod/* "$b/"
    for p in $KSOURCES; do cp "$h/source/$p" "$b/"; done
    # irq_to_desc is not exported to modules, generic_handle_irq_safe is
    sed -i 's/handle_simple_irq(irq_to_desc(\([a-z]*\)))/generic_handle_irq_safe(\1)/
            1,/^#include/s/^#include/#include <linux\/module.h>\n#include/
            $a MODULE_LICENSE("GPL");' "$b/irq_sim.c"
    make -s -C "$h/usr/src/linux-headers-$v" M="$b" modules >"$b/log" 2>&1 || { cat "$b/log" >&2; die "kernel modules"; }
    install -d "$ROOT/usr/lib/modules/$v/extra"
    for p in "$b"/*.ko; do objcopy --strip-debug "$p" "$ROOT/usr/lib/modules/$v/extra/${p##*/}"; done
    stamp kmods
}

with_deps() { # the files of the modules named, dependencies first
    awk -v want="$*" '
        { f = $1; sub(/:$/, "", f); n = f; sub(/.*\//, "", n); sub(/\.ko.*/, "", n); gsub(/-/, "_", n)
          file[n] = f; dep[n] = ""; for (i = NF; i > 1; i--) dep[n] = dep[n] " " $i }
        END { k = split(want, w, " ")
              for (i = 1; i <= k; i++) {
                  if (!(w[i] in file)) { print "no module " w[i] >"/dev/stderr"; exit 1 }
                  j = split(dep[w[i]], d, " ")
                  for (x = 1; x <= j; x++) if (!seen[d[x]]++) print d[x]
                  if (!seen[file[w[i]]]++) print file[w[i]] } }' "$ROOT/usr/lib/modules/$(kver)/modules.dep"
}

image() {
    fresh image "$C/.kmods" "$0" && return
    note "building the tools image and the initramfs"
    local i=$C/initrd f n l=$ROOT/usr/lib/x86_64-linux-gnu
    "$l/ld-linux-x86-64.so.2" --argv0 depmod --library-path "$l" "$ROOT/usr/bin/kmod" -b "$ROOT" "$(kver)"
    rm -rf "$i"; mkdir -p "$i"/{bin,dev,proc,sys,mods,lower,rw,new}
    cp "$ROOT/bin/busybox" "$i/bin/"
    for n in sh mount mkdir insmod switch_root cat echo sleep cp; do ln -s busybox "$i/bin/$n"; done
    with_deps $BOOTMODS >"$i/list"
    while read -r f; do
        cp "$ROOT/usr/lib/modules/$(kver)/$f" "$i/mods/"; echo "${f##*/}"
    done <"$i/list" >"$i/mods/list"; rm "$i/list"
    guest_init >"$i/init"; chmod 755 "$i/init"
    { guest_appliance; guest_jobs; } >"$i/appliance"; chmod 755 "$i/appliance"
    (cd "$i" && find . | "$ROOT/bin/busybox" cpio -o -H newc 2>/dev/null) >"$C/initrd.cpio"

    mkdir -p "$ROOT"/{proc,sys,dev,run,tmp,share,lab,case,mnt,root,etc,opt/busybox}
    { guest_main; guest_jobs; } >"$ROOT/lab-main"; chmod 755 "$ROOT/lab-main"
    # busybox stands in for whatever the tools lack (awk, nc, httpd, udhcpc…)
    "$ROOT/bin/busybox" --list | while read -r n; do ln -sf /bin/busybox "$ROOT/opt/busybox/$n"; done
    printf 'root:x:0:0:root:/root:/bin/bash\n' >"$ROOT/etc/passwd"
    printf 'root:x:0:\ndisk:x:6:\n' >"$ROOT/etc/group"
    printf '127.0.0.1 localhost lab\n' >"$ROOT/etc/hosts"
    rm -f "$C/root.img"; truncate -s 1G "$C/root.img"
    mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$ROOT" "$C/root.img"
    stamp image
}

guest_init() { cat <<'GUEST'
#!/bin/sh
# /init of the initramfs: reach the tools image, lay a tmpfs over it, go there
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
read up rest </proc/uptime; echo "lab: initramfs at $up" >/dev/kmsg
while read m; do insmod /mods/$m || echo "lab: insmod $m failed" >/dev/kmsg; done </mods/list
read cmdline </proc/cmdline
n=0; dev=
while [ -z "$dev" ] && [ $n -lt 100 ]; do
    for b in /sys/block/vd*; do
        [ -e $b/serial ] && [ "$(cat $b/serial)" = labroot ] && dev=/dev/${b##*/}
    done
    [ -n "$dev" ] || sleep 0.05; n=$((n+1))
done
mount -t ext4 -o ro "$dev" /lower && mount -t tmpfs -o size=90% rw /rw && mkdir /rw/up /rw/wk &&
    mount -t overlay -o lowerdir=/lower,upperdir=/rw/up,workdir=/rw/wk overlay /new || exit 1
case "$cmdline" in *lab.appliance*) cp /appliance /new/lab-main;; esac
for d in proc sys dev; do mount -o move /$d /new/$d; done
exec switch_root /new /lab-main
GUEST
}

guest_main() { cat <<'GUEST'
#!/bin/bash
# PID 1 of the guest: mounts and names, then the jobs that lab.sh leaves in /lab (9p)
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/opt/busybox HOME=/root TERM=dumb
export DM_DISABLE_UDEV=1    # no udev here: libdevmapper makes its own nodes
mkdir -p /dev/pts /dev/shm /dev/lab
mount -t devpts pts /dev/pts; mount -t tmpfs shm /dev/shm; mount -t tmpfs run /run; mount -t tmpfs tmp /tmp
mount -t cgroup2 cg /sys/fs/cgroup; mount -t debugfs debug /sys/kernel/debug
modprobe configfs && mount -t configfs cfg /sys/kernel/config
mkdir -p /run/lock /run/lvm
ln -sf /proc/mounts /etc/mtab; ln -sf /proc/self/fd /dev/fd
ip link set lo up; hostname lab
for b in /sys/block/vd*; do
    s=; read -r s 2>/dev/null <$b/serial
    [ -z "$s" ] || ln -sf /dev/${b##*/} /dev/lab/$s
done
p9=trans=virtio,version=9p2000.L,msize=262144,cache=none
mount -t 9p -o $p9 lab /lab
read -r cmdline </proc/cmdline
case $cmdline in *lab.share*) mount -t 9p -o $p9 share /share;; esac
case $cmdline in *lab.net*)
    modprobe virtio_net; ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2;;
esac
cp -a /lab/case/. /case/
GUEST
}

# PID 1 makes way for systemd at once, whose service `lab` comes back to this file for the jobs.
guest_appliance() { cat <<'GUEST'
#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/opt/lab/opt/busybox HOME=/root TERM=dumb
if [ $$ = 1 ]; then
    p9=trans=virtio,version=9p2000.L,msize=262144,cache=none
    mount -t 9p -o $p9 lab /lab
    read -r cmdline </proc/cmdline
    case $cmdline in *lab.share*) mount -t 9p -o $p9 share /share;; esac
    # the modules are those of the tools image
    for b in /sys/block/vd*; do
        if [ "$(cat $b/serial)" = labtools ]; then mount -t ext4 -o ro /dev/${b##*/} /opt/lab; fi
    done
    mkdir -p /usr/lib/modules; mount --bind /opt/lab/usr/lib/modules /usr/lib/modules
    cp -a /lab/case/. /case/
    # what takes long here is only slow
    mkdir -p /etc/systemd/system.conf.d /etc/systemd/system/multi-user.target.wants
    printf '[Manager]\nDefaultTimeoutStartSec=600\n' >/etc/systemd/system.conf.d/lab.conf
    printf '[Service]\nExecStart=/lab-main\nKillMode=process\n' >/etc/systemd/system/lab.service
    ln -s ../lab.service /etc/systemd/system/multi-user.target.wants/
    exec /lib/systemd/systemd
fi
GUEST
}

guest_jobs() { cat <<'GUEST'
cd /case
job() { # script $1.sh, output to $1.out and $1.err, status to $1.rc; setsid spares PID 1
    setsid bash "$1.sh" </dev/null >"$1.out" 2>"$1.err"; echo $? >"$1.tmp"; mv "$1.tmp" "$1.rc"
}
# after a reboot the jobs of the boot before are past, done or not
n=1; while [ -e /lab/job$n.go ]; do n=$((n+1)); done
read -r up rest </proc/uptime; echo "lab: ready at $up" >/dev/kmsg; echo "$up" >>/lab/boots
if [ -e /lab/once.sh ]; then
    job /lab/once
else
    until [ -e /lab/halt ]; do
        if [ -e /lab/job$n.go ]; then job /lab/job$n & n=$((n+1)); else busybox usleep 20000; fi
    done
fi
busybox sync; busybox poweroff -f
GUEST
}

cmd_build() {
    command -v qemu-system-x86_64 >/dev/null || die "apt-get install --no-install-recommends qemu-system-x86"
    fetch; unpack; kmods; image
}

# -------------------------------------------------------------------- boot

options() { # sets the globals; REST holds what follows
    local o OPTIND=1
    ACCEL=tcg MEM=512 CPUS=1 LIMIT=60 SHARE='' KARGS='' BZ='' KEEP='' LABROOT=$C/root.img
    FILES=() DISKS=() PORTS=() QARGS=()
    # kvm_pvm offers /dev/kvm too, but interprets a kernel without its guest support: hopeless
    if [ -w /dev/kvm ] && { [ -d /sys/module/kvm_intel ] || [ -d /sys/module/kvm_amd ]; }; then ACCEL=kvm; fi
    while getopts a:m:c:t:s:f:d:p:q:k:AbK o; do case $o in
        a) ACCEL=$OPTARG;; m) MEM=$OPTARG;; c) CPUS=$OPTARG;; t) LIMIT=$OPTARG;;
        s) SHARE=$OPTARG;; f) FILES+=("$OPTARG");; d) DISKS+=("$OPTARG");; p) PORTS+=("$OPTARG");;
        q) read -ra o <<<"$OPTARG"; QARGS+=("${o[@]}");; k) KARGS=$OPTARG;; b) BZ=1;; K) KEEP=1;;
        A) LABROOT=$C/appliance.img;;
        *) die "see the head of $0";;
    esac; done
    shift $((OPTIND - 1)); REST=("$@")
    fresh image "$C/.kmods" "$0" || cmd_build
}

boot() { # boot DIR [qemu argument]: starts qemu in the background, its pid in DIR/pid
    local r=$1 kernel=$C/vmlinux cpu=max n=0 d a; shift
    if [ -n "$BZ" ] || [ ! -e "$kernel" ]; then kernel=$C/kern/boot/vmlinuz-$(kver); fi
    # without arch-capabilities, which some hosts offer and then refuse
    if [ "$ACCEL" = kvm ]; then cpu=host,-arch-capabilities; fi
    [ -z "$SHARE" ] || KARGS="lab.share $KARGS"
    [ ${#PORTS[@]} = 0 ] || KARGS="lab.net $KARGS"
    [ "$LABROOT" = "$C/root.img" ] || KARGS="lab.appliance $KARGS"
    mkdir -p "$r/lab/case"; : >"$r/lab/boots"; echo 0 >"$r/jobs"; echo 0 >"$r/lines"
    for d in "${FILES[@]}"; do cp "$d" "$r/lab/case/"; done
    mkfifo "$r/mon.in" "$r/mon.out"
    a=(qemu-system-x86_64 -machine q35 -accel "$ACCEL" -cpu "$cpu" -m "$MEM" -smp "$CPUS"
        -nodefaults -display none "$@" -kernel "$kernel" -initrd "$C/initrd.cpio"
        -append "console=ttyS0 quiet loglevel=${LAB_LOGLEVEL:-4} panic=-1 no_timer_check net.ifnames=0 $KARGS"
        -serial "file:$r/console.log"
        -chardev "pipe,id=mon,path=$r/mon" -mon chardev=mon,mode=control
        -drive "if=none,id=labroot,file=$LABROOT,format=raw,readonly=on"
        -device virtio-blk-pci,drive=labroot,serial=labroot -device virtio-rng-pci
        -virtfs "local,path=$r/lab,mount_tag=lab,security_model=none")
    [ "$LABROOT" = "$C/root.img" ] ||
        a+=(-drive "if=none,id=labtools,file=$C/root.img,format=raw,readonly=on" -device virtio-blk-pci,drive=labtools,serial=labtools)
    [ -z "$SHARE" ] || a+=(-virtfs "local,path=$SHARE,mount_tag=share,security_model=none")
    for d in "${DISKS[@]}"; do
        a+=(-drive "if=none,id=${d%%=*},file=${d#*=},format=raw,cache=${LAB_DISK_CACHE:-writeback}"
            -device "virtio-blk-pci,drive=${d%%=*},serial=${d%%=*}")
    done
    if [ ${#PORTS[@]} -gt 0 ]; then
        n=user,id=net0,restrict=on
        for d in "${PORTS[@]}"; do n+=",hostfwd=tcp:127.0.0.1:${d%%:*}-:${d#*:}"; done
        a+=(-netdev "$n" -device virtio-net-pci,netdev=net0,id=nic0)
    fi
    a+=("${QARGS[@]}")
    printf '%q ' "${a[@]}" >"$r/command"
    "${a[@]}" </dev/null >"$r/qemu.log" 2>&1 & echo $! >"$r/pid"
    cat <>"$r/mon.out" >"$r/mon.log" 2>/dev/null & echo $! >"$r/monpid"
}

alive() { [ -d "/proc/$(cat "$1/pid")" ] && ! grep -q '^State:.Z' "/proc/$(cat "$1/pid")/status" 2>/dev/null; }
put_down() { # whatever of a guest still runs
    kill -9 "$(cat "$1/pid")" 2>/dev/null || :
    kill "$(cat "$1/monpid")" 2>/dev/null || :
    wait "$(cat "$1/pid")" "$(cat "$1/monpid")" 2>/dev/null || :
}
tell_console() {
    [ ! -s "$1/qemu.log" ] || tail -n 5 "$1/qemu.log" | sed 's/^/qemu: /' >&2
    echo "lab: the guest's console ends:" >&2; tail -n 25 "$1/console.log" >&2 2>/dev/null || :
}
vm() { [ -e "$VMS/$1/pid" ] || die "no guest $1"; echo "$VMS/$1"; }

cmd_run() {
    options "$@"
    local r rc=0 end
    mkdir -p "$VMS"; r=$(mktemp -d "$VMS/run.XXXXXX"); mkdir -p "$r/lab"
    if [ ${#REST[@]} -gt 0 ]; then printf '%s\n' "${REST[*]}" >"$r/lab/once.sh"; else cat >"$r/lab/once.sh"; fi
    trap 'put_down "$r"; exit 130' INT TERM
    boot "$r" -no-reboot
    end=$((SECONDS + LIMIT))
    while alive "$r"; do
        if [ $SECONDS -ge $end ]; then rc=124; note "timed out after $LIMIT s"; break; fi
        sleep 0.02
    done
    put_down "$r"
    cat "$r/lab/once.out" 2>/dev/null || :
    cat "$r/lab/once.err" >&2 2>/dev/null || :
    if [ -e "$r/lab/once.rc" ]; then rc=$(cat "$r/lab/once.rc")
    else [ $rc = 124 ] || rc=125; tell_console "$r"; fi
    if [ -n "$KEEP" ]; then note "kept $r"; else rm -rf "$r"; fi
    return "$rc"
}

cmd_start() {
    options "$@"
    [ ${#REST[@]} = 1 ] || die "start wants one NAME"
    local r=$VMS/${REST[0]}
    if [ -e "$r/pid" ] && alive "$r"; then die "${REST[0]} is up"; fi
    rm -rf "$r"; mkdir -p "$r"
    boot "$r"; disown -a
    echo '{"execute":"qmp_capabilities"}' >"$r/mon.in"
    LAB_LIMIT=$LIMIT cmd_boots "${REST[0]}" 1 >/dev/null || { tell_console "$r"; put_down "$r"; return 125; }
}

cmd_boots() {
    local r end; r=$(vm "$1"); end=$((SECONDS + ${LAB_LIMIT:-60}))
    while [ "$(wc -l <"$r/lab/boots")" -lt "${2:-0}" ]; do
        alive "$r" || return 125
        [ $SECONDS -lt $end ] || return 124
        sleep 0.02
    done
    wc -l <"$r/lab/boots"
}

count() { flock "$1" bash -c 'n=$(($(cat "$1") + 1)); echo $n >"$1"; echo $n' - "$1"; }

cmd_exec() {
    local r n rc=0 end; r=$(vm "$1"); shift
    n=$(count "$r/jobs")
    printf '%s\n' "$*" >"$r/lab/job$n.sh"; : >"$r/lab/job$n.go"
    end=$((SECONDS + ${LAB_LIMIT:-60}))
    until [ -e "$r/lab/job$n.rc" ]; do
        if ! alive "$r"; then rc=125; break; fi
        if [ $SECONDS -ge $end ]; then rc=124; break; fi
        sleep 0.01
    done
    cat "$r/lab/job$n.out" 2>/dev/null || :
    cat "$r/lab/job$n.err" >&2 2>/dev/null || :
    [ $rc != 125 ] || tell_console "$r"
    [ $rc != 0 ] || rc=$(cat "$r/lab/job$n.rc")
    return "$rc"
}

cmd_hmp() { # through QMP, whose answers carry the number of their line
    local r n l a i; r=$(vm "$1"); n=$(count "$r/lines")
    l=${2//\\/\\\\}; l=${l//\"/\\\"}
    echo "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"$l\"},\"id\":\"$n\"}" >"$r/mon.in"
    for ((i = 0; i < 500; i++)); do
        if a=$(grep -m1 "\"id\": \"$n\"" "$r/mon.log"); then
            case $a in
                *'"error"'*) echo "$a" >&2; return 1;;
                *) a=${a#*\"return\": \"}; a=${a%\", \"id\"*}; a=${a//\\r/}; a=${a//\\\"/\"}; printf '%b' "$a"; return 0;;
            esac
        fi
        sleep 0.01
    done
    return 124
}

cmd_cut() { put_down "$(vm "$1")"; }

cmd_stop() {
    local r n=0; r=$(vm "$1"); : >"$r/lab/halt"
    while alive "$r" && [ $n -lt 500 ]; do sleep 0.02; n=$((n + 1)); done
    put_down "$r"
}

case ${1:-} in
    build | run | start | exec | hmp | boots | cut | stop) c=$1; shift; "cmd_$c" "$@";;
    *) sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//p}' "$0"; exit 2;;
esac
