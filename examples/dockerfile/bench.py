"""Measured by Pacegate: five million look-ups."""

from lookup import find

WORDS = ["tea", "water", "cocoa"] * 50
for _ in range(33_000):
    find(WORDS)
