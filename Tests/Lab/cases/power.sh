# A battery and mains that the test discharges.
modprobe test_power
ok "charge and mains" 'echo 17 >/sys/module/test_power/parameters/battery_capacity; echo off >/sys/module/test_power/parameters/ac_online; values power | tee /tmp/values; grep -q "power.charge_percent.*test_battery.* 17" /tmp/values; grep -q "power.online.*test_ac.* 0" /tmp/values'
