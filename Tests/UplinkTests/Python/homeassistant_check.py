"""Shows the messages of a script to a real Home Assistant, and holds them against its own schemas.

usage: homeassistant_check.py SCRIPT PORT FOLDER

SCRIPT has one JSON object a line: a message ({"topic", "payload", "qos", "retain"}), which is published at the broker on PORT, or what
has to hold then ({"expect": {unique id: number, or text}, "absent": [unique id], "entities": count}). FOLDER is an empty one for its configuration.
Home Assistant runs in this process with nothing but its core and its MQTT integration. Any warning of it is a failure.
"""

import asyncio
import json
import logging
import os
import sys

import paho.mqtt.client as paho
from homeassistant import bootstrap, config_entries, core, loader
from homeassistant.components.mqtt import abbreviations, binary_sensor, button, discovery, schemas, sensor
from homeassistant.components.sensor.const import DEVICE_CLASS_STATE_CLASSES, DEVICE_CLASS_UNITS
from homeassistant.const import __version__
from homeassistant.helpers import device_registry, entity_registry
from homeassistant.setup import async_setup_component

PLATFORMS = {
    "sensor": sensor.DISCOVERY_SCHEMA,
    "binary_sensor": binary_sensor.DISCOVERY_SCHEMA,
    "button": button.DISCOVERY_SCHEMA,
}
assert abbreviations.ABBREVIATIONS["uniq_id"] == "unique_id"


def check_schema(topic, payload):
    """One discovery message; returns how many components it shows."""
    match = discovery.TOPIC_MATCHER.fullmatch(topic.removeprefix("homeassistant/"))
    assert match and match["component"] == "device", f"no discovery topic: {topic}"
    if not payload:
        return 0
    config = discovery.MQTTDiscoveryPayload(json.loads(payload))
    discovery._replace_all_abbreviations(config)
    schemas.DEVICE_DISCOVERY_SCHEMA(config)
    shown = 0
    for identifier, component in config["components"].items():
        platform = component.pop("platform")
        if not component:
            continue
        shown += 1
        given = set(component)
        discovery._merge_common_device_options(component, config)
        accepted = PLATFORMS[platform](component)
        # The platforms drop what they do not know.
        assert given <= set(map(str, accepted)), f"{identifier}: unknown {given - set(map(str, accepted))}"
        if platform == "sensor":
            check_classes(identifier, accepted)
    return shown


def check_classes(identifier, config):
    kind, unit, state = (config.get(key) for key in ("device_class", "unit_of_measurement", "state_class"))
    if kind in DEVICE_CLASS_UNITS:
        assert unit in DEVICE_CLASS_UNITS[kind], f"{identifier}: {kind} has no unit {unit}"
    if kind in DEVICE_CLASS_STATE_CLASSES and state is not None:
        assert state in DEVICE_CLASS_STATE_CLASSES[kind], f"{identifier}: {kind} cannot be {state}"


class Warnings(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        text = record.getMessage()
        # `helpers.frame` is about who called the schemas: we did.
        if record.name == "homeassistant.helpers.frame":
            return
        # An empty message on a topic whose components were taken away before it.
        if "No device components to cleanup" not in text and record.name.startswith("homeassistant"):
            self.lines.append(f"{record.name}: {text} {record.exc_info[1]!r}" if record.exc_info else f"{record.name}: {text}")


async def start(folder, port):
    """Home Assistant with its MQTT integration."""
    os.makedirs(f"{folder}/.storage")
    entry = {
        "created_at": "2025-01-01T00:00:00+00:00", "modified_at": "2025-01-01T00:00:00+00:00",
        "data": {"broker": "127.0.0.1", "port": port}, "disabled_by": None, "discovery_keys": {}, "domain": "mqtt",
        "entry_id": "mqtt", "minor_version": 2, "options": {}, "pref_disable_new_entities": False,
        "pref_disable_polling": False, "source": "user", "title": "broker", "unique_id": None, "version": 1,
    }
    with open(f"{folder}/.storage/core.config_entries", "w") as file:
        json.dump({"version": 1, "minor_version": 4, "key": "core.config_entries", "data": {"entries": [entry]}}, file)
    open(f"{folder}/configuration.yaml", "w").close()
    home = core.HomeAssistant(folder)
    home.config.skip_pip = True
    # Its own web server is of no use here.
    home.config.components.update({"http", "file_upload"})
    loader.async_setup(home)
    home.config_entries = config_entries.ConfigEntries(home, {})
    await bootstrap.async_load_base_functionality(home)
    assert await async_setup_component(home, "mqtt", {})
    await home.async_start()
    return home


def states(home):
    registry = entity_registry.async_get(home)
    entries = [entry for entry in registry.entities.values() if entry.platform == "mqtt"]
    found = {entry.unique_id: home.states.get(entry.entity_id) for entry in entries}
    return {key: text(state) if state else "none" for key, state in found.items()}


def text(state):
    """In the unit that was sent: Home Assistant itself shows pressure in hPa."""
    if state.attributes.get("unit_of_measurement") != "hPa":
        return state.state
    try:
        return str(round(float(state.state) * 100, 9))
    except ValueError:
        return state.state


def difference(home, line):
    found = states(home)
    for key, value in line["expect"].items():
        state = found.get(key, "absent")
        try:
            same = float(state) == value if not isinstance(value, str) else state == value
        except ValueError:
            same = False
        if not same:
            return f"{key} is {state}, not {value}"
    for key in line["absent"]:
        if key in found:
            return f"{key} is still there"
    if len(found) != line["entities"]:
        return f"{len(found)} entities, not {line['entities']}"
    return None


async def main(script, port, folder):
    warnings = Warnings()
    logging.getLogger().addHandler(warnings)
    with open(script) as file:
        lines = [json.loads(line) for line in file]
    home = await start(folder, port)
    shown = sum(check_schema(line["topic"], line["payload"]) for line in lines if line.get("topic", "").endswith("/config"))
    client = paho.Client(paho.CallbackAPIVersion.VERSION2) if hasattr(paho, "CallbackAPIVersion") else paho.Client()
    client.connect("127.0.0.1", port)
    client.loop_start()
    values = {}
    for line in lines:
        if "topic" in line:
            client.publish(line["topic"], line["payload"], line["qos"], line["retain"]).wait_for_publish(20)
            await asyncio.sleep(0.05)
            if not line["retain"]:
                values[line["topic"]] = line["payload"]
            continue
        wrong = "nothing was looked at"
        for turn in range(150):
            await asyncio.sleep(0.1)
            # It subscribes a while after it discovered; a node says its values again and again, too.
            if turn % 20 == 19:
                for topic, payload in values.items():
                    client.publish(topic, payload)
            wrong = difference(home, line)
            if wrong is None:
                break
        values = {}
        assert wrong is None, f"{line.get('step')}: {wrong}; {warnings.lines}"
    devices = [device for device in device_registry.async_get(home).devices.values()]
    assert len(devices) == 1, f"{len(devices)} devices: a device that is gone was not removed"
    client.loop_stop()
    await home.async_stop()
    assert not warnings.lines, "\n".join(warnings.lines)
    print(f"Home Assistant {__version__}: {shown} components accepted, {len(devices)} device(s)")


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
