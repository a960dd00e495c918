"""Answers calls on the bus at the address in the first argument from the recordings below the folder in the second, which are in the form of
`busctl --json=short`. Says `ready` when it has its names."""

import json
import os
import sys

import dbus
import dbus.lowlevel
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

BASIC = {
    "y": dbus.Byte, "b": dbus.Boolean, "n": dbus.Int16, "q": dbus.UInt16, "i": dbus.Int32, "u": dbus.UInt32, "x": dbus.Int64,
    "t": dbus.UInt64, "d": dbus.Double, "s": dbus.String, "o": dbus.ObjectPath, "g": dbus.Signature,
}


def typed(signature, data, level=0):
    """A value of one complete type."""
    if signature in BASIC:
        return BASIC[signature](data, variant_level=level)
    if signature == "v":
        return typed(data["type"], data["data"], level + 1)
    if signature.startswith("a{"):
        key, value = list(dbus.Signature(signature[2:-1]))
        pairs = data.items() if isinstance(data, dict) else data
        return dbus.Dictionary(
            {typed(key, k): typed(value, v) for k, v in pairs}, signature=signature[2:-1], variant_level=level)
    if signature.startswith("a"):
        return dbus.Array([typed(signature[1:], item) for item in data], signature=signature[1:], variant_level=level)
    fields = list(dbus.Signature(signature[1:-1]))
    return dbus.Struct([typed(kind, item) for kind, item in zip(fields, data)], variant_level=level)


def recording(name):
    path = os.path.join(sys.argv[2], name)
    return json.load(open(path, encoding="utf-8")) if os.path.isfile(path) else None


def answer(message):
    """What is recorded of a call; a single property also from the recording of all."""
    service, arguments = message.get_destination(), list(message.get_args_list())
    place = f"{service}{message.get_path()}/{message.get_interface()}.{message.get_member()}"
    found = recording(" ".join([place] + arguments))
    if found is None and message.get_member() == "Get":
        everything = recording(f"{place}All {arguments[0]}")
        if everything is not None and arguments[1] in everything["data"][0]:
            found = {"type": "v", "data": [everything["data"][0][arguments[1]]]}
    if found is None:
        return dbus.lowlevel.ErrorMessage(message, "org.freedesktop.DBus.Error.UnknownMethod", "not recorded")
    if "error" in found:
        return dbus.lowlevel.ErrorMessage(message, found["error"], found["data"][0])
    reply = dbus.lowlevel.MethodReturnMessage(message)
    reply.append(*[typed(found["type"], value) for value in found["data"]], signature=found["type"])
    return reply


def take(connection, message):
    if message.get_type() != 1 or message.get_destination() not in names:
        return dbus.lowlevel.HANDLER_RESULT_NOT_YET_HANDLED
    connection.send_message(answer(message))
    return dbus.lowlevel.HANDLER_RESULT_HANDLED


DBusGMainLoop(set_as_default=True)
bus = dbus.bus.BusConnection(sys.argv[1])
names = os.listdir(sys.argv[2])
bus.add_message_filter(take)
for name in names:
    bus.request_name(name)
print("ready", flush=True)
GLib.MainLoop().run()
