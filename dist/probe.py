"""Runs a workload once and measures it from inside.

`probe.py run OPTIONS -- COMMAND...` starts the command as its child, waits for it and all its descendants, and writes
one line of JSON to standard output. The command's output goes to the error stream.

serve.py is the probe for servers, and imports from this file. They are two files because this one must stay small: the
child inherits the memory that the interpreter needs to read it.

Standard library only, Python 3.8 or newer, and few imports, because the child's max RSS includes the size of this
process until it execs. All imports come before the first run: they must not take measured time, nor read files that a
workload has changed. In a container this is the first process, so it adopts orphans; on a host it becomes their
subreaper.
"""

import errno
import json
import os
import re  # json imports it too.
import resource
import signal
import stat
import sys
import time
import warnings  # noqa: F401 - os.get_exec_path imports it, and that is called while the clock runs.

CGROUP = "/sys/fs/cgroup"
OWN_CGROUP = "/proc/self/cgroup"
STAT = "/proc/stat"
CPUINFO = "/proc/cpuinfo"
PROCESSORS = "/sys/devices/system/cpu"
# More business metrics than this are a mistake, and they have to fit through a pipe.
METRICS_LIMIT = 1 << 20
# The file itself may be larger: the tools write the time of every round, megabytes for each benchmark.
METRICS_FILE_LIMIT = 128 << 20
NUMBERS = rb"\[[-+.0-9eE,\snulNaIfity]*\]"
LISTS = NUMBERS.join((rb"\[\s*(?:", rb"|null)(?:\s*,\s*(?:")) + NUMBERS + rb"|null))*\s*\]"
# pytest-benchmark's rounds, hyperfine's times, pyperf's discarded values; and asv's samples, which have no own key.
ROUNDS = re.compile(rb'"(data|times|memory_usage_byte)":\s*' + NUMBERS)
WARMUPS = re.compile(rb'"warmups":\s*' + LISTS)
SAMPLES = re.compile(LISTS)
# pyperf's description of the machine in each of its runs. A name and a unit in it are those of the benchmark.
METADATA = re.compile(rb'"metadata":\s*\{((?:[^{}"]|"(?:[^"\\]|\\.)*")*)\}')
NEEDED = re.compile(rb'"(?:name|unit|exit_code|returncode|error)":\s*(?:"(?:[^"\\]|\\.)*"|[-0-9a-z]+)')
GZIP = b"\x1f\x8b"
MESSAGE_LIMIT = 1000
# The time that a kill may take: the kernel first frees the memory of a large process.
KILL_SECONDS = 5
# The interval of memory samples; it is longer if they take more than this share of one processor.
SAMPLE_SECONDS = 0.05
SAMPLE_SHARE = 0.005
# With fewer samples the highest of them is not reported as the peak.
SAMPLES_AT_LEAST = 3
# The largest number of interpreter starts, the time after which none begins, and the time limit of one that hangs.
STARTS = 5
STARTS_SECONDS = 0.5
STARTS_LIMIT_SECONDS = 30
# The time limit for reading the processors' frequencies: some kernels take 10 ms for each.
FREQUENCY_SECONDS = 0.05
# If a machine has more processors than fit here (some 40 of x86), the first ones are read.
CPUINFO_LIMIT = 1 << 16
# /proc/stat counts in ticks of a hundredth, and rounds each of its figures: less than this is not to be seen in it.
TICKS_SECONDS = 0.05
# ru_inblock and ru_oublock are in blocks of this size (Linux, task_io_accounting_ops.h).
BLOCK = 512


def read(path, most=-1):
    try:
        with open(path, "r") as file:
            return file.read(most)
    except (OSError, UnicodeDecodeError):
        return ""


def field(text, name):
    """The number behind a name in a file of `name number` lines, or None."""
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == name:
            try:
                return int(words[1])
            except ValueError:
                return None
    return None


def number(path):
    try:
        return int(read(path))
    except ValueError:
        return None


