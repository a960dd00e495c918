"""A service that has a property of each type, on the bus at the address in the first argument. Says `ready` when it has its name."""

import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

PROPERTIES = {
    "Byte": dbus.Byte(200),
    "Boolean": dbus.Boolean(True),
    "Int16": dbus.Int16(-12345),
    "UInt16": dbus.UInt16(54321),
    "Int32": dbus.Int32(-1234567890),
    "UInt32": dbus.UInt32(4000000000),
    "Int64": dbus.Int64(-(2**53 - 1)),
    "UInt64": dbus.UInt64(2**53 - 1),
    "NotSet": dbus.UInt64(2**64 - 1),
    "Double": dbus.Double(-0.1),
    "Text": dbus.String('Grüße "und" \\ \n'),
    "Path": dbus.ObjectPath("/godwit/Types"),
    "Signature": dbus.Signature("a{sv}"),
    "Bytes": dbus.Array([0, 127, 255], signature="y"),
    "Texts": dbus.Array(["a", "", "c"], signature="s"),
    "Empty": dbus.Array([], signature="(tt)"),
    "Nested": dbus.Dictionary(
        {"inner": dbus.Dictionary({"deep": dbus.Array([1.5], signature="d")}, signature="sv")}, signature="sv"),
    "Statistics": dbus.Struct(tuple(dbus.UInt64(value) for value in (1, 2, 3))),
    "NTPMessage": dbus.Struct(
        tuple(dbus.UInt32(value) for value in (0, 4, 4, 2))
        + (dbus.Int32(-24), dbus.Double(0.5), dbus.Array([10, 0, 0, 1], signature="y"), dbus.UInt64(1700000000000000), False)),
}


class Types(dbus.service.Object):
    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return PROPERTIES

    @dbus.service.method("org.freedesktop.DBus.Properties", in_signature="ss", out_signature="v")
    def Get(self, interface, name):
        return PROPERTIES[name]

    @dbus.service.method("godwit.Types", out_signature="a(suo)")
    def Structures(self):
        return [("ssh.service", 7, "/a"), ("cron.service", 8, "/b")]

    @dbus.service.method("godwit.Types")
    def Nothing(self):
        pass


DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
name = dbus.service.BusName("godwit.Types", bus)
Types(bus, "/godwit/Types")
print("ready", flush=True)
GLib.MainLoop().run()
