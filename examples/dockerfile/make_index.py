"""Writes where each word of the catalogue stands."""

import json
import sys

source, target = sys.argv[1:]
with open(source) as file:
    words = json.load(file)
with open(target, "w") as file:
    json.dump({word: number for number, word in enumerate(words)}, file)
