"""What starting the interpreter imports, and how long each module takes: `python FLAGS -X importtime -c pass`.

`imports.py FOLDER FLAGS...` starts it several times and leaves the median of each module's own time in the folder, in the
form of the profiles of sitecustomize.py. Standard library only, Python 3.8 or newer.
"""

import json
import os
import subprocess
import sys

STARTS = 7
MOST_MODULES = 1000
NAME_LIMIT = 200


def starts(flags):
    """For each start the modules with (own, total) seconds, in the order of their end."""
    for _ in range(STARTS):
        done = subprocess.run(
            [sys.executable] + flags + ["-X", "importtime", "-c", "pass"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
        )
        modules = {}
        for line in done.stderr.decode("utf-8", "replace").splitlines():
            words = line.partition("import time:")[2].split("|")
            # `import time:       123 |        456 |   encodings.aliases`, below a header of text.
            if len(words) == 3 and words[0].strip().isdigit():
                modules[words[2].strip()[:NAME_LIMIT]] = (int(words[0]) / 1e6, int(words[1]) / 1e6)
        yield modules


def median(values):
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def main(folder, flags):
    seen = list(starts(flags))
    names = {name for modules in seen for name in modules}
    rows = []
    for name in names:
        own, total = (median([modules.get(name, (0, 0))[which] for modules in seen]) for which in (0, 1))
        rows.append(["", name, 0, 1, own, total])
    rows.sort(key=lambda row: row[4], reverse=True)
    content = {
        "kind": "imports",
        "pid": os.getpid(),
        "threads": 1,
        "shared": False,
        "own": sum(row[4] for row in rows),
        "functions": rows[:MOST_MODULES],
        "calls": [],
    }
    target = os.path.join(folder, "imports")
    with open(target + ".part", "w") as file:
        json.dump(content, file)
    os.rename(target + ".part", target + ".json")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
