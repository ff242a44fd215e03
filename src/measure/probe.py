"""Runs a workload once and measures it from inside.

`probe.py run OPTIONS -- COMMAND...` starts the command as its child, waits for it and for everything that it left
behind, and writes one line of JSON on its own standard output; the command's output goes to the error stream.
`probe.py facts` writes what the interpreter is.

Standard library only, Python 3.8 or newer, and few imports: the size of this process is inherited by the child's
max RSS until it execs. In a container it is the first process, so orphans become its own; on a host it makes
itself their subreaper.
"""

import os
import sys
import time

CGROUP_V2 = "/sys/fs/cgroup"
CGROUP_V1_CPU = "/sys/fs/cgroup/cpuacct"
CGROUP_V1_MEMORY = "/sys/fs/cgroup/memory"
# A business metrics file larger than this is a mistake, and it would have to travel through a pipe.
METRICS_LIMIT = 1 << 20


def read(path):
    try:
        with open(path, "r") as file:
            return file.read()
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
    """(v2 folder, v1 CPU folder, v1 memory folder) of this process's own cgroup.

    In a container the namespace's root is the run's own cgroup. On a host the cgroup is shared with other
    processes, and its figures would be theirs: none are read.
    """
    if not contained:
        return None, None, None
    if os.path.exists(CGROUP_V2 + "/cgroup.controllers"):
        return CGROUP_V2, None, None
    return None, CGROUP_V1_CPU, CGROUP_V1_MEMORY


def cgroup_cpu_seconds(v2, v1):
    if v2:
        usage = field(read(v2 + "/cpu.stat"), "usage_usec")
        return None if usage is None else usage / 1e6
    usage = number(v1 + "/cpuacct.usage") if v1 else None
    return None if usage is None else usage / 1e9


def throttled_seconds(v2, v1):
    if v2:
        usec = field(read(v2 + "/cpu.stat"), "throttled_usec")
        return None if usec is None else usec / 1e6
    nsec = field(read(v1 + "/cpu.stat"), "throttled_time") if v1 else None
    return None if nsec is None else nsec / 1e9


def memory_peak_bytes(v2, v1):
    # memory.peak came with Linux 5.19; without it there is no peak to report under v2.
    return number(v2 + "/memory.peak") if v2 else (number(v1 + "/memory.max_usage_in_bytes") if v1 else None)


def oom_kills(v2, v1):
    count = field(read(v2 + "/memory.events"), "oom_kill") if v2 else (
        field(read(v1 + "/memory.oom_control"), "oom_kill") if v1 else None
    )
    return count or 0


def steal_seconds():
    words = read("/proc/stat").split("\n", 1)[0].split()
    return int(words[8]) / os.sysconf("SC_CLK_TCK") if len(words) > 8 else None


def cpu_pressure_seconds():
    for line in read("/proc/pressure/cpu").splitlines():
        if line.startswith("some"):
            return int(line.rsplit("total=", 1)[1]) / 1e6
    return None


def become_subreaper():
    import ctypes

    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants():
    """Process ids below this one, from /proc: what it left behind may have left its process group too."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = read("/proc/" + name + "/stat")
            if stat:
                # The command's name may hold spaces and brackets; the parent comes behind the last bracket.
                parent = int(stat.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found, queue = [], [os.getpid()]
    while queue:
        for pid in children.get(queue.pop(), []):
            found.append(pid)
            queue.append(pid)
    return found


def kill_all():
    import signal

    for _ in range(10):  # A process may fork between the look and the kill.
        alive = descendants()
        if not alive:
            return
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        while True:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    break
            except ChildProcessError:
                return
        time.sleep(0.02)


def start(command, environment):
    """Forks and execs; the child's standard output becomes the error stream. Returns (pid, error text)."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, False)
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reader)
            os.dup2(2, 1)
            os.execvpe(command[0], command, environment)
        except OSError as error:
            os.write(writer, "{}: {}".format(command[0], error.strerror).encode())
        finally:
            os._exit(127)
    os.close(writer)
    message = os.read(reader, 4096).decode("utf-8", "replace")
    os.close(reader)
    return pid, message


class Timeout(Exception):
    pass


def run_once(command, environment, state):
    """Runs the command and waits until the last of its processes is gone; its wait status goes into state."""
    pid, message = start(command, environment)
    if message:
        os.waitpid(pid, 0)
        state["message"] = "the command could not be started: " + message
        state["status"] = 127 << 8
        return
    state["main"] = pid
    while True:
        try:
            ended, status, _ = os.wait4(-1, 0)
        except ChildProcessError:
            return
        if ended == pid:
            state["status"] = status
            state["main_ended"] = time.perf_counter()


