"""Checks what every interpreter image promises, inside that image, as the last step of its build.

    python -B check.py [--version 3.13.5t] [--without NAME]... [--only PROMISE]...

Standard library only, Python 3.9 to 3.15, glibc and musl. It writes nothing that stays. Exit status: 0 when all
promises hold, 1 with a line for each that does not, 2 for a call that is none.
"""

import sys

if not sys.dont_write_bytecode:
    sys.exit("check.py: start it as `python -B`: its own imports would make the bytecode that it is to look for")

import argparse
import importlib.machinery
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

# What CPython leaves out without a word when the library's headers are not there at its compilation.
NEEDED = ("_bz2", "_ctypes", "_lzma", "_sqlite3", "_ssl", "readline", "zlib")
# A service has no display, and Tk's libraries would double the image. Where they are, it imports.
LEFT_OUT = ("_tkinter",)
# Some user that no image has, and that owns nothing.
UNPRIVILEGED = 10001


def path(options):
    """`python` in the PATH is this interpreter."""
    found = shutil.which("python")
    if found is None:
        yield f"no `python` in the PATH ({os.environ.get('PATH', '')}): add its folder to the PATH, or a link beside python3"
        return
    prefix = run([found, "-c", "import sys; print(sys.base_prefix)"])
    if prefix.returncode != 0:
        yield f"{found} does not start: {last_words(prefix)}"
    elif prefix.stdout.strip() != sys.base_prefix:
        yield f"{found} is the interpreter of {prefix.stdout.strip()}, and this one is that of {sys.base_prefix}: put it first in the PATH"


def version(options):
    """The version asked for: `3.13` means any 3.13.x; `t` at its end, free-threaded; and without, not."""
    if not options.version:
        return
    asked = re.match(r"(\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?)(?:-?(?:dev|rc))?(t?)(?:-dev)?$", options.version)
    if asked is None:
        yield f"PYTHON_VERSION is {options.version!r}, which is no version (expected: 3.13, 3.13.5, 3.13t)"
        return
    number, threaded = asked.group(1), asked.group(2) == "t"
    found = platform.python_version()
    if not (found + ".").startswith(number + ".") and not re.match(re.escape(number) + r"(a|b|rc)\d", found):
        yield f"the image has Python {found}, not {options.version}: ask for that version, or for another base"
    if threaded != free_threaded():
        kind = "has the GIL" if threaded else "is free-threaded"
        yield f"the image's Python {found} {kind}, and {options.version} was asked for: a free-threaded Python is asked for with t, as in 3.13t, and is another build"


def modules(options):
    """Every extension module imports, the needed ones are there, and none of them brings the GIL back."""
    exempt = {*LEFT_OUT, *options.without}
    built = {name for folder in sys.path if Path(folder).name == "lib-dynload" for name in extensions(folder)}
    needed = [name for name in NEEDED if name not in exempt]
    yield from (
        f"{name} is not there: it was not compiled; install its library's headers where Python is compiled"
        for name in needed
        if importlib.util.find_spec(name) is None
    )
    # In a process of its own: a module that was compiled for another CPU ends it.
    child = run([sys.executable, "-B", "-c", IMPORTER, *sorted({*built, *needed} - exempt)])
    answers = [json.loads(line) for line in child.stdout.splitlines()]
    for name, error in answers:
        if error and not (name in needed and name not in built and error.startswith("ModuleNotFoundError")):
            yield f"{name} does not import: {error}{advice(error)}"
    if child.returncode < 0:
        at = begun(child.stderr)
        reason = ": it was compiled for another CPU than this one" if child.returncode == -4 else ""
        yield f"{at} ends Python with signal {-child.returncode}{reason}"
    elif child.returncode > 0:
        yield f"the import of the extension modules stopped at {begun(child.stderr)}: {last_words(child)}"
    if free_threaded():
        gil = run([sys.executable, "-B", "-c", f"import {', '.join(needed)}, sys; print(sys._is_gil_enabled())"])
        if gil.returncode == 0 and gil.stdout.strip() != "False":
            yield "one of the needed modules switches the GIL on again in this free-threaded Python"


IMPORTER = """
import importlib, json, sys
for name in sys.argv[1:]:
    print("importing", name, file=sys.stderr, flush=True)
    try:
        importlib.import_module(name)
        error = None
    except Exception as caught:
        error = f"{type(caught).__name__}: {caught}"
    print(json.dumps([name, error]), flush=True)
"""


def extensions(folder):
    suffixes = importlib.machinery.EXTENSION_SUFFIXES
    for file in Path(folder).iterdir() if Path(folder).is_dir() else []:
        suffix = next((ending for ending in suffixes if file.name.endswith(ending)), None)
        if suffix is not None:
            yield file.name[: -len(suffix)]


def advice(error):
    """glibc and musl each have their words for a library that is not there."""
    library = re.search(r"(lib\S+?\.so[.\d]*): cannot open|loading shared library (\S+?):", error)
    if library is None:
        return ""
    return f" (the shared library {library.group(1) or library.group(2)} is missing: install its package in the final stage, or name the module with --without)"


def begun(stderr):
    names = [line.split()[1] for line in stderr.splitlines() if line.startswith("importing ")]
    return names[-1] if names else "the start"


