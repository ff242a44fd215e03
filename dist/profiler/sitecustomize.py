"""Profiles every Python process of a run that is not measured.

Its folder is the first in PYTHONPATH, so each interpreter that the workload starts imports it before the workload's
modules. The command stays the same, and child processes are profiled too. `PACEGATE_PROFILE` selects the profile (`cpu`
and `time`: cProfile by either clock; `memory`: tracemalloc). `PACEGATE_PROFILES` names the folder in which each process
writes one JSON file at its end. A profile helps a reader and is never evidence.

It misses interpreters that start with -S, -I or -E, processes that are killed or end by os._exit, and the work of
extension modules between two calls.

Standard library only, Python 3.8 or newer.
"""

import atexit
import json
import os
import sys
import threading

KIND = os.environ.get("PACEGATE_PROFILE", "")
FOLDER = os.environ.get("PACEGATE_PROFILES", "")
# Functions beyond these numbers took almost no time.
MOST_FUNCTIONS = 1000
MOST_CALLS = 4000
NAME_LIMIT = 200
# The interval of memory readings, and the growth after which a new snapshot of the owners is taken: a snapshot takes
# longer with more allocations.
LOOK_SECONDS = 0.02
GROWTH = 1.1
GROWTH_BYTES = 1 << 20


def import_next():
    """Imports the sitecustomize that this one replaces: Debian's Python has its own."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    this = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        # The import system needs a module of this name at its end. If there is no other, it is this one.
        sys.modules["sitecustomize"] = this
        if error.name != "sitecustomize":
            raise


class Places:
    """Names of files that are the same on both sides, because folders and versions of Python may differ."""

    def __init__(self):
        # The folder of the standard library. Packages are in it or next to it.
        self.library = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
        self.start = os.getcwd() + os.sep
        self.known = {}

    def of(self, path):
        if path not in self.known:
            self.known[path] = self.named(path)
        return self.known[path]

    def named(self, path):
        if path.startswith("<") or path in ("", "~"):
            return path if path.startswith("<") else ""
        path = os.path.normpath(path if os.path.isabs(path) else self.start + path)
        for packages in ("site-packages", "dist-packages"):
            _, found, rest = path.partition(os.sep + packages + os.sep)
            if found:
                return "packages/" + rest
        if path.startswith(self.library):
            return "lib/" + path[len(self.library) :]
        return path[len(self.start) :] if path.startswith(self.start) else path


def write(content):
    """Writes one file for each process, completely or not at all."""
    content.update(kind=KIND, pid=os.getpid(), threads=THREADS.count)
    target = os.path.join(FOLDER, "{}-{}".format(os.getpid(), os.urandom(4).hex()))
    try:
        with open(target + ".part", "w") as file:
            json.dump(content, file, separators=(",", ":"))
        os.rename(target + ".part", target + ".json")
    except OSError:
        pass  # A full folder or a closed one: this process is missing in the profile, and the run goes on.


class Threads:
    """The number of started threads, this one included. Before 3.12 each needs its own profiler."""

    def __init__(self, begin):
        self.count = 1
        self.begin = begin
        threading.setprofile(self.first_event)

    def first_event(self, *_):
        sys.setprofile(None)
        self.count += 1
        if self.begin is not None:
            self.begin()


class TimeProfile:
    """cProfile in every thread.

    From 3.12 on a profiler belongs to the interpreter and not to the thread: it sees all threads as one stack.

    With the CPU clock a call costs about 0.2 us more than with the wall clock. The CPU clock excludes the time of other
    programs, so on a busy machine two profiles by it agree, and two by the wall clock may not.
    """

    def __init__(self):
        import cProfile
        import time

        self.new = cProfile.Profile
        self.clock = () if KIND == "time" else (time.process_time if self.begin_thread is None else time.thread_time,)
        self.profiles = []

    def begin(self):
        profile = self.new(*self.clock)
        self.profiles.append(profile)
        profile.enable()

    @property
    def begin_thread(self):
        return self.begin if sys.version_info < (3, 12) else None

    def again(self):
        """Starts again in a child after a fork, because the parent writes its own profile."""
        for profile in self.profiles:
            profile.disable()
        self.profiles = []
        self.begin()

    def content(self):
        places = Places()
        functions, calls = {}, {}

        def key(code):
            if isinstance(code, str):
                # `<built-in method time.sleep>`, `<method 'append' of 'list' objects>`. Addresses differ in each run.
                return "", code.split(" at 0x")[0][:NAME_LIMIT], 0
            name = getattr(code, "co_qualname", code.co_name)[:NAME_LIMIT]
            return places.of(code.co_filename)[-NAME_LIMIT:], name, code.co_firstlineno

        for profile in self.profiles:
            profile.disable()
            for entry in profile.getstats():
                if is_own(entry.code):
                    continue
                caller = key(entry.code)
                sums = functions.setdefault(caller, [0, 0.0, 0.0])
                sums[0] += entry.callcount
                sums[1] += entry.inlinetime
                sums[2] += entry.totaltime
                for inner in entry.calls or ():
                    sums = calls.setdefault((caller, key(inner.code)), [0, 0.0, 0.0])
                    sums[0] += inner.callcount
                    sums[1] += inner.inlinetime
                    sums[2] += inner.totaltime
        return table(functions, calls, shared=self.begin_thread is None)


class MemoryProfile:
    """The owners of memory at its peak, by tracemalloc. A thread of its own takes the readings."""

    begin_thread = None

    def __init__(self):
        import tracemalloc

        self.tracemalloc = tracemalloc
        self.highest = 0
        self.snapshot = None

    def begin(self):
        if not self.tracemalloc.is_tracing():
            self.tracemalloc.start()
        self.ended = threading.Event()
        watch = threading.Thread(target=self.watch, daemon=True)
        watch.start()

    def again(self):
        self.highest, self.snapshot = 0, None
        self.tracemalloc.clear_traces()
        self.begin()

    def watch(self):
        sys.setprofile(None)
        while not self.ended.wait(LOOK_SECONDS):
            self.look()

    def look(self):
        held = self.tracemalloc.get_traced_memory()[0]
        if held > max(self.highest * GROWTH, self.highest + GROWTH_BYTES):
            self.snapshot = self.tracemalloc.take_snapshot()
            self.highest = held

    def content(self):
        self.ended.set()
        self.look()
        if self.snapshot is None:
            self.snapshot = self.tracemalloc.take_snapshot()
        places = Places()
        functions = {}
        for line in self.snapshot.statistics("lineno"):
            frame = line.traceback[0]
            if frame.filename in (__file__, self.tracemalloc.__file__):
                continue
            name, first = owner_of(frame.filename, frame.lineno)
            sums = functions.setdefault((places.of(frame.filename)[-NAME_LIMIT:], name, first), [0, 0, 0])
            sums[0] += line.count
            sums[1] += line.size
            sums[2] += line.size
        return table(functions, {}, shared=False)


FUNCTIONS = {}


def owner_of(path, line):
    """(name, first line) of the innermost function around a line of a source file, as tracemalloc gives only lines."""
    if path not in FUNCTIONS:
        FUNCTIONS[path] = functions_in(path)
    inside = [found for found in FUNCTIONS[path] if found[0] <= line <= found[1]]
    return (inside[-1][2], inside[-1][0]) if inside else ("<module>", 1)


def functions_in(path):
    """(first line, last line, qualified name) of each function of a source file, outer ones first."""
    import ast

    found = []

    def visit(node, above):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.append((child.lineno, child.end_lineno, (above + child.name)[:NAME_LIMIT]))
                visit(child, above + child.name + ".<locals>.")
            elif isinstance(child, ast.ClassDef):
                visit(child, above + child.name + ".")
            else:
                visit(child, above)

    try:
        with open(path, "rb") as file:
            visit(ast.parse(file.read()), "")
    except (OSError, SyntaxError, ValueError, RecursionError):
        pass
    return found


def is_own(code):
    """Whether a function belongs to the profiler, whose own start and end are in the profile."""
    return "_lsprof.Profiler" in code if isinstance(code, str) else code.co_filename == __file__


def table(functions, calls, shared):
    """Functions as [file, name, line, calls, own, total], and calls as [caller, callee, calls, own, total]."""
    largest = sorted(functions.items(), key=lambda item: item[1][1], reverse=True)[:MOST_FUNCTIONS]
    index = {place: number for number, (place, _) in enumerate(largest)}
    edges = [
        [index[caller], index[callee]] + sums
        for (caller, callee), sums in calls.items()
        if caller in index and callee in index
    ]
    edges.sort(key=lambda edge: edge[4], reverse=True)
    return {
        "shared": shared,
        "own": sum(sums[1] for sums in functions.values()),
        "functions": [list(place) + sums for place, sums in largest],
        "calls": edges[:MOST_CALLS],
    }


def leave(profile):
    """Writes the profile once. A second call does nothing, because the process is ending."""
    global LEAVING
    if LEAVING == os.getpid():
        return False
    LEAVING = os.getpid()
    write(profile.content())
    return True


def leave_before_end(profile):
    """Writes the file when a signal asks the process to end, as for the workers of a pool."""
    import signal

    if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return

    def end(number, _):
        if leave(profile):
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, end)


def after_fork(profile):
    THREADS.count = 1
    profile.again()
    # A child of multiprocessing drops its parent's exit handlers, and does not run its own.
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(
            profile, lambda own: util.Finalize(None, leave, args=(own,), exitpriority=-1)
        )


LEAVING = None
import_next()
if KIND in ("cpu", "time") and not getattr(sys, "_is_gil_enabled", lambda: True)():
    THREADS = Threads(None)
    write({"problem": "cProfile is not safe in an interpreter without the GIL; py-spy looks from outside"})
else:
    PROFILE = {"cpu": TimeProfile, "time": TimeProfile, "memory": MemoryProfile}[KIND]()
    THREADS = Threads(PROFILE.begin_thread)
    atexit.register(leave, PROFILE)
    os.register_at_fork(after_in_child=lambda: after_fork(PROFILE))
    leave_before_end(PROFILE)
    PROFILE.begin()
