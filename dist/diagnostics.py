"""Functions of the probes for runs that are not samples: runs counted by valgrind, and profiled runs.

Only such runs load this file: as part of probe.py its size would be in the max RSS of each measured run. It uses only
the standard library of Python 3.8 or newer.
"""

import os
import re
import stat
import sys

# The largest size and number of profiles that are passed on, in the same way as metrics.
PROFILES_LIMIT = 3 << 20
PROFILES_MOST = 500
# The total is in this many bytes at the end of valgrind's file. A count with more digits is refused.
COUNT_TAIL = 4096
COUNT_END = re.compile(rb"^(?:summary|totals): (\d{1,15})\s*\Z", re.MULTILINE)
COUNT_FILES_LIMIT = 10000
# Profiles of processes with less than this share of all instructions are left out.
PROFILE_SHARE = 0.001

LAUNCHER = """#!{} -IS
import os, sys
os.environ["VALGRIND_LAUNCHER"] = sys.argv[0]
os.execv({!r}, sys.argv)
"""


def prepare_counting(folder, tool, environment):
    """Writes a launcher next to the counts. Valgrind starts programs that the command execs through it.

    Valgrind's own launcher is linked with the machine's libc, which the image may lack. Its tools are static.
    """
    launcher = os.path.join(folder, "launcher")
    with open(launcher, "w") as file:
        file.write(LAUNCHER.format(sys.executable, tool))
    os.chmod(launcher, 0o755)
    environment["VALGRIND_LIB"] = os.path.dirname(tool)
    environment["VALGRIND_LAUNCHER"] = launcher


def read_count(path):
    """(instructions, size) of one file of valgrind. Instructions are None if it is incomplete or not such a file.

    The workload can write here too, so the size that is read is bounded, and opening must not wait.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None, 0
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return None, 0
        end = COUNT_END.search(os.pread(descriptor, COUNT_TAIL, max(0, found.st_size - COUNT_TAIL)))
        return (int(end.group(1)) if end else None), found.st_size
    finally:
        os.close(descriptor)


def read_counts(folder, profile_bytes):
    """(counts, complaint): the sum of valgrind's files, and the text of those with the most instructions.

    Each process has a file with its id as the name. At each fork callgrind writes another file, with a number at the
    end, because the child would otherwise begin with its parent's count.
    """
    names = [name for name in os.listdir(folder) if re.match(r"\d+(\.\d+)?\Z", name)]
    if not names:
        return None, "valgrind wrote no count: no process of the workload ended by itself"
    if len(names) > COUNT_FILES_LIMIT:
        return None, "valgrind wrote more than {} files".format(COUNT_FILES_LIMIT)
    found = []
    for name in names:
        instructions, size = read_count(os.path.join(folder, name))
        if instructions is None:
            return None, "what valgrind counted of the process {} is not whole".format(name.split(".")[0])
        found.append((instructions, name, size))
    total = sum(instructions for instructions, _, _ in found)
    if total == 0:
        return None, "valgrind counted no instruction at all"
    # The largest come first, up to the size limit.
    profiles = []
    for instructions, name, size in sorted(found, key=lambda one: (-one[0], one[1])):
        if size > profile_bytes or instructions < PROFILE_SHARE * total:
            continue
        profile_bytes -= size
        with open(os.path.join(folder, name), "rb") as file:
            profiles.append({"name": name, "text": file.read(size).decode("utf-8", "replace")})
    processes = len({name.split(".")[0] for name in names})
    return {"instructions": total, "processes": processes, "profiles": profiles}, None


def put_first(profiler, environment):
    """Makes each interpreter of the run import the profiler before the modules of its image."""
    existing = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([profiler] + ([existing] if existing else []))


def read_profiles(folder):
    """(texts, files left out) of the profiles that a run's processes wrote. They are checked outside, like metrics."""
    texts, left_out, room = [], 0, PROFILES_LIMIT
    # Unfinished files end in .part.
    names = sorted(name for name in os.listdir(folder) if not name.endswith(".part"))
    for name in names:
        content = b""
        if room > 0 and len(texts) < PROFILES_MOST:
            try:
                descriptor = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError:
                continue
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                content = os.read(descriptor, room + 1)
            os.close(descriptor)
        if content and len(content) <= room:
            room -= len(content)
            texts.append(content.decode("utf-8", "replace"))
        else:
            left_out += 1
    return texts, left_out
