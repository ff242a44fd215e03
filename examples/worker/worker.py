"""Takes tasks from a queue until it is empty, and counts them."""

import hashlib

ROUNDS = 100


def work(queue):
    done = 0
    while not queue.empty():
        digest = queue.get()
        for _ in range(ROUNDS):
            digest = hashlib.sha256(digest).digest()
        done += 1
    return done
