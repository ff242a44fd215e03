"""Writes the facts of the interpreter that runs it: from its declarations, its binary and its behaviour.

`facts.py` writes one line of JSON (src/session/facts.ts has the schema). `facts.py python [FILE]` writes only the facts
that identify the Python, to the file if there is one. `facts.py look FILE` writes the facts that the file of an
interpreter's core shows, and was used to find the thresholds below.

Standard library only, Python 3.8 or newer, run with `-I -S`. Every property is `yes`, `no` or `unknown`. In doubt it is
`unknown`, because users would trust a wrong "no". Declarations can differ from the shipped binary (Debian's sysconfig
describes its shared build), so this file reads the binary: ELF section names, symbols if they are left, and the unwind
tables (.eh_frame), which strip cannot remove and which have the range of every function.
"""

import json
import os
import re
import struct
import sys

YES, NO, UNKNOWN = "yes", "no", "unknown"
TEXT_LIMIT = 300
# More than any usual image has. The list passes through a pipe and is stored in the session file.
MOST_ENTRIES = 2000
CHILD_SECONDS = 40


def read(path, limit=1 << 24):
    try:
        with open(path, "rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def word(known):
    return UNKNOWN if known is None else YES if known else NO


# --- the binary -------------------------------------------------------------------------------------------------


class NotReadable(Exception):
    """This reader does not support the file's format, so it gives no facts."""


class Elf:
    """Sections and symbols of a 64-bit little-endian ELF file (System V ABI, ELF-64 Object File Format 1.5)."""

    MACHINES = {62: "x86_64", 183: "aarch64"}

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise NotReadable()
        self.data = data
        machine, = struct.unpack_from("<H", data, 18)
        self.machine = self.MACHINES.get(machine, "other")
        offset, = struct.unpack_from("<Q", data, 40)
        size, count, names = struct.unpack_from("<HHH", data, 58)
        # A file without a section table is valid, and shows little.
        self.headers = [struct.unpack_from("<IIQQQQIIQQ", data, offset + size * i) for i in range(count)]
        self.sections = {}
        for header in self.headers:
            self.sections.setdefault(self.string(self.headers[names][4], header[0]), header)

    def string(self, table, offset):
        start = table + offset
        return self.data[start : self.data.find(b"\0", start)].decode("latin-1")

    def content(self, name):
        header = self.sections.get(name)
        # SHT_NOBITS: the section was moved to a file of debugging information.
        if header is None or header[1] == 8:
            return b""
        return self.data[header[4] : header[4] + header[5]]

    def address(self, name):
        """(first address, address after the last) of a section; (0, 0) without it."""
        header = self.sections.get(name)
        return (0, 0) if header is None else (header[3], header[3] + header[5])

    def symbols(self, name):
        """(name, type, section index, value) of each symbol of .symtab or .dynsym."""
        content = self.content(name)
        if not content:
            return []
        table = self.headers[self.sections[name][6]][4]
        return [
            (self.string(table, at), info & 15, section, value)
            for at, info, _, section, value, _ in struct.iter_unpack("<IBBHQQ", content)
        ]

    def segments(self):
        offset, = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        return [struct.unpack_from("<IIQQQQQQ", self.data, offset + size * i) for i in range(count)]

    def loader(self):
        """The dynamic loader that the program asks for (PT_INTERP), such as /lib/ld-musl-x86_64.so.1; or empty."""
        for kind, _, offset, _, _, length, _, _ in self.segments():
            if kind == 3:
                return self.data[offset : offset + length].rstrip(b"\0").decode("latin-1")
        return ""

    def needed(self):
        """Names of the shared libraries that it is linked with (DT_NEEDED)."""
        header = self.sections.get(".dynamic")
        if header is None:
            return []
        table = self.headers[header[6]][4]
        return [
            self.string(table, value) for tag, value in struct.iter_unpack("<qQ", self.content(".dynamic")) if tag == 1
        ]


def uleb128(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


# DWARF 5, table 7.29: operations that define the canonical frame address (CFA).
DEF_CFA, DEF_CFA_REGISTER, DEF_CFA_OFFSET = 0x0C, 0x0D, 0x0E
FRAME_POINTER = {"x86_64": 6, "aarch64": 29}


def functions(elf):
    """(address, is a cold fragment, is framed) of each entry of .eh_frame within .text, by address.

    A cold fragment is the part of a function that the compiler moved away (gcc -freorder-blocks-and-partition): its
    unwind entry begins in the middle of a frame, so the CFA is defined anew before the first instruction. Framed: the
    CFA is found by the frame pointer's register. Format: Linux Standard Base, Exception Frames.
    """
    content = elf.content(".eh_frame")
    base = elf.address(".eh_frame")[0]
    first, last = elf.address(".text")
    register = FRAME_POINTER.get(elf.machine, 255)
    by_register = (bytes([DEF_CFA, register]), bytes([DEF_CFA_REGISTER, register]))
    encodings = {}
    found = []
    at = 0
    while at + 8 <= len(content):
        length, identity = struct.unpack_from("<II", content, at)
        start, end = at + 4, at + 4 + length
        if length == 0:
            break
        if length == 0xFFFFFFFF:
            raise NotReadable()
        if identity == 0:
            encodings[at] = pointer_encoding(content, start)
        else:
            # pc-relative and signed, of four bytes: gcc and clang write this for programs of this size.
            if encodings.get(start - identity) != 0x1B:
                raise NotReadable()
            offset, = struct.unpack_from("<i", content, start + 4)
            address = base + start + 4 + offset
            size, operations = uleb128(content, start + 12)
            operations += size
            if first <= address < last:
                text = content[operations:end]
                framed = by_register[0] in text or by_register[1] in text
                found.append((address, begins_in_a_frame(text), framed))
        at = end
    found.sort()
    return found


def pointer_encoding(content, start):
    """How the entries of a CIE write addresses (DW_EH_PE)."""
    behind = content.index(b"\0", start + 5)
    augmentation = content[start + 5 : behind]
    at = behind + 1
    for _ in range(3):  # Code and data alignment, return address register.
        at = uleb128(content, at)[1]
    if augmentation[:1] != b"z":
        return None
    at = uleb128(content, at)[1]
    for letter in augmentation[1:].decode("latin-1"):
        if letter == "R":
            return content[at]
        if letter == "P":
            at += 1 + {0: 8, 2: 2, 3: 4, 4: 8}[content[at] & 7]
        elif letter == "L":
            at += 1
    return None


def begins_in_a_frame(operations):
    at = 0
    while at < len(operations):
        operation = operations[at]
        if operation in (DEF_CFA, DEF_CFA_REGISTER, DEF_CFA_OFFSET):
            return True
        if operation & 0xC0 != 0x80:  # DW_CFA_offset: where a register was saved; a frame may begin with it.
            return False
        at = uleb128(operations, at + 1)[1]
    return False


# Measured with `facts.py look`, CPython on x86_64:
#                                                      fragments    they take up
#   Debian 3.11.2 and 3.13.5 (profile-guided, static)     31 %       27 % and 28 % of .text
#   3.13.5 as the official image configures it            29 %       26 %
#   3.13.5 of pyenv, optimised and with LTO, shared       30 %       26 %
#   Debian's libpython 3.11.2 (not profile-guided)         0.2 %      0 %
#   pyenv 3.6 to 3.13 without options, gcc 12 and 14       0.1 to 1.6 %, 0 %
# fragments: cold fragments among all functions. Without a profile only a block that leads to a function marked cold is
# one; with it, every block that the training never reached. The linker puts them together at the front of .text.
PROFILED_FRAGMENTS, PROFILED_SPAN = 0.10, 0.08
PLAIN_FRAGMENTS, PLAIN_SPAN = 0.03, 0.03
# An interpreter's core has at least this many functions. Without any fragment the compiler could not make them, or an
# option forbade it.
FEWEST_FUNCTIONS, FEWEST_FRAGMENTS = 1000, 3


def layout(elf):
    """Shares that describe the layout of the core's functions, or None if the tables cannot be read."""
    try:
        found = functions(elf)
    except (NotReadable, struct.error, IndexError, KeyError, ValueError):
        return None
    first, last = elf.address(".text")
    fragments = [address for address, cold, _ in found if cold]
    # A few fragments may be elsewhere, because hand-written assembly can begin in any way.
    behind = fragments[int(len(fragments) * 0.98)] if fragments else first
    return {
        "functions": len(found),
        "fragments": len(fragments),
        "fragmentShare": len(fragments) / max(1, len(found)),
        "fragmentSpan": (behind - first) / max(1, last - first),
        "framedShare": sum(1 for _, _, framed in found if framed) / max(1, len(found)),
    }


def profiled(shape, gcc, bolt):
    # BOLT moves all functions again, and splits them by its own profile.
    if shape is None or shape["functions"] < FEWEST_FUNCTIONS or bolt:
        return UNKNOWN
    if shape["fragmentShare"] >= PROFILED_FRAGMENTS and shape["fragmentSpan"] >= PROFILED_SPAN:
        return YES
    plain = shape["fragmentShare"] <= PLAIN_FRAGMENTS and shape["fragmentSpan"] <= PLAIN_SPAN
    # clang makes no fragments, with a profile or without.
    return NO if plain and gcc and shape["fragments"] >= FEWEST_FRAGMENTS else UNKNOWN


# Share of functions whose frame is found by the frame pointer: 0.83 in the official image, at most 0.0002 without the
# option (only functions that allocate on the stack).
FRAMED, NOT_FRAMED = 0.7, 0.02


def framed(elf, shape):
    if shape is None or shape["functions"] < FEWEST_FUNCTIONS:
        return UNKNOWN
    if shape["framedShare"] >= FRAMED:
        return YES
    # On other architectures the frame pointer is kept and the unwind tables do not need it.
    return NO if shape["framedShare"] <= NOT_FRAMED and elf.machine == "x86_64" else UNKNOWN


# Files of CPython's core, each of which leaves its name in the symbol table unless link-time optimisation made one of
# all of them.
CORE_FILES = frozenset(
    "abstract.c dictobject.c listobject.c longobject.c object.c tupleobject.c typeobject.c unicodeobject.c"
    " import.c marshal.c".split()
)


def link_time_optimised(symbols, gcc):
    if not symbols:
        return UNKNOWN
    files = {name for name, kind, _, _ in symbols if kind == 4}
    core = len(files & CORE_FILES)
    # clang's ThinLTO keeps the names of the files.
    if core >= 5:
        return NO if gcc else UNKNOWN
    merged = any(name == "<artificial>" or name == "ld-temp.o" or ".ltrans" in name for name in files)
    return YES if core == 0 and (merged or any(".lto_priv" in name for name, _, _, _ in symbols)) else UNKNOWN


def bolted(elf):
    names = elf.sections
    if any(name.startswith(".bolt.org") or name == ".note.bolt_info" for name in names):
        return YES
    # BOLT's note is not loaded, and tools that remove .comment remove it too. If .comment is left, so would be the note.
    return NO if ".comment" in names or ".symtab" in names else UNKNOWN


# Moves and the like as AVX writes them (VEX, two-byte form, any registers): what a compiler that may use them puts
# wherever a structure is copied or cleared; then BMI2's shifts (three-byte form). In code for every processor these
# bytes occur by chance alone.
VEX = re.compile(b"\xc5[\xf8-\xff][\x10\x11\x28\x29\x57\x6e\x6f\x77\x7e\x7f\xd6\xef]|\xc4[\xe2\xc2][\xf8-\xfb]\xf7")
# SSE4.1's inserts, popcnt (REX.W): x86-64-v2 has them, the base has not.
V2 = re.compile(b"\x66[\x48-\x4f]?\x0f\x3a[\x16\x20\x22]|\xf3[\x48-\x4f]\x0f\xb8")
# For each MiB of .text, CPython's own sources compiled by gcc 12 -O3: -march=x86-64 0 and 0 (VEX, v2), x86-64-v2 0 and
# 180, x86-64-v3 2879 and 0; whole binaries of Debian and pyenv 0 to 1 and 0. Libraries linked in that choose their code
# as they run (OpenSSL) have some too: a binary with those shows 86 and is unknown.
VEX_BASE, VEX_BEYOND = 20, 400
V2_BASE, V2_BEYOND = 5, 60


def instruction_rates(elf):
    """Occurrences for each MiB of .text: of instructions of AVX code, and of x86-64-v2."""
    text = elf.content(".text")
    mib = max(1, len(text)) / (1 << 20)
    return {
        "vex": sum(1 for _ in VEX.finditer(text)) / mib,
        "v2": sum(1 for _ in V2.finditer(text)) / mib,
        "mib": mib,
    }


def needed_isa(elf):
    """The levels that .note.gnu.property requires (x86-64 psABI: bit 0 is the base), or None."""
    note = elf.content(".note.gnu.property")
    if len(note) < 16 or elf.machine != "x86_64":
        return None
    at = 16
    while at + 8 <= len(note):
        kind, size = struct.unpack_from("<II", note, at)
        if kind == 0xC0008002 and size >= 4:  # GNU_PROPERTY_X86_ISA_1_NEEDED
            return struct.unpack_from("<I", note, at + 8)[0]
        at += 8 + (size + 7) // 8 * 8
    return None


def beyond_base(elf):
    isa = needed_isa(elf)
    if isa is not None and isa & ~1:
        return YES
    if elf.machine != "x86_64":
        return UNKNOWN
    rates = instruction_rates(elf)
    if rates["mib"] < 0.5:
        return UNKNOWN
    if rates["vex"] >= VEX_BEYOND or rates["v2"] >= V2_BEYOND:
        return YES
    return NO if rates["vex"] <= VEX_BASE and rates["v2"] <= V2_BASE else UNKNOWN


def look(path, compiler=""):
    """The facts that the file of an interpreter's core shows. Empty if it cannot be read."""
    try:
        with open(path, "rb") as file:
            elf = Elf(file.read())
    except (OSError, NotReadable, struct.error, IndexError):
        return {}
    symbols = elf.symbols(".symtab")
    shape = layout(elf)
    gcc = b"GCC: (" in elf.content(".comment") or compiler.startswith("GCC")
    gcc = gcc and b"clang version" not in elf.content(".comment")
    bolt = bolted(elf)
    names = {name for name, _, _, _ in symbols}
    imported = {name for name, _, section, _ in elf.symbols(".dynsym") if section == 0}
    return {
        "pgo": profiled(shape, gcc, bolt == YES),
        "lto": link_time_optimised(symbols, gcc),
        "bolt": bolt,
        "march": beyond_base(elf),
        "frame_pointers": framed(elf, shape),
        "tail_call": word(any(name.startswith("_TAIL_CALL_") for name in names) if names else None),
        "jit": word(any(name == "_PyJIT_Compile" for name in names) if names else None),
        # assert() of the C library: release builds have none (NDEBUG). A linked library may have its own.
        "assertions": NO if imported and not imported & {"__assert_fail", "__assert"} else UNKNOWN,
        "needed": elf.needed(),
        "loader": elf.loader(),
        "shape": shape,
        "rates": instruction_rates(elf) if elf.machine == "x86_64" else None,
    }


# --- what it declares -------------------------------------------------------------------------------------------


def declared(version, observed_shared):
    """Property -> value, by sysconfig; and the flags of the core, empty if they belong to another binary."""
    import sysconfig

    variables = sysconfig.get_config_vars()

    def text(name):
        value = variables.get(name)
        return value if isinstance(value, str) else ""

    arguments = text("CONFIG_ARGS")
    flags = " ".join(text(name) for name in ("PY_CFLAGS", "PY_CFLAGS_NODIST", "PY_CORE_CFLAGS"))
    link = " ".join(text(name) for name in ("PY_LDFLAGS_NODIST", "PY_CORE_LDFLAGS"))
    shared = variables.get("Py_ENABLE_SHARED")
    # Debian builds twice, and keeps the flags of the build whose binary it does not ship.
    contradicts = shared is not None and observed_shared is not None and bool(shared) != observed_shared
    # Distributions remove flags that are useless on another machine.
    complete = bool(arguments) and bool(flags.strip()) and not variables.get("PYTHON_BUILD_STANDALONE")

    def has(found):
        return YES if found else NO if complete else UNKNOWN

    def option(name, no=()):
        """A --with or --enable of configure, in its last form."""
        value = None
        for match in re.finditer(r"--(with|enable|without|disable)-" + name + r"(?:=([^\s']*))?(?=['\s]|$)", arguments):
            value = match.group(1) in ("with", "enable") and (match.group(2) or "yes") not in ("no",) + tuple(no)
        return bool(value)

    architecture = re.findall(r"-march=(\S+)", flags)
    levels = re.findall(r"(?<!\S)-O(\S*)", flags)
    words = {
        # PGO_PROF_USE_FLAG is set without a profile too, and the flags that were used with it are not stored.
        "pgo": has(option("optimizations") or "-fprofile-use" in flags),
        "lto": has(option("lto") or "-flto" in flags + link),
        "bolt": has(option("bolt")),
        "shared_libpython": word(None if shared is None else bool(shared)),
        "march": has(bool(architecture) and architecture[-1] not in ("x86-64", "armv8-a")),
        "gil": word(not variables.get("Py_GIL_DISABLED") if complete or version < (3, 13) else None),
        "jit": NO if version < (3, 13) else has(option("experimental-jit", no=["interpreter"])),
        "tail_call": NO if version < (3, 14) else YES if variables.get("Py_TAIL_CALL_INTERP") else has(option("tail-call-interp")),
        "frame_pointers": has(frame_flag(flags)),
        "bytecode": UNKNOWN,
        "assertions": has(bool(variables.get("Py_DEBUG")) or option("assertions") or option("pydebug")),
    }
    details = build_details()
    if "t" in details:
        words["gil"] = NO
    if "d" in details:
        words["assertions"] = YES
    if contradicts:
        kept = words["shared_libpython"]
        return dict(dict.fromkeys(words, UNKNOWN), shared_libpython=kept), "", ""
    return words, "-O" + levels[-1] if levels else "", architecture[-1] if architecture else ""


def frame_flag(flags):
    given = re.findall(r"-f(no-)?omit-frame-pointer", flags)
    return bool(given) and given[-1] == "no-"


def build_details():
    """The ABI's flags of build-details.json (PEP 739, 3.14 and newer)."""
    try:
        with open(os.path.join(os.path.dirname(os.__file__), "build-details.json"), "rb") as file:
            return list(json.loads(file.read().decode("utf-8"))["abi"]["flags"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


# --- how it behaves ---------------------------------------------------------------------------------------------


def mapped_files():
    """Files in this process's memory, in order: the program, its libraries."""
    return list(dict.fromkeys(line.split(None, 5)[5] for line in read("/proc/self/maps").splitlines() if "/" in line))


def program():
    """The running binary itself: sys.executable may be a link, or a script that started it."""
    try:
        return os.readlink("/proc/self/exe")
    except OSError:
        return os.path.realpath(sys.executable or "")


def gil_enabled():
    ask = getattr(sys, "_is_gil_enabled", None)
    return YES if ask is None or ask() else NO


def jit_enabled(version, symbol):
    """Whether it compiles at run time. `symbol`: whether the binary contains the compiler, if its symbols are left."""
    if version < (3, 13):
        return NO
    module = getattr(sys, "_jit", None)
    if module is not None:
        return word(bool(module.is_enabled()))
    return NO if symbol == NO else UNKNOWN


def compiled_library():
    """Whether the modules of the standard library have their compiled files for this level of optimisation."""
    import importlib.util

    folder = os.path.dirname(os.__file__)
    try:
        sources = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".py")]
        cached = sum(1 for path in sources if os.path.exists(importlib.util.cache_from_source(path)))
    except (OSError, NotImplementedError):
        return UNKNOWN
    if len(sources) < 50:
        return UNKNOWN
    return YES if cached >= 0.9 * len(sources) else NO if cached <= 0.1 * len(sources) else UNKNOWN


# --- values -----------------------------------------------------------------------------------------------------


def c_library(loader):
    import subprocess

    if "ld-musl" in loader:
        try:
            # Without arguments it prints its name and version, and ends with an error.
            said = subprocess.run([loader], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10).stdout
            match = re.search(rb"Version (\S+)", said)
            return "musl " + match.group(1).decode("latin-1") if match else "musl"
        except (OSError, subprocess.SubprocessError):
            return "musl"
    try:
        version = os.confstr("CS_GNU_LIBC_VERSION")
        if version:
            return version
    except (AttributeError, ValueError, OSError):
        pass
    import platform

    return " ".join(platform.libc_ver()).strip() or "unknown"


def allocator(libc, files):
    import sysconfig

    names = " ".join(os.path.basename(path) for path in files)
    replaced = [name for name in ("jemalloc", "tcmalloc", "mimalloc") if name in names]
    below = replaced[0] if replaced else libc.split()[0]
    # The free-threaded build allocates by mimalloc. Other builds contain it too, and use it only on request.
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        own = "mimalloc"
    else:
        pymalloc = sysconfig.get_config_var("WITH_PYMALLOC")
        own = "" if pymalloc is None else "pymalloc" if pymalloc else "malloc"
    return "{} on {}".format(own, below) if own else ""


def system():
    text = read("/etc/os-release") or read("/usr/lib/os-release")
    fields = dict(re.findall(r"(?m)^(\w+)=[\"']?(.*?)[\"']?$", text))
    name = fields.get("PRETTY_NAME") or " ".join(
        fields[key] for key in ("NAME", "VERSION_ID") if key in fields
    )
    # os-release has only the major version. A base with another minor version has other packages.
    point, major = read("/etc/debian_version").strip(), fields.get("VERSION_ID", "")
    if fields.get("ID") == "debian" and major and re.match(re.escape(major) + r"\.\d+$", point):
        name = re.sub(r"\b{}\b".format(re.escape(major)), point, name, count=1)
    return name


def system_packages():
    status = read("/var/lib/dpkg/status", 1 << 26)
    installed = len(re.findall(r"(?m)^Status: \S+ \S+ installed$", status))
    try:
        # Images without a package manager keep one file for each package.
        installed += sum(1 for name in os.listdir("/var/lib/dpkg/status.d") if not name.endswith(".md5sums"))
    except OSError:
        pass
    if installed:
        return installed
    for path in ("/lib/apk/db/installed", "/usr/lib/apk/db/installed"):
        text = read(path, 1 << 26)
        if text:
            return len(re.findall(r"(?m)^P:", text))
    return None


def packages():
    """Name to version of the distributions in its venv's site-packages, and then in the interpreter's."""
    import site
    from importlib import metadata

    prefixes = [sys.base_prefix, sys.base_exec_prefix]
    own = os.path.dirname(os.path.dirname(os.path.abspath(sys.executable or "/-/-")))
    if os.path.exists(os.path.join(own, "pyvenv.cfg")):
        prefixes.insert(0, own)
    found = {}
    for prefix in dict.fromkeys(prefixes):
        for distribution in metadata.distributions(path=site.getsitepackages([prefix])):
            try:
                name, version = distribution.metadata["Name"], distribution.version
            except Exception:  # A folder that only looks like a distribution must not lose the others.
                continue
            if name and version:
                found.setdefault(clipped(name).lower().replace("_", "-"), clipped(version))
    return dict(sorted(found.items())[:MOST_ENTRIES])


# --- the modules of the standard library, in processes of their own ---------------------------------------------

LIBRARIES = {
    "openssl": ("_ssl", lambda module: re.sub(r"^OpenSSL\s+(\S+).*", r"\1", module.OPENSSL_VERSION)),
    "sqlite": ("sqlite3", lambda module: module.sqlite_version),
    "zlib": ("zlib", lambda module: module.ZLIB_RUNTIME_VERSION),
    "expat": ("pyexpat", lambda module: module.EXPAT_VERSION.replace("expat_", "")),
    "mpdec": ("decimal", lambda module: module.__libmpdec_version__),
    "ncurses": ("_curses", lambda module: "{}.{}.{}".format(*module.ncurses_version)),
    "zstd": ("_zstd", lambda module: module.zstd_version),
    "tk": ("_tkinter", lambda module: module.TK_VERSION),
}


def import_modules(names):
    """In a child: imports each module and writes the result of each at once. `+name` begins, `=name` is a success."""
    import importlib

    with os.fdopen(int(names[0]), "w", buffering=1, encoding="utf-8") as out:
        for name in names[1:]:
            out.write("+{}\n".format(name))
            kind, _, rest = name.partition(":")
            try:
                if kind == "library":
                    module, version = LIBRARIES[rest]
                    line = version(importlib.import_module(module))
                else:
                    importlib.import_module(name)
                    line = ""
                out.write("={}\n".format(one_line(line)))
            except BaseException as error:
                out.write("!{}\n".format(one_line("{}: {}".format(type(error).__name__, error))))


def one_line(text):
    return clipped(" ".join(str(text).split()))


def clipped(text):
    return str(text)[:TEXT_LIMIT]


def imported(names):
    """Name -> (whether it imports, its message). A module that ends its process is found, and the others continue."""
    import subprocess
    import time

    deadline = time.monotonic() + CHILD_SECONDS
    results, left = {}, list(names)
    while left:
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            break
        reader, writer = os.pipe()
        command = [sys.executable, "-I", "-S", os.path.abspath(__file__), "import", str(writer)] + left
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[writer],
            cwd="/",
        )
        os.close(writer)
        reached = read_results(reader, child, seconds, results)
        status = child.wait()
        if reached is not None:
            results[reached] = (False, ending(status))
        if all(name not in results for name in left):
            break  # It does not even start: there is nothing to say of any.
        left = [name for name in left if name not in results]
    return results


def ending(status):
    return "importing it ended the process ({})".format(
        "signal {}".format(-status) if status < 0 else "status {}".format(status)
    )


def read_results(reader, child, seconds, results):
    """Fills results. Returns the name that was begun and not ended, or None."""
    import threading

    timer = threading.Timer(seconds, child.kill)
    timer.start()
    begun = None
    with os.fdopen(reader, "r", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            kind, text = line[:1], line[1:].rstrip("\n")
            if kind == "+":
                begun = text
            elif begun is not None:
                results[begun] = (kind == "=", text)
                begun = None
    timer.cancel()
    return begun


def extension_modules():
    """Names of the standard library's extension modules that are files. Those in the binary work."""
    from importlib.machinery import EXTENSION_SUFFIXES

    found = []
    for folder in sys.path:
        if not folder.rstrip("/").endswith("lib-dynload"):
            continue
        try:
            entries = sorted(os.listdir(folder))
        except OSError:
            continue
        for entry in entries:
            if any(entry.endswith(suffix) for suffix in EXTENSION_SUFFIXES):
                found.append(entry.split(".")[0])
    # Tests of CPython itself; some of them end the process on purpose.
    return [name for name in dict.fromkeys(found) if not re.match(r"_?test|_ctypes_test|_xx|xx", name)]


def modules():
    """(libraries: name to version, broken modules: name to reason)."""
    names = extension_modules()
    if not sys.executable:
        return {}, {}
    results = imported(names + ["library:" + name for name in LIBRARIES])
    libraries, broken = {}, {}
    for name, (well, text) in results.items():
        kind, _, rest = name.partition(":")
        if kind == "library":
            if well and text:
                libraries[rest] = text
        elif not well:
            broken[name] = text
    return libraries, broken


# --- together ---------------------------------------------------------------------------------------------------


def attempt(function, otherwise):
    """The result of a part, or its error: a part that fails on an unknown interpreter must not lose the others."""
    try:
        return function()
    except Exception:
        return otherwise


def libraries_of_python(files):
    return [path for path in files if re.match(r"libpython\d", os.path.basename(path))]


def build_of(paths):
    """SHA-256 of the interpreter's files. Another compilation of the same version has another."""
    import hashlib

    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
    return "sha256:" + digest.hexdigest()


def which_python(executable, libpython):
    import platform

    build = attempt(lambda: build_of([executable] + libpython[:1]), None)
    return dict(
        {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "executable": executable,
        },
        **({"build": build} if build else {})
    )


def facts():
    import platform

    version = sys.version_info[:2]
    executable = program()
    files = attempt(mapped_files, [])
    libpython = libraries_of_python(files)
    compiler = platform.python_compiler()
    cpython = platform.python_implementation() == "CPython"
    core = attempt(lambda: look(libpython[0] if libpython else executable, compiler), {}) if cpython else {}
    main = attempt(lambda: look(executable, compiler), {}) if libpython else core
    shared = None
    if libpython:
        shared = True
    elif main and files:
        shared = False
    words, optimization, march = attempt(lambda: declared(version, shared), ({}, "", "")) if cpython else ({}, "", "")
    observed = {
        "pgo": core.get("pgo", UNKNOWN),
        "lto": core.get("lto", UNKNOWN),
        "bolt": core.get("bolt", UNKNOWN),
        "shared_libpython": word(shared),
        "march": core.get("march", UNKNOWN),
        "gil": gil_enabled(),
        "jit": attempt(lambda: jit_enabled(version, core.get("jit", UNKNOWN)), UNKNOWN) if cpython else UNKNOWN,
        "tail_call": NO if cpython and version < (3, 14) else core.get("tail_call", UNKNOWN),
        "frame_pointers": core.get("frame_pointers", UNKNOWN),
        "bytecode": attempt(compiled_library, UNKNOWN),
        "assertions": YES if hasattr(sys, "gettotalrefcount") else core.get("assertions", UNKNOWN),
    }
    libc = attempt(lambda: c_library(main.get("loader", "")), "unknown")
    libraries, broken = attempt(modules, ({}, {}))
    return {
        **which_python(executable, libpython),
        "compiler": one_line(compiler),
        "libc": one_line(libc),
        "system": one_line(attempt(system, "")),
        "allocator": one_line(attempt(lambda: allocator(libc, files), "")),
        "optimization": one_line(optimization),
        "march": one_line(march),
        "libraries": libraries,
        "packages": attempt(packages, {}),
        "systemPackages": attempt(system_packages, None),
        "brokenModules": broken,
        "properties": {
            name: {"declared": words.get(name, UNKNOWN), "observed": observed[name]} for name in observed
        },
    }


def main(arguments):
    if arguments[:1] == ["import"]:
        return import_modules(arguments[1:])
    if arguments[:1] == ["look"]:
        answer = look(arguments[1])
    elif arguments[:1] == ["python"]:
        answer = which_python(program(), libraries_of_python(attempt(mapped_files, [])))
    else:
        answer = facts()
    line = json.dumps(answer) + "\n"
    if arguments[:1] == ["python"] and len(arguments) > 1:
        with open(arguments[1], "w") as file:
            file.write(line)
    else:
        sys.stdout.write(line)


if __name__ == "__main__":
    main(sys.argv[1:])
