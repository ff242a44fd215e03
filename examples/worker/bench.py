"""Measured by Pacegate: a queue of 4,000 tasks. It writes the number of finished tasks to the file PACEGATE_METRICS."""

import json
import os
import queue

from worker import work

tasks = queue.SimpleQueue()
for number in range(4000):
    tasks.put(b"%d" % number)

with open(os.environ["PACEGATE_METRICS"], "w") as file:
    json.dump({"tasks": {"value": work(tasks), "unit": "tasks", "better": "higher"}}, file)