def cgroup_folders(contained):
    """(v2 folder, v1 folder) of this process's own cgroup. One or both are None.

    In a container the namespace's root is the run's own cgroup. On a host other processes share the cgroup, so its
    figures are not read.
    """
    if not contained:
        return None, None
    if not os.path.exists(CGROUP + "/cgroup.controllers"):
        return None, CGROUP
    # An engine that shares the host's cgroup namespace shows the whole tree. Its root counts the machine, and is the
    # only cgroup without cgroup.type (Linux, admin-guide/cgroup-v2).
    path = [line[3:] for line in read(OWN_CGROUP).splitlines() if line.startswith("0::")]
    for folder in [CGROUP + own for own in path if own != "/"] + [CGROUP]:
        if os.path.exists(folder + "/cgroup.type"):
            return folder, None
    return None, None


def cgroup_cpu_seconds(v2, v1):
    if v2:
        usage = field(read(v2 + "/cpu.stat"), "usage_usec")
        return None if usage is None else usage / 1e6
    usage = number(v1 + "/cpuacct/cpuacct.usage") if v1 else None
    return None if usage is None else usage / 1e9


def throttled_seconds(v2, v1):
    if v2:
        usec = field(read(v2 + "/cpu.stat"), "throttled_usec")
        return None if usec is None else usec / 1e6
    # The controller cpu: some machines mount it apart from cpuacct.
    nsec = field(read(v1 + "/cpu/cpu.stat"), "throttled_time") if v1 else None
    return None if nsec is None else nsec / 1e9


def memory_peak_bytes(v2, v1):
    # memory.peak needs Linux 5.19. Without it v2 has no peak.
    if v2:
        return number(v2 + "/memory.peak")
    return number(v1 + "/memory/memory.max_usage_in_bytes") if v1 else None


def anonymous_memory(v2, v1):
    """A function that returns the cgroup's anonymous memory in bytes: heaps and stacks, no page cache, each page once.

    On a host it returns None. A sum over processes would count pages that are shared since a fork once for each, and
    finding the processes needs a walk over all processes of the machine.

    The file stays open, because opening it again takes five times as long when the processor's caches are cold.
    """
    # In version 1 the name is rss, and total_rss includes the groups below (Linux, cgroup-v1/memory).
    path, name = (v2 + "/memory.stat", b"\nanon ") if v2 else ((v1 or "") + "/memory/memory.stat", b"\ntotal_rss ")
    try:
        descriptor = os.open(path, os.O_RDONLY) if v2 or v1 else None
    except OSError:
        descriptor = None

    def look():
        if descriptor is None:
            return None
        try:
            text = b"\n" + os.pread(descriptor, 8192, 0)
            at = text.index(name) + len(name)
            return int(text[at : text.index(b"\n", at)])
        except (OSError, ValueError):
            return None

    return look


def oom_kills(v2, v1):
    if v2:
        return field(read(v2 + "/memory.events"), "oom_kill") or 0
    return (field(read(v1 + "/memory/memory.oom_control"), "oom_kill") or 0) if v1 else 0


def machine_seconds():
    """(busy, steal): CPU seconds of all the machine's processors since it started; None where it does not say.

    Busy is user, nice, system, irq and softirq. Guests are in user and nice already; idle and iowait are nobody's work,
    and what the hypervisor stole was not used here. In a container too this is the machine's, unless something stands
    in between (lxcfs, gVisor).
    """
    words = read(STAT, 1024).split("\n", 1)[0].split()
    try:
        user, nice, system, _, _, irq, softirq, steal = (int(word) for word in words[1:9])
    except ValueError:
        return None, None
    tick = 1 / os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) * tick, steal * tick


def other_seconds(busy, own):
    """CPU seconds of all other processes. None if the run used more than the machine's file shows."""
    return max(0.0, busy - own) if busy > 0.8 * own - TICKS_SECONDS else None


