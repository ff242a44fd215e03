"""Compiles the standard library's bytecode for plain Python, -O and -OO, or that of the folders named.

    python compile.py [FOLDER]...

The same sources give the same bytes and times, whoever compiles them and when: hashes of the sources instead of their
times (PEP 552), one order and one hash seed (what was compiled before and the order of sets both leave traces in
bytecode), and times taken from the sources.
Standard library only, Python 3.9 to 3.15.
"""

import compileall
import os
import sys
import sysconfig
from py_compile import PycInvalidationMode

# Not the number of cores: who compiles what must not depend on the machine.
PROCESSES = 4


def main():
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, [sys.executable, "-B", *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    folders = sys.argv[1:] or [sysconfig.get_path("stdlib")]
    sources = sorted(source for folder in folders for source in sources_in(folder))
    children = []
    for part in range(PROCESSES):
        child = os.fork()
        if child == 0:
            compile_all(sources[part::PROCESSES])
            os._exit(0)
        children.append(child)
    failed = [status for _, status in (os.waitpid(child, 0) for child in children) if status != 0]
    if failed:
        sys.exit("compile.py: the compilation ended early (no room on the disk, or no memory?)")
    for folder in {os.path.dirname(source) for source in sources}:
        take_times(folder)


def sources_in(folder):
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (os.path.join(place, name) for name in files if name.endswith(".py"))


def compile_all(sources):
    for source in sources:
        # A file that does not compile (a template, a bad example) has no bytecode, as in any installation.
        compileall.compile_file(
            source,
            quiet=2,
            force=True,
            optimize=[0, 1, 2],
            hardlink_dupes=True,
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )


def take_times(folder):
    """Gives the bytecode of a folder, and the folder of the bytecode, the times of their sources."""
    cache = os.path.join(folder, "__pycache__")
    if not os.path.isdir(cache):
        return
    newest = 0
    for name in sorted(os.listdir(cache)):
        source = os.path.join(folder, name.split(".")[0] + ".py")
        if os.path.exists(source):
            time = int(os.stat(source).st_mtime)
            newest = max(newest, time)
            os.utime(os.path.join(cache, name), (time, time))
    os.utime(cache, (newest, newest))
    os.utime(folder, (newest, newest))


main()
