"""Finds words in the index that the image was built with."""

import json
import pathlib

INDEX = json.loads((pathlib.Path(__file__).parent / "index.json").read_text())


def find(words):
    return [INDEX[word] for word in words]
