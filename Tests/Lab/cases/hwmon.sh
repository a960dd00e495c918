# A temperature chip on an emulated bus, read through the kernel's own driver.
modprobe i2c-stub chip_addr=0x48
modprobe i2c-dev
ok "lm75 through hwmon" 'i2cset -y 0 0x48 0 0x8019 w; modprobe lm75; echo lm75 0x48 >/sys/bus/i2c/devices/i2c-0/new_device; values hwmon | grep -q "hwmon.temperature_celsius.* 25.5"'