def frequency_hz():
    """The highest frequency of the processors that the run may use, at its end. None if the machine does not show it.

    Not the mean: idle processors show a low frequency, and the number of idle ones is random.
    """
    deadline = time.perf_counter() + FREQUENCY_SECONDS
    seen = []
    # Older versions of PyPy lack sched_getaffinity.
    mine = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 0)
    for processor in sorted(mine):
        kilohertz = number("{}/cpu{}/cpufreq/scaling_cur_freq".format(PROCESSORS, processor))
        if kilohertz is None or time.perf_counter() > deadline:
            break
        seen.append(kilohertz * 1e3)
    if not seen:
        found = re.findall(r"^cpu MHz\s*:\s*([0-9]+(?:[.][0-9]+)?)$", read(CPUINFO, CPUINFO_LIMIT), re.MULTILINE)
        seen = [float(megahertz) * 1e6 for megahertz in found]
    return max(seen, default=0) or None


def cpu_pressure_seconds():
    for line in read("/proc/pressure/cpu").splitlines():
        if line.startswith("some"):
            return int(line.rsplit("total=", 1)[1]) / 1e6
    return None


def noise_readings(v2, v1):
    """Counters of the machine and of the cgroup. Their growth during a run is its noise."""
    busy, steal = machine_seconds()
    return {
        "busy_s": busy,
        "steal_s": steal,
        "cpu_pressure_s": cpu_pressure_seconds(),
        "throttled_s": throttled_seconds(v2, v1),
    }


def noise_between(before, after, used):
    """The noise between two readings, without what one of them lacks.

    `used`: CPU seconds that the run and this process used meanwhile, None where that is not known.
    """
    noise = {
        name: max(0.0, after[name] - before[name])
        for name in before
        if before[name] is not None and after[name] is not None
    }
    busy = noise.pop("busy_s", None)
    others = None if busy is None or used is None else other_seconds(busy, used)
    if others is not None:
        noise["other_cpu_s"] = others
    return noise


def become_subreaper():
    """Makes this process adopt orphans, and end when Pacegate ends."""
    import ctypes

    PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value in ((PR_SET_CHILD_SUBREAPER, 1), (PR_SET_PDEATHSIG, signal.SIGTERM)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl({}, {})".format(option, int(value)))


HARDWARE, CYCLES, INSTRUCTIONS = 0, 0, 1


def open_counter(kind, which):
    """File of a kernel counter for future children of this process, each from its exec. None if there is no counter.

    perf_event_open(2): a container's seccomp refuses it unless the container has CAP_PERFMON, a virtual machine rarely
    has the hardware, and perf_event_paranoid may forbid it. It counts only user mode, which needs the fewest rights.
    """
    import ctypes

    call = {"x86_64": 298, "aarch64": 241}.get(os.uname().machine)
    if call is None:
        return None
    disabled, inherit, exclude_kernel, exclude_hv, enable_on_exec = 1, 1 << 1, 1 << 5, 1 << 6, 1 << 12
    # struct perf_event_attr in its first version: read as value, time enabled, time running.
    size, times = 64, 1 | 2
    numbers = (
        (kind, 4), (size, 4), (which, 8), (0, 8), (0, 8), (times, 8),
        (disabled | inherit | exclude_kernel | exclude_hv | enable_on_exec, 8), (0, 16),
    )  # fmt: skip
    attributes = b"".join(value.to_bytes(width, sys.byteorder) for value, width in numbers)
    close_on_exec = 8
    # This process on any processor, no group.
    words = (ctypes.c_char_p(attributes), 0, -1, -1, ctypes.c_ulong(close_on_exec))
    descriptor = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(call), *words)
    return None if descriptor < 0 else descriptor


def read_counter(descriptor):
    """The count of all children. None if other counters shared the hardware, because it is then an estimate."""
    words = os.read(descriptor, 24)
    value, enabled, running = (int.from_bytes(words[at : at + 8], sys.byteorder) for at in (0, 8, 16))
    return value if enabled == running and enabled > 0 else None


def open_counters():
    opened = {"instructions": open_counter(HARDWARE, INSTRUCTIONS), "cycles": open_counter(HARDWARE, CYCLES)}
    return {name: descriptor for name, descriptor in opened.items() if descriptor is not None}


