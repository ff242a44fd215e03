import { PORT } from './servers.ts';
import type { WorkloadFound } from './workloads.ts';

/** Python text in double quotes. */
const quoted = (text: string) => JSON.stringify(text);

const HEAD = (what: string) => `"""Measured by Pacegate: ${what}.

Both sides of a comparison run this file. The images have the code that it calls, each side its own.
Keep the work the same in each run: fixed data, a fixed seed, half a second to ten seconds.
"""
`;

const consoleScript = ({ name, module, attribute }: Extract<WorkloadFound, { kind: 'console-script' }>) => {
  const [imported = attribute] = attribute.split('.');
  return `${HEAD(`the command ${name}`)}
import contextlib
import io
import sys

from ${module} import ${imported}

# Replace the arguments with work that your users wait for.
ARGUMENTS = ["--help"]
ROUNDS = 20


def work():
    sys.argv = [${quoted(name)}, *ARGUMENTS]
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            ${attribute}()
        except SystemExit as end:
            if end.code not in (None, 0):
                raise


for _ in range(ROUNDS):
    work()
`;
};

const packageImport = ({
  name,
}: Extract<WorkloadFound, { kind: 'package' }>) => `${HEAD(`the import of ${name}`)}
import ${name}


def work():
    # Call the functions that your users wait for, such as ${name}.parse(text).
    return ${name}


work()
`;

const script = ({ file }: Extract<WorkloadFound, { kind: 'script' }>) => `${HEAD(`the script ${file}`)}
import contextlib
import io
import runpy
import sys

# Replace the arguments with work that your users wait for.
ARGUMENTS = []

sys.argv = [${quoted(file)}, *ARGUMENTS]
with contextlib.redirect_stdout(io.StringIO()):
    try:
        runpy.run_path(${quoted(file)}, run_name="__main__")
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
`;

const asv = ({ folder }: Extract<WorkloadFound, { kind: 'asv' }>) => `${HEAD(`the asv suite in ${folder}`)}
import importlib
import inspect
import itertools
import json
import os
import pathlib
import re
import statistics
import sys
import time

FOLDER = pathlib.Path(${quoted(folder)})
ROUNDS = 5  # of time_ the best call counts, of track_ the median
SECONDS = 0.5  # a benchmark that took longer is not called again
results = {}


def combinations(benchmark):
    params = list(getattr(benchmark, "params", []))
    if params and not isinstance(params[0], (list, tuple)):
        params = [params]
    return itertools.product(*params)


def call(method, arguments):
    begin = time.perf_counter()
    value = method(*arguments)
    return value, time.perf_counter() - begin


def measure(name, make):
    for arguments in combinations(make()):
        owner = make()
        method = owner if inspect.isfunction(owner) else getattr(owner, name)
        setup = getattr(owner, "setup", None)
        calls = []
        for _ in range(ROUNDS):
            if setup is not None:
                try:
                    setup(*arguments)
                except NotImplementedError:  # asv's way to skip a combination
                    break
            calls.append(call(method, arguments))
            if sum(seconds for _, seconds in calls) > SECONDS:
                break
        if not calls:
            continue
        result = {"value": min(seconds for _, seconds in calls), "unit": "s"}
        if name.startswith("track_"):
            unit = re.match(r"[A-Za-z]*", str(getattr(method, "unit", ""))).group().lower()
            result = {
                "value": statistics.median(float(value) for value, _ in calls),
                "unit": "s" if unit.startswith("second") else unit or "unit",
                "better": "lower",
            }
        label = "_".join([name, *(str(one) for one in arguments)])
        results["".join(c if c.isalnum() or c in "._" else "_" for c in label)[:60]] = result


# Last, because the application's modules may be installed as well as present here.
sys.path.append(str(FOLDER.parent))
for path in sorted(FOLDER.rglob("*.py")):
    if path.name == "__init__.py":
        continue
    module = importlib.import_module(".".join(path.relative_to(FOLDER.parent).with_suffix("").parts))
    for label, found in sorted(vars(module).items()):
        if inspect.isclass(found) and found.__module__ == module.__name__:
            for name in sorted(dir(found)):
                if name.startswith(("time_", "track_")):
                    measure(name, found)
        elif label.startswith(("time_", "track_")) and inspect.isfunction(found):
            measure(label, lambda found=found: found)

if not results:
    raise SystemExit("No time_ or track_ benchmark was found in %s." % FOLDER)
with open(os.environ["PACEGATE_METRICS"], "w") as file:
    json.dump(results, file)
`;

/** The text of a `bench.py`; undefined if the workload has its own measuring code. */
export function benchText(workload: WorkloadFound): string | undefined {
  switch (workload.kind) {
    case 'console-script':
      return consoleScript(workload);
    case 'package':
      return packageImport(workload);
    case 'script':
      return script(workload);
    case 'asv':
      return asv(workload);
    case 'bench':
    case 'pytest-benchmark':
    case 'pyperf':
    case 'server':
      return undefined;
  }
}

/** One round of load for a server, with the standard library only. */
export const loadText = (
  routes: readonly string[],
): string => `"""One round of load for Pacegate: requests to the server, one after the other.

It runs in a container of its own, in the server's network. Add the requests that your users send.
"""

import http.client
import json
import os

ROUTES = [${routes.map(quoted).join(', ')}]
REQUESTS = 300

connection = http.client.HTTPConnection("127.0.0.1", ${PORT}, timeout=30)


def status_of(route):
    connection.request("GET", route)
    response = connection.getresponse()
    response.read()
    if response.status >= 400:
        connection.close()  # After an error the server may close it too.
    return response.status


def refused(routes):
    answers = [(route, status_of(route)) for route in routes]
    return ["GET %s answered %d" % answer for answer in answers if answer[1] >= 400]


failures = refused(ROUTES) or refused(ROUTES[number % len(ROUTES)] for number in range(REQUESTS))
if failures:
    raise SystemExit("\\n".join(dict.fromkeys(failures)))

with open(os.environ["PACEGATE_METRICS"], "w") as file:
    json.dump({"requests": {"value": len(ROUTES) + REQUESTS, "unit": "requests", "better": "higher"}}, file)
`;

/**
 * The routes that a failed round of load reports as refused: an address that the code builds in another way, needs a login
 * or reads a database that is not there.
 * @param message of the failed run
 */
export const refusedRoutes = (message: string): ReadonlySet<string> =>
  new Set([...message.matchAll(/\bGET (\S+) answered [45]\d\d\b/g)].map(([, route = '']) => route));
