"""Writes the position of each word in the catalogue."""

import json
import sys

source, target = sys.argv[1:]
with open(source) as file:
    words = json.load(file)
with open(target, "w") as file:
    json.dump({word: number for number, word in enumerate(words)}, file)
