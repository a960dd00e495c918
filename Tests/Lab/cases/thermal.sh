# A thermal zone that the test heats, and breaks.
modprobe lab_thermal
ok "the zone's temperature" 'echo 83500 >/sys/module/lab_thermal/parameters/temp; values thermal | grep -q "thermal.temperature_celsius.* 83.5"'
ok "a failing zone is told" 'echo 5 >/sys/module/lab_thermal/parameters/fail; values thermal | grep -qi "cannot read .*thermal_zone0/temp"'
