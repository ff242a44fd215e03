"""Measured by Pacegate: the asv suite in benchmarks.

Both sides of a comparison run this file. The images have the code that it calls, each side its own.
Keep the work the same in each run: fixed data, a fixed seed, half a second to ten seconds.
"""

import importlib
import inspect
import itertools
import json
import os
import pathlib
import sys
import time

FOLDER = pathlib.Path("benchmarks")
ROUNDS = 5  # the best of so many calls is the time of a benchmark
seconds = {}


def combinations(benchmark):
    params = list(getattr(benchmark, "params", []))
    if params and not isinstance(params[0], (list, tuple)):
        params = [params]
    return itertools.product(*params)


def measure(name, make):
    for arguments in combinations(make()):
        owner = make()
        method = getattr(owner, name) if inspect.isclass(type(owner)) and not inspect.isfunction(owner) else owner
        setup = getattr(owner, "setup", None)
        best = None
        for _ in range(ROUNDS):
            if setup is not None:
                try:
                    setup(*arguments)
                except NotImplementedError:  # asv's way to skip a combination
                    break
            begin = time.perf_counter()
            method(*arguments)
            spent = time.perf_counter() - begin
            best = spent if best is None else min(best, spent)
        if best is not None:
            label = "_".join([name, *(str(one) for one in arguments)])
            seconds["".join(c if c.isalnum() or c in "._" else "_" for c in label)[:60]] = best


sys.path.insert(0, str(FOLDER.parent))
for path in sorted(FOLDER.rglob("*.py")):
    module_name = ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts)
    if path.name == "__init__.py":
        continue
    module = importlib.import_module(module_name)
    for label, found in sorted(vars(module).items()):
        if inspect.isclass(found) and found.__module__ == module.__name__:
            for name in sorted(dir(found)):
                if name.startswith("time_"):
                    measure(name, found)
        elif label.startswith("time_") and callable(found):
            measure(label, lambda found=found: found)

if not seconds:
    raise SystemExit("No time_ benchmark was found in %s." % FOLDER)
with open(os.environ["PACEGATE_METRICS"], "w") as file:
    json.dump({name: {"value": value, "unit": "s"} for name, value in seconds.items()}, file)
