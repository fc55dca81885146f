"""GATEHOUSE_KEY=… python3 examples/encrypted_client.py "ws://127.0.0.1:8080/ws?token=…"

The key is one of the server's ENCRYPTION_KEYS. Needs python3-websockets and python3-cryptography.
"""

import asyncio
import json
import os
import sys
import time
import uuid

import websockets
from cryptography.fernet import Fernet

fernet = Fernet(os.environ["GATEHOUSE_KEY"])


def opened(message):
    """The payload of a message or a publication, decrypted where it is encrypted."""
    if message.get("enc") != "fernet":
        return message.get("data")
    return json.loads(fernet.decrypt(message["data"].encode()))


async def request(socket, type, data=None):
    """An encrypted message; a repetition of it, as after a reconnect, would need the same id and ts."""
    id = str(uuid.uuid4())
    token = fernet.encrypt(json.dumps(data).encode()).decode()
    message = {"type": type, "id": id, "ts": int(time.time() * 1000), "enc": "fernet", "data": token}
    await socket.send(json.dumps(message))
    while True:
        message = json.loads(await socket.recv())
        if message.get("id") == id:
            if message["type"] == "error":
                raise RuntimeError(f"{message['code']}: {message['message']}")
            return opened(message)
        print("←", message["type"], message.get("channel"), opened(message))


async def main():
    url = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GATEHOUSE_URL", "ws://127.0.0.1:8080/ws")
    channel = os.environ.get("GATEHOUSE_CHANNEL", "room:lobby")
    async with websockets.connect(url, subprotocols=["v1.json"]) as socket:
        print("echo", await request(socket, "echo", {"text": "hi"}))
        state = await request(socket, "subscribe", {"channel": channel})
        print("subscribed", state["channel"])
        print("published", (await request(socket, "publish", {"channel": channel, "data": "a secret"}))["channel"])
    print("closed", socket.close_code)


asyncio.run(main())
