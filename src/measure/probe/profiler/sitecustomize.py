"""Profiles every Python process of a run that is not measured.

Its folder stands first in PYTHONPATH, so each interpreter that the workload starts imports it before anything of the
workload's: the command stays as it is, and child processes are seen too. `PACEGATE_PROFILE` says what is looked at
(`cpu` and `time`: cProfile by either clock; `memory`: tracemalloc) and `PACEGATE_PROFILES` names the folder in which each process leaves one file
of JSON at its end. What a process leaves is help for a reader, never evidence.

Not seen: an interpreter started with -S, -I or -E; a process that is killed or ends by os._exit; what extension modules
do between two calls.

Standard library only, Python 3.8 or newer.
"""

import atexit
import json
import os
import sys
import threading

KIND = os.environ.get("PACEGATE_PROFILE", "")
FOLDER = os.environ.get("PACEGATE_PROFILES", "")
# The rest of a profile is a tail of functions that took next to nothing.
MOST_FUNCTIONS = 1000
MOST_CALLS = 4000
NAME_LIMIT = 200
# How often the memory in use is looked at, and by how much it must have grown for its owners to be asked for again:
# that takes as long as there are allocations.
LOOK_SECONDS = 0.02
GROWTH = 1.1
GROWTH_BYTES = 1 << 20


def import_next():
    """Gives way to the sitecustomize that would have been imported without this one: Debian's Python has its own."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    this = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        # The import system looks for a module of this name when it is done: this one, where there is no other.
        sys.modules["sitecustomize"] = this
        if error.name != "sitecustomize":
            raise


class Places:
    """A file as it is called on both sides: their folders and their Pythons' versions may differ."""

    def __init__(self):
        # The standard library's own folder; packages are below it or beside it.
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
    """One file for each process, whole or not at all."""
    content.update(kind=KIND, pid=os.getpid(), threads=THREADS.count)
    target = os.path.join(FOLDER, "{}-{}".format(os.getpid(), os.urandom(4).hex()))
    try:
        with open(target + ".part", "w") as file:
            json.dump(content, file, separators=(",", ":"))
        os.rename(target + ".part", target + ".json")
    except OSError:
        pass  # A full folder or a closed one: this process is missing in the profile, and the run goes on.


class Threads:
    """How many threads were started, this one included; before 3.12 each needs a profiler of its own."""

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

    From 3.12 on a profiler is the interpreter's and not the thread's: one sees all threads, as if they were one stack.

    By the clock of the processor a call costs some 0.2 us more than by that of the wall, and what other programs of a
    busy machine take does not count: two such profiles agree where two of the other kind do not.
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
        """In a child after a fork: what the parent did is the parent's to say."""
        for profile in self.profiles:
            profile.disable()
        self.profiles = []
        self.begin()

    def content(self):
        places = Places()
        functions, calls = {}, {}

        def key(code):
            if isinstance(code, str):
                # `<built-in method time.sleep>`, `<method 'append' of 'list' objects>`; an address is of this run alone.
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
    """Who holds memory when most is held: tracemalloc, looked at by a thread of its own."""

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
    """(name, first line) of the innermost function around a line of a source file: tracemalloc knows lines alone."""
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
    """Whether a function is the profiler's: its beginning and its end are seen too."""
    return "_lsprof.Profiler" in code if isinstance(code, str) else code.co_filename == __file__


def table(functions, calls, shared):
    """Functions as [file, name, line, calls, own, total]; who called whom as [caller, callee, calls, own, total]."""
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
    """Writes what was seen so far, once. Whoever comes a second time finds a process that is at its end anyway."""
    global LEAVING
    if LEAVING == os.getpid():
        return False
    LEAVING = os.getpid()
    write(profile.content())
    return True


def leave_before_end(profile):
    """A process that is asked to end, as the workers of a pool are, leaves its file first."""
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
    # A child of multiprocessing forgets what was to be done at its parent's end, and never gets to its own.
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
