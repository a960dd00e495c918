#!/bin/bash
# appliance.sh - a whole Debian with systemd for the lab's VM, of this machine's release: appliance.img in the lab's folder.
# Built once, again when this file changes. Exit status 3, and one line why, where it cannot be built: no debootstrap, no network, no root.
set -euo pipefail

C=${LAB_CACHE:-$(cd "$(dirname "$0")/../.." && pwd)/.build/lab}
# What the agent links to, what it is compared with, and what it watches.
PACKAGES="systemd-sysv systemd-timesyncd systemd-resolved dbus udev kmod iproute2 procps polkitd
 libsqlite3-0 zlib1g libmosquitto1 libyaml-0-2 libgpiod2 mosquitto mosquitto-clients podman crun dnsmasq-base busybox-static"
# A time server beside timesyncd, which Debian does not install together: its files only.
EXTRACTED="chrony"
# Of no use here, and slow under emulation.
MASKED="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
 systemd-journal-flush.service serial-getty@ttyS0.service getty@tty1.service systemd-rfkill.socket dnsmasq.service mosquitto.service
 podman-auto-update.timer podman-auto-update.service podman-restart.service podman-clean-transient.service"

cannot() { echo "no appliance: $*" >&2; exit 3; }
[ ! -e "$C/.appliance" ] || [ "$0" -nt "$C/.appliance" ] || exit 0
[ "$(id -u)" = 0 ] || cannot "only root can make one"
command -v debootstrap >/dev/null || cannot "there is no debootstrap (apt-get install --no-install-recommends debootstrap)"
release=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || cannot "this is no Debian"
mirror=${LAB_MIRROR:-http://deb.debian.org/debian}

root=$C/appliance
log=$C/appliance.log
echo "lab: building the appliance from $mirror" >&2
rm -rf "$root" "$C/appliance.img"
mkdir -p "$root"
# --variant=minbase: apt and what is essential; apt installs the rest, for debootstrap does not know alternatives.
timeout 900 debootstrap --variant=minbase "$release" "$root" "$mirror" >"$log" 2>&1 || { tail -n 3 "$log" >&2; cannot "debootstrap failed"; }
# Nothing is started in here.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cp /etc/resolv.conf "$root/etc/resolv.conf"
inside() { timeout 1200 env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} chroot "$root" "$@" >>"$log" 2>&1; }
# shellcheck disable=SC2086  # lists of words
inside apt-get install -y -q --no-install-recommends $PACKAGES || { tail -n 3 "$log" >&2; cannot "apt-get failed"; }
(cd "$root/var/cache/apt/archives" && apt-get -qq -o APT::Sandbox::User=root download $EXTRACTED >>"$log" 2>&1 && for p in $EXTRACTED; do dpkg -x "$p"_*.deb "$root/opt/$p"; done) ||
  cannot "apt-get has no $EXTRACTED"
inside apt-get clean
rm -f "$root/usr/sbin/policy-rc.d"
# shellcheck disable=SC2086
inside systemctl mask $MASKED
inside systemctl disable podman.service podman.socket || true
rm -rf "$root"/usr/share/{doc,man,locale,info}
echo lab >"$root/etc/hostname"
printf '127.0.0.1 localhost lab\n' >"$root/etc/hosts"
ln -sf ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
systemd-machine-id-setup --root="$root" >>"$log" 2>&1 || echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
mkdir -p "$root"/{lab,share,case,opt/lab}

# What a container is made of: there is no registry here.
mkdir -p "$root/srv/container/bin"
cp "$root/bin/busybox" "$root/srv/container/bin/"
for n in sh sleep cat echo tail dd true ps; do ln -s busybox "$root/srv/container/bin/$n"; done

truncate -s 2G "$C/appliance.img"
mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$root" "$C/appliance.img"
rm -rf "$root"
touch "$C/.appliance"
