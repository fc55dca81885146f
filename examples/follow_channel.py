"""Follows a channel through lost connections, restarts and drains, by the rules of docs/protocol-for-clients.md.

GATEHOUSE_TOKEN=… python3 examples/follow_channel.py ws://127.0.0.1:8080/ws feed:news

Prints each publication as a line of JSON, and {"load": channel} when you must load its state from the source.
Needs the websockets library, 10 or later: apt install python3-websockets, or pip install websockets.
"""

import asyncio
import json
import os
import random
import sys

import websockets

GIVE_UP = {1000, 1002, 1003, 1007, 1008, 1009, 4403, 4409, 4430}
WAIT_AT_LEAST = {1013: 5, 4503: 5, 4001: 30}  # seconds, by close code


def fetch_token(close_code):
    """Yours: asks your back end for a token. It must be a new one if the close code is 4401."""
    return os.environ["GATEHOUSE_TOKEN"]


class Follower:
    def __init__(self, url, channel):
        self.url, self.channel, self.failures = url, channel, 0
        self.position = self.session = None

    async def run(self):
        code, reason = None, ""
        while code not in GIVE_UP:
            await asyncio.sleep(self.delay(code, reason))
            self.failures += 1
            protocols = ["v1.json", "bearer." + fetch_token(code)]
            try:
                async with websockets.connect(
                    self.url, subprotocols=protocols, max_size=None, ping_interval=5, ping_timeout=5
                ) as socket:
                    await self.talk(socket)
            except websockets.ConnectionClosed as closed:
                code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
            except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake):
                code, reason = 1006, ""
        sys.exit(f"the server closed for good: {code} {reason}")

    def delay(self, code, reason):
        if code == 1012:
            return random.uniform(0, int(reason) / 1000 if reason.isdigit() else 5)
        return WAIT_AT_LEAST.get(code, 0) + random.uniform(0, min(20, 0.5 * 2**self.failures))

    async def talk(self, socket):
        await self.send(socket, "hello")
        while True:
            message = json.loads(await socket.recv())
            type, data, mine = message["type"], message.get("data"), message.get("channel") == self.channel
            if type == "hello_reply":
                await self.subscribe(socket)
                self.session = data["sessionId"]
            elif type == "subscribe_reply":
                self.subscribed(data)
            elif type == "gap" and mine:
                self.at(message["epoch"], data["to"], {"load": self.channel})
            elif type == "message" and mine:
                self.at(message["epoch"], message["seq"], {"seq": message["seq"], "data": data})
            elif type == "error" and "retryAfter" in message:
                await asyncio.sleep(message["retryAfter"] / 1000)
                await self.subscribe(socket)
            elif type == "error" or type == "unsubscribed" and mine:
                sys.exit(f"{self.channel}: {message}")

    async def subscribe(self, socket):
        request = {"channel": self.channel, "since": self.position, "previousSession": self.session}
        await self.send(socket, "subscribe", {name: value for name, value in request.items() if value})

    async def send(self, socket, type, data=None):
        await socket.send(json.dumps({"type": type, "id": type, "data": data}))

    def subscribed(self, reply):
        if not self.position or reply.get("gap"):
            print(json.dumps({"load": self.channel}), flush=True)
        for publication in reply["publications"]:
            self.at(reply["epoch"], publication["seq"], {"seq": publication["seq"], "data": publication["data"]})
        self.position, self.failures = {"epoch": reply["epoch"], "seq": reply["seq"]}, 0

    def at(self, epoch, seq, line):
        self.position = {"epoch": epoch, "seq": seq}
        print(json.dumps(line), flush=True)


asyncio.run(Follower(sys.argv[1], sys.argv[2]).run())
