# Two simulated radios: a client here, its access point in a network namespace. The signal is told by mac80211_hwsim from the transmit power,
# 50 dB less; what godwit says stands beside what iw says.
#limit 600
ok "without a radio it is absent, and no module is loaded" 'values wifi | grep -q absent; ! grep -q "^cfg80211" /proc/modules'
modprobe mac80211_hwsim radios=2
await '[ -e /sys/class/ieee80211/phy1 ]'
ip netns add ap
iw phy phy1 set netns name ap
printf 'interface=wlan1\nssid=lab\nchannel=6\nhw_mode=g\nwpa=2\nwpa_key_mgmt=WPA-PSK\nrsn_pairwise=CCMP\nwpa_passphrase=labpassword\n' >/tmp/ap
printf 'ctrl_interface=/run/wpa\nnetwork={\nssid="lab"\npsk="labpassword"\nscan_freq=2437\n}\n' >/tmp/sta

# value METRIC: what the sensor reads of wlan0.
value() {
  godwit sample --sensor wifi --interval 100ms --json |
    sed -n 's/.*"wifi\.'"$1"'{interface=\\"wlan0\\"}":\(-\{0,1\}[0-9.]*\).*/\1/p'
}
export -f value

ok "a client without a link" '[ "$(value connected)" = 0 ]'
ok "the access point starts" 'ip netns exec ap hostapd -B -f /tmp/ap.log /tmp/ap; wpa_supplicant -B -i wlan0 -c /tmp/sta -f /tmp/sta.log
  await "wpa_cli -p /run/wpa -i wlan0 status | grep -q COMPLETED"'
ok "connected at -30 dBm, as iw says" '[ "$(value connected)" = 1 ] && [ "$(value signal_dbm)" = -30 ]
  iw dev wlan0 link | grep -q "signal: -30"'
ok "channel, frequency and width, as iw says" '[ "$(value channel)" = 6 ] && [ "$(value frequency_hertz)" = 2437000000 ]
  iw dev wlan0 info | grep -q "channel 6 (2437 MHz)"'
ok "the noise of the survey, as iw says" 'noise=$(iw dev wlan0 survey dump | grep -A1 "2437 MHz" | sed -n "s/.*noise:[^-]*\(-[0-9]*\) dBm/\1/p")
  [ -n "$noise" ] && [ "$(value noise_dbm)" = "$noise" ]'
ok "the access point counts its station" 'ip netns exec ap bash -c "values wifi" | grep -q "wifi.stations.*wlan1.* 1"'
ok "weaker: -50 dBm" 'ip netns exec ap iw dev wlan1 set txpower fixed 0
  await "iw dev wlan0 link | grep -q \"signal: -50\""; [ "$(value signal_dbm)" = -50 ]'
ok "the older table says the same" 'grep -q "wlan0:.*-50" /proc/net/wireless'
ok "an agent that reports" 'reporting <<PROFILE
sensors: {memory: , wifi: {every: 5s}}
alerts: [{name: access-point-lost, when: "wifi.connected{interface=\"wlan0\"} == 0", message: "{label.interface} has no access point"}]
PROFILE
await "alert access-point-lost | grep -q ^ok"'
ok "the access point is lost" 'mark; kill $(pidof hostapd); await "[ \"\$(value connected)\" = 0 ]"; iw dev wlan0 link | grep -q "Not connected"'
ok "its alert" 'alerted access-point-lost firing 5; grep "wlan0 has no access point" /tmp/messages'
ok "the access point comes back, and the alert clears" 'ip netns exec ap hostapd -B -f /tmp/ap.log /tmp/ap
  await "wpa_cli -p /run/wpa -i wlan0 status | grep -q COMPLETED"; mark; alerted access-point-lost ok 5'