def bytecode(options):
    """The standard library has bytecode that fits its source, for plain Python, -O and -OO."""
    stale, missing = [], []
    for source in sources():
        text = None
        for optimization in ("", 1, 2):
            compiled = Path(importlib.util.cache_from_source(str(source), optimization=optimization))
            try:
                head = compiled.read_bytes()[:16]
            except FileNotFoundError:
                missing.append(compiled)
                continue
            if text is None:
                text = source.read_bytes()
            if not fits(head, source, text):
                stale.append(compiled)
    missing = [file for file in missing if compiles(Path(importlib.util.source_from_cache(str(file))))]
    for files, what in ((missing, "is not there"), (stale, "is not of its source or of this Python")):
        if files:
            more = f" (and {len(files) - 1} more)" if len(files) > 1 else ""
            yield f"the bytecode {files[0]}{more} {what}: compile the standard library after its last change (compile.py, beside this file)"


def sources():
    """The standard library's own: what pip installed is not it, and tests are not imported."""
    left_out = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
    for folder, folders, files in os.walk(sysconfig.get_path("stdlib")):
        folders[:] = sorted(name for name in folders if name not in left_out)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))


def fits(head, source, text):
    """Whether a .pyc's header (PEP 552) is that of this interpreter and this source."""
    if len(head) < 16 or head[:4] != importlib.util.MAGIC_NUMBER:
        return False
    if int.from_bytes(head[4:8], "little") & 1:
        return head[8:16] == importlib.util.source_hash(text)
    modified = int(source.stat().st_mtime) & 0xFFFFFFFF
    size = len(text) & 0xFFFFFFFF
    return head[8:16] == modified.to_bytes(4, "little") + size.to_bytes(4, "little")


def compiles(source):
    """The standard library holds templates and bad examples that are no Python of today."""
    try:
        compile(source.read_bytes(), str(source), "exec", dont_inherit=True)
        return True
    except (SyntaxError, ValueError):
        return False


def venv(options):
    """A virtual environment can be made, and its Python starts in it."""
    with tempfile.TemporaryDirectory() as folder:
        made = run([sys.executable, "-B", "-m", "venv", "--without-pip", folder])
        if made.returncode != 0:
            yield f"`python -m venv --without-pip` fails: {last_words(made)} (Debian has it in the package python3-venv)"
            return
        inside = run([os.path.join(folder, "bin", "python"), "-B", "-c", "import json, ssl, sys; print(sys.prefix)"])
        if inside.returncode != 0:
            yield f"the python of a virtual environment does not start: {last_words(inside)}"
        elif not os.path.samefile(inside.stdout.strip(), folder):
            yield f"the python of a virtual environment takes {inside.stdout.strip()} for its prefix"


def user(options):
    """A user without rights can read all of it and start it. Without root there is nobody else to try."""
    command = [sys.executable, "-B", "-c", READER, sysconfig.get_path("stdlib")]
    if os.getuid() != 0:
        started = run(command)
    else:
        # Not from the folder that this was started in, which may be root's alone.
        started = run(command, cwd="/", preexec_fn=drop)
    repair = "give others the right to read it (chmod -R go+rX)"
    if started.returncode != 0:
        yield f"user {UNPRIVILEGED} cannot start it: {last_words(started)}: {repair}"
    elif started.stdout:
        yield f"user {UNPRIVILEGED} cannot read {last_words(started)}: {repair}"


# A package that cannot be read is no error to Python but an empty one, so reading is tried file by file.
READER = """
import json, os, ssl, sys, sysconfig
sysconfig.get_config_vars()
for folder, folders, files in os.walk(sys.argv[1]):
    for path in [os.path.join(folder, name) for name in folders + files]:
        if not os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)) and not os.path.islink(path):
            sys.exit(print(path))
"""


def drop():
    os.setgroups([])
    os.setgid(UNPRIVILEGED)
    os.setuid(UNPRIVILEGED)


def free_threaded():
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def run(command, **more):
    """Runs it to its end. What cannot even be started has a return code and last words too."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    except (OSError, subprocess.SubprocessError) as error:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]}: {error}")


def last_words(process):
    lines = (process.stderr or process.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit status {process.returncode}"


PROMISES = {promise.__name__: promise for promise in (path, version, modules, bytecode, venv, user)}


def main():
    parser = argparse.ArgumentParser(description="Checks what every interpreter image promises.")
    parser.add_argument(
        "--version",
        # In an image without a shell nothing puts an argument of the build into the words of a step.
        default=os.environ.get("PYTHON_VERSION", ""),
        help="as asked for: 3.13, 3.13.5, 3.13t; empty: any; default: the variable PYTHON_VERSION",
    )
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="a module this image may lack")
    parser.add_argument("--only", action="append", choices=list(PROMISES), help="check this promise; default: all")
    options = parser.parse_args()
    broken = [
        f"{name}: {line}"
        for name, promise in PROMISES.items()
        if options.only is None or name in options.only
        for line in promise(options)
    ]
    for line in broken:
        print(line, file=sys.stderr)
    if broken:
        sys.exit(f"check.py: {len(broken)} of this image's promises do not hold")
    print(f"Python {platform.python_version()}{' free-threaded' if free_threaded() else ''}: every promise holds")


main()
