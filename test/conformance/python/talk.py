"""Talks to a server as python-socketio does and prints, as one line of JSON, what it heard.

    talk.py testbed|qun URL TRANSPORT...

It judges nothing: the test that starts it does. Bytes are printed as {"bytes": hexadecimal digits}.
"""

import json
import queue
import sys

import socketio

PATIENCE = 10  # seconds, for anything that must come


class Talk:
    """One connection, its events in a queue in the order of arrival."""

    def __init__(self, url, transports, **options):
        self.client = socketio.Client(reconnection=False, request_timeout=PATIENCE)
        self.heard = queue.Queue()
        self.client.on("need-ack", self.answer)
        for event in ("auth", "message-back", "bin", "got-ack", "message"):
            self.client.on(event, self.keep(event))
        self.client.on("message-back", self.keep("message-back of /custom"), namespace="/custom")
        self.client.on("connect", self.keep("entered /custom"), namespace="/custom")
        self.client.on("connect_error", self.keep("refused by /auth"), namespace="/auth")
        self.client.connect(url, transports=transports, wait_timeout=PATIENCE, **options)

    def keep(self, event):
        return lambda *args: self.heard.put([event, *args])

    @staticmethod
    def answer(number):
        return "answer", number, b"\x00\xff"

    def hear(self):
        return self.heard.get(timeout=PATIENCE)


def testbed(url, transports):
    """Says text and bytes, asks and is asked, in one namespace and in several."""
    talk = Talk(url, transports, auth={"token": "口令"}, namespaces=["/"])
    client, said = talk.client, {"auth": talk.hear()}
    client.emit("message", ("你好 <&> \u2028", {"n": 1.5, "none": None}))
    said["text"] = talk.hear()
    client.emit("message", (b"\x00\x01\x02", {"deep": [b"\xfe\xff"]}))
    said["binary"] = talk.hear()
    client.emit("bin")
    said["bin"] = talk.hear()
    said["ack"] = client.call("message-with-ack", ("one", 2), timeout=PATIENCE)
    said["binary ack"] = client.call("message-with-ack", {"b": b"\x03"}, timeout=PATIENCE)
    client.emit("ask")
    said["asked"] = talk.hear()
    said["large"] = len(client.call("message-with-ack", "x" * 100_000, timeout=PATIENCE))
    said["transport"] = client.transport()
    client.disconnect()

    talk = Talk(url, transports, auth={"token": "no"}, namespaces=["/custom", "/auth"], wait=False)
    said["namespaces"] = sorted([talk.hear(), talk.hear()], key=lambda event: event[0])
    talk.client.emit("message", "there", namespace="/custom")
    said["namespaces"].append(talk.hear())
    talk.client.disconnect()
    return said


def qun(url, transports):
    """Enters a room of the chat, asks for an answer, and talks to itself."""
    talk = Talk(url, transports, namespaces=["/"])
    said = {"entered": talk.client.call("joinRoom", {"roomName": "蛇", "nickName": "Monty"}, timeout=PATIENCE)}
    said["join line"] = talk.hear()
    talk.client.emit("sendMessage", {"room": "蛇", "nickName": "Monty", "message": "嘶 <&>"})
    said["message"] = talk.hear()
    said["transport"] = talk.client.transport()
    talk.client.disconnect()
    return said


if __name__ == "__main__":
    conversation = {"testbed": testbed, "qun": qun}[sys.argv[1]]
    print(json.dumps(conversation(sys.argv[2], sys.argv[3:]), default=lambda b: {"bytes": b.hex()}))