def run(options, command):
    import json
    import resource
    import signal

    if options["contained"]:
        # The first process of a container ignores signals that it has no handler for.
        signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    else:
        become_subreaper()

        def end(*_):
            kill_all()
            os._exit(143)

        signal.signal(signal.SIGTERM, end)

    def expire(*_):
        raise Timeout()

    signal.signal(signal.SIGALRM, expire)
    v2, v1_cpu, v1_memory = cgroup_folders(options["contained"])
    environment = dict(os.environ)
    metrics_file = options["metrics"]
    if metrics_file:
        environment["PACEGATE_METRICS"] = metrics_file

    noise = {"load_1m": os.getloadavg()[0]}
    steal, pressure = steal_seconds(), cpu_pressure_seconds()
    throttled = throttled_seconds(v2, v1_cpu)
    cgroup_before = cgroup_cpu_seconds(v2, v1_cpu)
    own_before = time.process_time()
    usage_before = resource.getrusage(resource.RUSAGE_CHILDREN)
    state = {"status": None, "main_ended": None, "message": ""}
    repetitions = options["repetitions"]
    outcome = "ok"
    started = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, options["timeout"] * repetitions)
    try:
        for _ in range(repetitions):
            state["status"] = state["main_ended"] = None
            run_once(command, environment, state)
            if state["status"] != 0:
                break
        signal.setitimer(signal.ITIMER_REAL, 0)
    except Timeout:
        outcome = "timeout"
    wall = time.perf_counter() - started
    own = time.process_time() - own_before
    cgroup_after = cgroup_cpu_seconds(v2, v1_cpu)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)

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
        if os.WIFSIGNALED(status):
            number_ = os.WTERMSIG(status)
            try:
                name = signal.Signals(number_).name
            except ValueError:
                name = "signal {}".format(number_)
            outcome = "signal"
            state["message"] = "the command was ended by {}".format(name)
        else:
            exit_status = os.WEXITSTATUS(status)
            if exit_status != 0:
                outcome = "nonzero"
                state["message"] = state["message"] or "the command ended with exit status {}".format(exit_status)
    # The kernel kills the largest process of the group, which need not be the command itself.
    if outcome != "timeout" and outcome != "ok" and oom_kills(v2, v1_memory) > 0:
        outcome = "oom"
        state["message"] = "the kernel killed a process of the run: its memory limit was reached"

    metrics = {
        "wall_time_s": wall / repetitions,
        "cpu_time_s": (usage.ru_utime + usage.ru_stime - usage_before.ru_utime - usage_before.ru_stime) / repetitions,
        # Linux counts it in KiB.
        "max_rss_bytes": usage.ru_maxrss * 1024,
    }
    peak = memory_peak_bytes(v2, v1_memory)
    if peak:
        metrics["memory_peak_bytes"] = peak
    # The cgroup counts every process whoever reaped it: the check of the sum above.
    cgroup = None
    if cgroup_before is not None and cgroup_after is not None:
        cgroup = max(0.0, cgroup_after - cgroup_before - own) / repetitions
    for name, before, after in (
        ("steal_s", steal, steal_seconds()),
        ("cpu_pressure_s", pressure, cpu_pressure_seconds()),
        ("throttled_s", throttled, throttled_seconds(v2, v1_cpu)),
    ):
        if before is not None and after is not None:
            noise[name] = max(0.0, after - before)

    business = None
    if metrics_file and outcome == "ok" and os.path.exists(metrics_file):
        with open(metrics_file, "rb") as file:
            content = file.read(METRICS_LIMIT + 1)
        # Judged outside: what the workload wrote is passed on as text, cut where it is too long.
        business = content[:METRICS_LIMIT].decode("utf-8", "replace") if len(content) <= METRICS_LIMIT else "too large"
    json.dump(
        {
            "outcome": outcome,
            "exitStatus": exit_status,
            "message": state["message"],
            "metrics": metrics,
            "cgroupCpu": cgroup,
            "noise": noise,
            "business": business,
        },
        sys.stdout,
    )
    sys.stdout.write("\n")
    sys.stdout.flush()


def facts():
    import json
    import platform

    json.dump(
        {
            "python": platform.python_version(),
            "implementation": platform.python_implementation(),
            "executable": os.path.realpath(sys.executable),
            "compiler": platform.python_compiler(),
            "libc": " ".join(platform.libc_ver()).strip() or "unknown",
        },
        sys.stdout,
    )
    sys.stdout.write("\n")


def main(arguments):
    if arguments[:1] == ["facts"]:
        return facts()
    split = arguments.index("--")
    options = {"contained": False, "timeout": 600.0, "repetitions": 1, "metrics": ""}
    for word in arguments[1:split]:
        name, _, value = word.partition("=")
        if name == "--contained":
            options["contained"] = True
        elif name == "--timeout":
            options["timeout"] = float(value)
        elif name == "--repetitions":
            options["repetitions"] = int(value)
        elif name == "--metrics":
            options["metrics"] = value
        else:
            sys.exit("probe: unknown option " + word)
    run(options, arguments[split + 1 :])


if __name__ == "__main__":
    main(sys.argv[1:])
