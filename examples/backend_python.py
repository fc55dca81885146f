"""A back end that Gatehouse asks: it decides who may connect, answers order.place, and prints events. See docs/hooks.md.

HOOK_SECRET=whsec_… python3 examples/backend_python.py 3000
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["HOOK_SECRET"].removeprefix("whsec_"))
MAX_AGE = 300  # seconds


def is_genuine(headers, body):
    id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if not id or not timestamp or abs(time.time() - int(timestamp)) > MAX_AGE:
        return False
    digest = hmac.digest(KEY, f"{id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(expected, each) for each in headers["webhook-signature"].split())


def answer(type, data):
    if type == "connect" and data["user"] == "mallory":
        return {"deny": {"code": "FORBIDDEN"}}
    if type == "message" and data["type"] == "order.place":
        news = {"to": {"channel": "feed:orders"}, "type": "order.placed", "data": data["data"]}
        return {"data": {"taken": True}, "messages": [news]}
    if type == "message":
        return {"error": {"code": "UNKNOWN_ORDER", "message": "There is no such order"}}
    if type == "events":
        for event in data:
            print(event["type"], event["data"], flush=True)
    return {}


class Hook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if not is_genuine(self.headers, body):
            return self.respond(401, {})
        request = json.loads(body)
        self.respond(200, answer(request["type"], request["data"]))

    def respond(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Hook).serve_forever()
