"""python3 examples/python_client.py "ws://127.0.0.1:8080/ws?token=…"
or: GATEHOUSE_URL=ws://127.0.0.1:8080/ws GATEHOUSE_TOKEN=… python3 examples/python_client.py

Needs the websockets library, 10 or later: apt install python3-websockets, or pip install websockets.
"""

import asyncio
import json
import os
import sys
import uuid

import websockets


async def request(socket, type, data=None):
    """Sends a message and waits for the answer with its id; what comes before it was sent by somebody else."""
    id = str(uuid.uuid4())
    text = json.dumps({"type": type, "id": id, "data": data})
    print("→", text)
    await socket.send(text)
    while True:
        text = await socket.recv()
        print("←", text)
        message = json.loads(text)
        if message.get("id") == id:
            if message["type"] == "error":
                raise RuntimeError(f"{message['code']}: {message['message']}")
            return message.get("data")


async def main():
    url = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("GATEHOUSE_URL", "ws://127.0.0.1:8080/ws")
    token = os.environ.get("GATEHOUSE_TOKEN")
    # A token may come as a subprotocol: that works in every version of the library, and in browsers.
    subprotocols = ["v1.json"] + ([f"bearer.{token}"] if token else [])
    async with websockets.connect(url, subprotocols=subprotocols) as socket:
        user = (await request(socket, "hello"))["userId"]
        await request(socket, "echo", {"text": "hi"})
        await request(socket, "broadcast", "hello, everyone")
        await request(socket, "send_message", {"targetUserId": user, "message": "a note to myself"})
    print("closed", socket.close_code)


asyncio.run(main())