def open_granted_counters():
    """(counters, error) in a container with CAP_PERFMON; the name of the error if there are no counters.

    Only opening the counters needs the capability. The workload must not have it, because it allows watching the whole
    machine. It stays dropped across every exec, root's too, because the container's processes gain no privileges
    (no-new-privileges). Open counters continue.
    """
    import ctypes

    counters = open_counters()
    error = None if counters else errno.errorcode.get(ctypes.get_errno(), "none")
    version_3 = 0x20080522
    header, none = (ctypes.c_uint32 * 2)(version_3, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    return counters, error


def descendants():
    """Process ids below this one, from /proc: what it left behind may have left its process group too."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            line = read("/proc/" + name + "/stat")
            if line:
                # The command's name may hold spaces and brackets; the parent comes behind the last bracket.
                parent = int(line.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found, queue = [], [os.getpid()]
    while queue:
        for pid in children.get(queue.pop(), []):
            found.append(pid)
            queue.append(pid)
    return found


def kill_all():
    deadline = time.perf_counter() + KILL_SECONDS
    while time.perf_counter() < deadline:  # A process may fork between the look and the kill.
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0] != 0:
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def find_program(name, environment):
    """The file that a command's first word names, as execvp finds it, or None."""
    if "/" in name:
        return name
    for folder in os.get_exec_path(environment):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None


def shut_out():
    """Closes this process's memory and open files to the workload, which has the same user. Returns whether it worked.

    PR_SET_DUMPABLE 0: without CAP_SYS_PTRACE, which Pacegate's containers lack, no process, not even root's, can open
    /proc/PID/mem or /proc/PID/fd of this process, or trace it. Some Pythons lack ctypes.
    """
    try:
        # _ctypes needs a fifth of the memory of ctypes, which the children of later repetitions inherit.
        import _ctypes

        if hasattr(_ctypes, "call_function"):
            return _ctypes.call_function(_ctypes.dlsym(_ctypes.dlopen(None, 2), "prctl"), (4, 0, 0, 0, 0)) == 0
        import ctypes

        return ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0
    except (ImportError, OSError, TypeError, AttributeError):
        return False


def own_anonymous():
    """Bytes of this process's heap and stack."""
    words = read("/proc/self/statm").split()
    return (int(words[1]) - int(words[2])) * resource.getpagesize()


class Guard:
    """Shuts the workload out once, when its first process is forked and has not started yet.

    Not before the fork, because the child would inherit the memory that this takes, and max RSS would include it.
    """

    def __init__(self, wanted, samples):
        self.due, self.samples = wanted, samples
        # Whether the workload can reach this process; None if the guard was not wanted.
        self.open = None

    def close(self):
        self.due = False
        before = own_anonymous()
        self.open = not shut_out()
        # Memory that this process takes here is not the workload's.
        if self.samples.floor is not None:
            self.samples.floor += max(0, own_anonymous() - before)


def start(command, environment, guard=None):
    """Forks and execs; the child's standard output becomes the error stream. Returns (pid, start, error text).

    The start is the child's clock just before its exec, because the fork of this process takes milliseconds. On Linux
    the clock is the same for all processes (CLOCK_MONOTONIC).

    The child does almost nothing before its exec: each page that it touches is copied, and its time and memory count
    as the workload's. posix_spawn is faster, but its child shares this process's memory, and max RSS would include all
    of it.
    """
    program = find_program(command[0], environment)
    if program is None:
        return 0, time.perf_counter(), "{}: not found in the PATH".format(command[0])
    reader, writer = os.pipe()
    hold = os.pipe() if guard and guard.due else None
    forked = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        try:
            if hold:
                # Waits until the guard is closed or the parent has ended.
                os.close(hold[1])
                os.read(hold[0], 1)
            os.dup2(2, 1)
            # Python ignores these two signals, and an exec keeps that.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            os.write(writer, repr(time.perf_counter()).encode() + b"\n")
            os.execve(program, command, environment)
        except OSError as error:
            os.write(writer, "{}: {}".format(command[0], error.strerror).encode("utf-8", "replace"))
        finally:
            os._exit(127)
    os.close(writer)
    if hold:
        guard.close()
        os.close(hold[0])
        os.close(hold[1])
    # The pipe ends at the exec, which closes the child's end, or with the message of a failed exec.
    with os.fdopen(reader, "rb") as pipe:
        clock, _, message = pipe.read().partition(b"\n")
    if message:
        os.waitpid(pid, 0)
    # A child that was killed before its exec sent no time.
    return pid, float(clock or forked), message.decode("utf-8", "replace")


def ending(status):
    """(outcome, exit status or None, words) of a wait status."""
    if os.WIFSIGNALED(status):
        number_ = os.WTERMSIG(status)
        try:
            name = signal.Signals(number_).name
        except ValueError:
            name = "signal {}".format(number_)
        return "signal", None, "was ended by {}".format(name)
    exit_status = os.WEXITSTATUS(status)
    return ("nonzero" if exit_status else "ok"), exit_status, "ended with exit status {}".format(exit_status)


class Timeout(Exception):
    pass


def run_once(command, environment, state):
    """Runs the command and waits until its last process has ended. Puts its wait status into state.

    Returns the seconds from its start to the end of the last process.
    """
    pid, began, message = start(command, environment, state.get("guard"))
    if message:
        state["message"] = "the command could not be started: " + message
        state["status"] = 127 << 8
        return 0.0
    state["main"] = pid
    while True:
        try:
            ended, status, _ = os.wait4(-1, 0)
        except ChildProcessError:
            return time.perf_counter() - began
        if ended == pid:
            state["status"] = status
            state["main_ended"] = time.perf_counter()


def usage_seconds(usage):
    return usage.ru_utime + usage.ru_stime


def usage_metrics(before, after, repetitions):
    """The figures of wait4 for all processes and threads of the workload, by metric, for one repetition."""

    def each(name):
        return (getattr(after, name) - getattr(before, name)) / repetitions

    metrics = {
        # A sum of differences: the difference of two sums may be rounded below zero if no time was used.
        "cpu_time_s": each("ru_utime") + each("ru_stime"),
        # Linux counts it in KiB.
        "max_rss_bytes": after.ru_maxrss * 1024,
        "user_time_s": each("ru_utime"),
        "system_time_s": each("ru_stime"),
        "page_faults_minor": each("ru_minflt"),
        "page_faults_major": each("ru_majflt"),
        "context_switches_voluntary": each("ru_nvcsw"),
        "context_switches_involuntary": each("ru_nivcsw"),
    }
    # A kernel without CONFIG_TASK_IO_ACCOUNTING gives 0 here, and lacks this file.
    if os.path.exists("/proc/self/io"):
        metrics["io_read_bytes"] = each("ru_inblock") * BLOCK
        metrics["io_write_bytes"] = each("ru_oublock") * BLOCK
    return metrics


class Samples:
    """Samples anonymous memory and keeps the highest sample."""

    def __init__(self, look):
        self.look = look
        # The memory before the workload starts: that of this process.
        self.floor = look()
        self.samples = self.peak = 0
        self.last = self.longest_gap = 0.0

    def begin(self):
        self.last = time.perf_counter()

    def sample(self):
        """Takes one sample. Returns the seconds until the next one is due."""
        began = time.process_time()
        now = time.perf_counter()
        self.longest_gap = max(self.longest_gap, now - self.last)
        self.last = now
        self.samples += 1
        self.peak = max(self.peak, self.look() or 0)
        return max(SAMPLE_SECONDS, (time.process_time() - began) / SAMPLE_SHARE)

    def end(self):
        self.longest_gap = max(self.longest_gap, time.perf_counter() - self.last)

    def peak_bytes(self):
        """The highest sample minus the memory of this process, or None."""
        if self.floor is None or self.samples < SAMPLES_AT_LEAST:
            return None
        return max(0, self.peak - self.floor)


class Watch(Samples):
    """Raises Timeout at the deadline, and until then samples the anonymous memory.

    It uses a timer and not a thread, because this process forks, and Python warns about forks with two threads.
    """

    def __init__(self, look):
        super().__init__(look)
        self.deadline = None
        signal.signal(signal.SIGALRM, self.ring)

    def start(self, seconds):
        self.begin()
        self.deadline = self.last + seconds
        self.arm(SAMPLE_SECONDS)

    def arm(self, delay):
        left = self.deadline - time.perf_counter()
        # 0 would be no alarm at all.
        signal.setitimer(signal.ITIMER_REAL, max(1e-6, left if self.floor is None else min(delay, left)))

    def ring(self, *_):
        if self.deadline is None:  # It was under way when the watch was stopped.
            return
        if time.perf_counter() >= self.deadline:
            raise Timeout()
        if self.floor is None:
            self.arm(0)
            return
        self.arm(self.sample())

    def stop(self):
        self.deadline = None
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.end()


def startup_seconds(interpreter, environment):
    """Median time of starting and ending the interpreter, or None if it fails."""
    watch = Watch(lambda: None)
    began = time.perf_counter()
    seconds = []
    watch.start(STARTS_LIMIT_SECONDS)
    try:
        while len(seconds) < STARTS and (not seconds or time.perf_counter() - began < STARTS_SECONDS):
            state = {"status": None}
            seconds.append(run_once(interpreter + ["-c", "pass"], environment, state))
            if state["status"] != 0:
                return None
        watch.stop()
    except Timeout:
        kill_all()
        return None
    finally:
        watch.stop()
    seconds.sort()
    return (seconds[(len(seconds) - 1) // 2] + seconds[len(seconds) // 2]) / 2


def end_on_signal(contained):
    """Ends the workload too when Pacegate, the engine or Ctrl-C ends this process."""

    def end(*_):
        # A container's processes end with its first one.
        if not contained:
            kill_all()
        os._exit(143)

    # The first process of a container ignores signals that it has no handler for.
    signal.signal(signal.SIGTERM, end)
    for number_ in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number_) != signal.SIG_IGN:
            signal.signal(number_, end)


def say(value):
    """Writes a line for Pacegate. It begins on a new line, because a workload may have written here through /proc."""
    sys.stdout.write("\n" + json.dumps(value) + "\n")
    sys.stdout.flush()


def read_metrics(path):
    """(text, complaint) of the workload's own metrics; both None if it wrote none.

    The text is checked outside. The path may be a pipe, so opening must not wait.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return None, error.strerror
    regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
    content = os.read(descriptor, METRICS_FILE_LIMIT + 1) if regular else b""
    os.close(descriptor)
    if not regular:
        return None, "it is not a regular file"
    if len(content) > METRICS_FILE_LIMIT:
        return None, "it is larger than {} bytes".format(METRICS_FILE_LIMIT)
    if content[:2] == GZIP:
        content, complaint = unpacked(content)
        if content is None:
            return None, complaint
    if len(content) > METRICS_LIMIT:
        content = without_rounds(content)
    if len(content) > METRICS_LIMIT:
        return None, (
            "it is larger than {} bytes, single rounds, samples and warm-ups not counted: report fewer benchmarks".format(
                METRICS_LIMIT
            )
        )
    return content.decode("utf-8", "replace"), None


def unpacked(content):
    """(bytes, complaint) of a file that a tool compressed, as pyperf does if its name ends in .gz."""
    try:
        import zlib
    except ImportError:
        return None, "it is compressed, and this Python has no zlib"
    try:
        reader = zlib.decompressobj(wbits=31)
        whole = reader.decompress(content, METRICS_FILE_LIMIT + 1)
    except zlib.error:
        return None, "it begins as a gzip file and is none"
    if len(whole) > METRICS_FILE_LIMIT:
        return None, "unpacked it is larger than {} bytes".format(METRICS_FILE_LIMIT)
    if not reader.eof:
        return None, "it is a gzip file without its end"
    return whole, None


def without_rounds(content):
    """A results file without the parts that no metric uses, which are most of a large one."""
    content = ROUNDS.sub(rb'"\1": []', content)
    if b'"result_columns"' in content:
        return SAMPLES.sub(b"null", content)
    content = WARMUPS.sub(b'"warmups": []', content)
    return METADATA.sub(lambda found: b'"metadata": {' + b", ".join(NEEDED.findall(found.group(1))) + b"}", content)


def diagnostics():
    """The module for counted and profiled runs. Measured runs do not import it, because max RSS would include it."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import diagnostics

    sys.path.pop(0)
    return diagnostics


def run(options, command):
    end_on_signal(options["contained"])
    if not options["contained"]:
        become_subreaper()
    if options.get("wait"):
        say({"event": "waiting"})
        if not sys.stdin.readline():
            sys.exit("probe: nobody said when to begin")
        # The workload must not read Pacegate's input.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # Not in a container, where it is refused: ctypes would make this process larger, and max RSS would include it.
    counters, no_counters = {}, None
    if options["counters"]:
        counters, no_counters = open_granted_counters()
    elif not options["contained"]:
        counters = open_counters()
    v2, v1 = cgroup_folders(options["contained"])
    environment = dict(os.environ)
    metrics_file = options["metrics"]
    if metrics_file:
        environment["PACEGATE_METRICS"] = metrics_file
    beside = diagnostics() if options["counts"] or options["profiles"] else None
    if options["counts"]:
        beside.prepare_counting(options["counts"], command[0], environment)
    if options["profiler"]:
        beside.put_first(options["profiler"], environment)

    noise = {"load_1m": os.getloadavg()[0]}
    readings = noise_readings(v2, v1)
    cgroup_before = cgroup_cpu_seconds(v2, v1)
    own_before = time.process_time()
    usage_before = resource.getrusage(resource.RUSAGE_CHILDREN)
    state = {"status": None, "main_ended": None, "message": ""}
    repetitions = options["repetitions"]
    outcome = "ok"
    wall = 0.0
    watch = Watch(anonymous_memory(v2, v1))
    state["guard"] = Guard(options["contained"], watch)
    started = time.perf_counter()
    watch.start(options["timeout"] * repetitions)
    try:
        for _ in range(repetitions):
            state["status"] = state["main_ended"] = None
            wall += run_once(command, environment, state)
            if state["status"] != 0:
                break
        watch.stop()
    except Timeout:
        outcome = "timeout"
    own = time.process_time() - own_before
    cgroup_after = cgroup_cpu_seconds(v2, v1)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    readings_after = noise_readings(v2, v1)
    frequency = frequency_hz()

    if outcome == "timeout":
        kill_all()
        state["message"] = (
            "the command itself ended after {:.1f} s, but it left processes that were still running".format(
                state["main_ended"] - started
            )
            if state["main_ended"]
            else "the command was still running"
        ) + " at the limit of {:g} s".format(options["timeout"] * repetitions)

    status = state["status"]
    exit_status = None
    if outcome == "ok":
        outcome, exit_status, words = ending(status)
        if outcome != "ok":
            state["message"] = state["message"] or "the command " + words
    # The kernel kills the largest process of the group, which may be a child of the command. A command that then exits
    # with 0 has not done all of its work, and one that waits forever for the child hangs because of the limit.
    if oom_kills(v2, v1) > 0:
        outcome = "oom"
        state["message"] = "the kernel killed a process of the run: its memory limit was reached"

    metrics = {"wall_time_s": wall / repetitions}
    metrics.update(usage_metrics(usage_before, usage, repetitions))
    peak = memory_peak_bytes(v2, v1)
    if peak:
        metrics["memory_peak_bytes"] = peak
    anonymous = watch.peak_bytes()
    if anonymous is not None:
        metrics["anonymous_memory_bytes"] = anonymous
        noise["sampling_s"] = watch.longest_gap
    for name, descriptor in counters.items():
        counted = read_counter(descriptor)
        os.close(descriptor)
        if counted is not None:
            metrics[name] = counted / repetitions
    # The cgroup counts every process, also those that others reaped. It checks the sum above.
    cgroup = None
    if cgroup_before is not None and cgroup_after is not None:
        cgroup = max(0.0, cgroup_after - cgroup_before - own) / repetitions
    # Without a cgroup the CPU time of a killed run is unknown, because its processes were not waited for.
    used = None if outcome == "timeout" else usage_seconds(usage) - usage_seconds(usage_before) + own
    if cgroup_before is not None and cgroup_after is not None:
        used = cgroup_after - cgroup_before
    noise.update(noise_between(readings, readings_after, used))
    if frequency is not None:
        noise["frequency_hz"] = frequency
    if "throttled_s" in noise:
        metrics["throttled_time_s"] = noise["throttled_s"] / repetitions

    business = None
    if metrics_file and outcome == "ok":
        business, complaint = read_metrics(metrics_file)
        if complaint:
            outcome = "nonzero"
            state["message"] = "the workload wrote metrics that cannot be read (PACEGATE_METRICS): " + complaint

    counts = None
    if options["counts"] and outcome == "ok":
        counts, complaint = beside.read_counts(options["counts"], options["callgrind_bytes"])
        if complaint:
            outcome = "nonzero"
            state["message"] = complaint

    # Last of all, so that nothing above counts it.
    if options["interpreter"] > 0 and outcome == "ok":
        startup = startup_seconds(command[: options["interpreter"]], environment)
        if startup is not None:
            metrics["startup_time_s"] = startup

    answer = {
        "outcome": outcome,
        "exitStatus": exit_status,
        "message": state["message"][:MESSAGE_LIMIT],
        "metrics": metrics,
        "cgroupCpu": cgroup,
        # CPU time in the container's count that is not the run's: this process, and the starts of the interpreter.
        "besideCpu": time.process_time()
        + max(0.0, usage_seconds(resource.getrusage(resource.RUSAGE_CHILDREN)) - usage_seconds(usage)),
        "noise": noise,
        "business": business,
        "counts": counts,
        "noCounters": no_counters,
        "open": state["guard"].open,
    }
    if options["profiles"]:
        answer["profiles"], answer["profilesLeftOut"] = beside.read_profiles(options["profiles"])
    say(answer)


def main(arguments):
    split = arguments.index("--")
    options = {
        **{"contained": False, "timeout": 600.0, "repetitions": 1, "metrics": "", "interpreter": 0, "wait": False},
        **{"counters": False, "counts": "", "callgrind_bytes": 0, "profiles": "", "profiler": ""},
    }
    for word in arguments[1:split]:
        name, _, value = word.partition("=")
        if name == "--contained":
            options["contained"] = True
        elif name == "--counters":
            options["counters"] = True
        elif name == "--counts":
            # The folder for the counts of the command, which is a tool of valgrind.
            options["counts"] = value
        elif name == "--callgrind-bytes":
            # The number of bytes of its files that are passed on.
            options["callgrind_bytes"] = int(value)
        elif name == "--timeout":
            options["timeout"] = float(value)
        elif name == "--repetitions":
            options["repetitions"] = int(value)
        elif name == "--interpreter":
            # The number of words of the command that are the interpreter and its flags.
            options["interpreter"] = int(value)
        elif name == "--metrics":
            options["metrics"] = value
        elif name == "--wait":
            # The command starts after a line on standard input.
            options["wait"] = True
        elif name == "--profiles":
            # The folder for the files of the profiler.
            options["profiles"] = value
        elif name == "--profiler":
            # The folder of the profiler that each interpreter of the run imports.
            options["profiler"] = value
        else:
            sys.exit("probe: unknown option " + word)
    run(options, arguments[split + 1 :])


if __name__ == "__main__":
    main(sys.argv[1:])
