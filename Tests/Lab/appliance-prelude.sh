# Sourced in the guest before each case of the appliance: Debian with systemd as process 1. The agent is installed as docs/install.md says and runs
# as its unit; what the cases compare is what this agent reports, all that holds it down included.
PROFILE=/etc/godwit/profile.yaml
export PROFILE
systemctl is-system-running --wait >/tmp/booted || true

# install: the programs, the unit, and a broker that wants a password, which the service manager hands to the agent. The profile's sensors and alerts
# come from standard input.
install_agent() {
  install -m 755 /case/godwitd /case/godwit /usr/bin/
  mkdir -p /usr/share/godwit && cp -r /case/hardware /usr/share/godwit/
  install -D -m 644 systemd/godwit.sysusers /usr/lib/sysusers.d/godwit.conf
  install -D -m 644 systemd/godwit.tmpfiles /usr/lib/tmpfiles.d/godwit.conf
  install -D -m 644 systemd/godwitd.service /etc/systemd/system/godwitd.service
  systemd-sysusers && systemd-tmpfiles --create
  { printf 'node: lab\ntick: 1s\nbuffer: {commit_every: 1s}\nuplink: {broker: "mqtt://127.0.0.1", username: edge, password_file: "credential:mqtt-password"}\n'; cat; } >$PROFILE
  chmod 644 $PROFILE
  printf secret >/etc/godwit/secrets/mqtt-password
  mkdir -p /etc/systemd/system/godwitd.service.d
  printf '[Service]\nLoadCredential=mqtt-password:/etc/godwit/secrets/mqtt-password\n' >/etc/systemd/system/godwitd.service.d/password.conf
  mosquitto_passwd -b -c /tmp/passwords edge secret && chmod 644 /tmp/passwords
  printf 'listener 1883 127.0.0.1\npassword_file /tmp/passwords\nuser root\n' >/tmp/broker.conf
  systemd-run -q --unit lab-broker mosquitto -c /tmp/broker.conf
  await 'mosquitto_pub -u edge -P secret -t lab -m up'
  systemd-run -q --unit lab-listener -p StandardOutput=file:/tmp/messages mosquitto_sub -u edge -P secret -t 'godwit/v1/lab/#' -F '%U %t %p'
  systemctl daemon-reload && systemctl enable --now -q godwitd
  await '[ "$(ticks 0 Z)" -ge 3 ]' || { journalctl -u godwitd --no-pager | tail; return 1; }
}

# report: the agent's newest values, a line each: the series, then the value. state KIND: how a sensor is.
report() { godwit status --profile $PROFILE --json | sed 's/\\//g; s/[,{]"/\n/g' | sed -n '1,$s/^\([a-z_]*\.[a-z_]*\(\|{.*}\)\)":\([-0-9.e]*\).*/\1 \3/p' >/tmp/report; }
# value SERIES: of the report.
value() { awk -v series="$1" 'substr($0, 1, length(series) + 1) == series " " { print $NF }' /tmp/report; }
# property UNIT NAME
property() { systemctl show -P "$2" "$1"; }
# within A B SHARE LEAST: the two are as near as that share of the first, or the least difference.
within() { awk -v a="$1" -v b="$2" -v s="$3" -v l="$4" 'BEGIN { d = a - b; if (d < 0) d = -d; m = a < 0 ? -a : a; exit !(a != "" && b != "" && (d <= l || d <= m * s)) }' || { echo "$1 is not $2"; return 1; }; }
# seconds TEXT: of systemd's "1min 2.345s", "-12us".
seconds() {
  awk -v text="$1" 'BEGIN { split("us 1e-6 ms 1e-3 s 1 min 60 h 3600", u); for (i = 1; i < 10; i += 2) unit[u[i]] = u[i + 1]
    n = split(text, part, " "); sign = 1
    for (i = 1; i <= n; i++) { if (part[i] ~ /^-/) sign = -1; sub(/^[-+]/, "", part[i]); match(part[i], /[a-z]+$/); sum += substr(part[i], 1, RSTART - 1) * unit[substr(part[i], RSTART)] }
    printf "%.6f", sign * sum }'
}
export -f install_agent report value property within seconds
