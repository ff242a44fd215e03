"""One round of load for Pacegate: requests to the server, one after the other, each answer checked."""

import http.client
import json
import os

REQUESTS = 300
PORT = 8000

connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
for _ in range(REQUESTS):
    connection.request("GET", "/orders")
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit("GET /orders answered %d" % response.status)
    if "total" not in json.loads(body):
        raise SystemExit("GET /orders answered %r" % body[:200])

with open(os.environ["PACEGATE_METRICS"], "w") as file:
    json.dump({"requests": {"value": REQUESTS, "unit": "requests", "better": "higher"}}, file)
