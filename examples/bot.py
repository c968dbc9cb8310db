# A bot that answers "ping" in every group it was added to. It needs `apt install python3-socketio python3-websocket`:
#   QUN_TOKEN=… python3 bot.py http://localhost:3000
import os, sys, socketio

client = socketio.Client()

@client.event
def connect():
    hello = client.call("hello", {"protocol": 1})  # and it is in all of its groups
    print(hello["me"]["nickName"], "listens in", len(hello["groups"]), "groups", flush=True)

@client.event
def message(said):
    if said["kind"] == "text" and said["message"].strip() == "ping":
        pong = {"groupId": said["groupId"], "message": "pong", "replyTo": said["seq"], "clientId": "pong-" + said["id"]}
        client.call("sendMessage", pong)

client.connect(sys.argv[1] if sys.argv[1:] else "http://localhost:3000", auth={"token": os.environ["QUN_TOKEN"]})
client.wait()
