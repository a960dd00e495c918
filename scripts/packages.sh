#!/bin/sh
# Installs the system packages that are missing, and says which. Touches nothing when all are there.
set -eu

packages="libsqlite3-dev zlib1g-dev libmosquitto-dev libgpiod-dev libyaml-dev pkg-config mosquitto mosquitto-clients python3 python3-venv dbus-daemon python3-dbus python3-gi systemd inotify-tools"

# Peers that tests compare with; on a developer's machine they would take the place of its own resolver and clock, and the tests are skipped.
if [ -n "${CI:-}" ]; then
  packages="$packages nftables iptables dnsmasq-base unbound bind9-dnsutils chrony dmidecode iproute2 modemmanager rpm lz4"
fi

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "godwit: no Debian packages here; it needs what Debian calls: $packages" >&2
  exit 0
fi

missing=""
for package in $packages; do
  case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)" in
    "install ok installed") ;;
    *) missing="$missing $package" ;;
  esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "godwit: missing packages, and no apt-get to install them:$missing" >&2
  exit 1
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "godwit: missing packages; as root: apt-get install$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi

echo "godwit: installing$missing" >&2
$as_root apt-get update -q >&2
# shellcheck disable=SC2086  # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2 </dev/null

# Debian starts such services with their packages; nobody asked for them here.
for service in mosquitto unbound chrony ModemManager; do
  case " $missing " in
    *" $(echo "$service" | tr '[:upper:]' '[:lower:]') "*)
      if [ -d /run/systemd/system ]; then
        echo "godwit: switching off the system's $service service, which came with the package" >&2
        $as_root systemctl disable --now "$service.service" >&2 || true
      fi
      ;;
  esac
done
