"""A Sparkplug B host out of pysparkplug (PyPI), which knows nothing of this project.

  sparkplug_host.py decode KIND=FILE ...    decodes payloads in their order, NBIRTH first; KIND is NBIRTH, NDATA, NDEATH or NCMD
  sparkplug_host.py rebirth FILE            writes the command that asks for a rebirth
  sparkplug_host.py host --port PORT --group GROUP [--host-id ID] [--rebirth-after N] [--until-deaths N]
                                            stands at a broker on this machine until it is told to end

Each message is one line of JSON: {"kind", "topic", "qos", "retain", "seq", "timestamp", "metrics": [...]}; the host writes
{"ready": true} once it is subscribed.
"""

import argparse
import json
import pathlib
import signal
import sys
import threading

import pysparkplug as sp

KINDS = {"NBIRTH": sp.NBirth, "NDATA": sp.NData, "NDEATH": sp.NDeath, "NCMD": sp.NCmd}


def metric_fields(metric):
    return {
        "name": metric.name,
        "alias": metric.alias,
        "timestamp": metric.timestamp,
        "datatype": metric.datatype.name,
        "historical": metric.is_historical,
        "null": metric.is_null,
        "value": metric.value,
    }


def say(kind, payload, **more):
    metrics = [payload.bd_seq_metric] if isinstance(payload, sp.NDeath) else payload.metrics
    line = {
        "kind": kind,
        "seq": getattr(payload, "seq", None),
        "timestamp": payload.timestamp,
        "metrics": [metric_fields(metric) for metric in metrics],
    }
    print(json.dumps({**line, **more}), flush=True)


def decode(arguments):
    birth = None
    for argument in arguments:
        kind, path = argument.split("=", 1)
        payload = KINDS[kind].decode(pathlib.Path(path).read_bytes(), birth=birth)
        if kind == "NBIRTH":
            birth = payload
        say(kind, payload)


def rebirth_command():
    metric = sp.Metric(
        timestamp=sp.get_current_timestamp(), name="Node Control/Rebirth", datatype=sp.DataType.BOOLEAN, value=True
    )
    return sp.NCmd(timestamp=sp.get_current_timestamp(), metrics=(metric,))


class LateClient(sp.Client):
    """A client that came after a birth: what it cannot resolve is None, where pysparkplug's own thread would end."""

    def _handle_message(self, mqtt_message):
        try:
            return super()._handle_message(mqtt_message)
        except (KeyError, NotImplementedError):
            print(json.dumps({"unresolved": mqtt_message.topic}), flush=True)
            return None


class Host:
    """Subscribes to a group, prints what comes, asks for a rebirth after so many data messages of a birth."""

    def __init__(self, options):
        self.options = options
        self.data = 0
        self.deaths = 0
        self.asked = False
        self.ended = threading.Event()
        self.client = LateClient(client_id="sparkplug-host")
        self.state_topic = sp.Topic(message_type=sp.MessageType.STATE, sparkplug_host_id=options.host_id)
        self.connected_at = sp.get_current_timestamp()

    def state(self, online):
        payload = sp.State(timestamp=self.connected_at, online=online)
        return sp.Message(topic=self.state_topic, payload=payload, qos=sp.QoS.AT_LEAST_ONCE, retain=True)

    def run(self):
        signal.signal(signal.SIGTERM, lambda *_: self.ended.set())
        if self.options.host_id:
            self.client.set_will(self.state(False))
        everything = sp.Topic(
            group_id=self.options.group, message_type=sp.SINGLE_LEVEL_WILDCARD, edge_node_id=sp.SINGLE_LEVEL_WILDCARD
        )
        # Subscribed before it is connected: the client does so at each connection.
        self.client.subscribe(everything, sp.QoS.AT_MOST_ONCE, self.take)
        # Ready means that the broker has the subscription; pysparkplug does not hand that through.
        self.client._client.on_subscribe = lambda *_: print(json.dumps({"ready": True}), flush=True)
        self.client.connect("127.0.0.1", port=self.options.port, callback=self.welcome)
        self.ended.wait()
        if self.options.host_id:
            self.connected_at = sp.get_current_timestamp()
            self.client.publish(self.state(False))
        self.client.disconnect()

    def welcome(self, client):
        if self.options.host_id:
            client.publish(self.state(True))

    def ask(self, client, node):
        topic = sp.Topic(group_id=self.options.group, message_type=sp.MessageType.NCMD, edge_node_id=node)
        message = sp.Message(topic=topic, payload=rebirth_command(), qos=sp.QoS.AT_MOST_ONCE, retain=False)
        client.publish(message, include_dtypes=True)

    def take(self, client, message):
        if message is None:
            return
        kind = message.topic.message_type.value
        if kind not in KINDS:
            return
        say(kind, message.payload, topic=str(message.topic), qos=int(message.qos), retain=bool(message.retain))
        if kind == "NDATA":
            self.data += 1
            if self.data == self.options.rebirth_after and not self.asked:
                self.asked = True
                self.ask(client, message.topic.edge_node_id)
        if kind == "NDEATH":
            self.deaths += 1
            if self.deaths == self.options.until_deaths:
                self.ended.set()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    decoding = commands.add_parser("decode")
    decoding.add_argument("payloads", nargs="+", metavar="KIND=FILE")
    asking = commands.add_parser("rebirth")
    asking.add_argument("file")
    hosting = commands.add_parser("host")
    hosting.add_argument("--port", type=int, required=True)
    hosting.add_argument("--group", required=True)
    hosting.add_argument("--host-id", default="")
    hosting.add_argument("--rebirth-after", type=int, default=0, metavar="N")
    hosting.add_argument("--until-deaths", type=int, default=0, metavar="N")
    options = parser.parse_args()
    if options.command == "decode":
        decode(options.payloads)
    elif options.command == "rebirth":
        pathlib.Path(options.file).write_bytes(rebirth_command().encode(include_dtypes=True))
    else:
        Host(options).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
