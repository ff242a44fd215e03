"""Runs a server once, and measures it from inside while another process sends load.

`serve.py OPTIONS -- COMMAND...` starts the server, reports when it is ready, and reads commands on standard input:
`begin` and `end` bound the measured time, and `stop` ends the server. It then writes a line of JSON, as probe.py does.
Like probe.py it uses only the standard library of Python 3.8 or newer, imports everything before the first start, and
is the first process of its container.
"""

import contextlib
import os
import re
import resource
import select
import signal
import socket
import sys
import time

# The folder may belong to a user, so Python must not write bytecode into it.
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from probe import (  # noqa: E402 - found by the line above, for an isolated interpreter looks beside no script.
    MESSAGE_LIMIT,
    Guard,
    Samples,
    Timeout,
    anonymous_memory,
    become_subreaper,
    cgroup_cpu_seconds,
    cgroup_folders,
    descendants,
    end_on_signal,
    ending,
    field,
    frequency_hz,
    kill_all,
    memory_peak_bytes,
    noise_between,
    noise_readings,
    oom_kills,
    read,
    say,
    start,
    startup_seconds,
    diagnostics,
)

sys.path.pop(0)

# The interval between two checks of readiness: the longer of this time and this share of the time since the start.
READY_SECONDS = 0.005
READY_SHARE = 0.01
# The time limit for the answer on an accepted connection. After it the server is asked again.
ANSWER_SECONDS = 10
ANSWER_BYTES = 65536
# The time limit for the rest of a successful answer after its first line.
REST_SECONDS = 0.5
# The interval between two readings of a server's processes. No metric depends on it.
TICK_SECONDS = 0.05


def cgroup_split_seconds(v2, v1):
    """(user, system) CPU seconds of the cgroup. Only their ratio is used, because version 1 gives them in ticks."""
    if v2:
        names, text, unit = ("user_usec", "system_usec"), read(v2 + "/cpu.stat"), 1e-6
    else:
        names, text, unit = ("user", "system"), read(v1 + "/cpuacct/cpuacct.stat"), 1 / os.sysconf("SC_CLK_TCK")
    return tuple((field(text, name) or 0) * unit for name in names)


def process_fields(pid):
    """The fields of /proc/PID/stat after the command's name, from the state (field 3) on. Empty if it has ended."""
    return read("/proc/{}/stat".format(pid)).rpartition(")")[2].split()


def process_seconds(pid):
    """CPU seconds of a process and all its threads, or None. It reads the process's clock (clock_getcpuclockid(3))."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


def tree_seconds():
    """(CPU, user, system) seconds of all processes below this one: running ones, and ended ones that were waited for.

    The seconds of ended processes, and the split into user and system, are in ticks of 10 ms. Children of a process
    that ignores SIGCHLD are missing, because the kernel drops their figures.
    """
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    user, system = waited.ru_utime, waited.ru_stime
    total = user + system
    tick = 1 / os.sysconf("SC_CLK_TCK")
    for pid in descendants():
        seconds = process_seconds(pid)
        fields = process_fields(pid)
        if len(fields) < 15:
            continue
        own_user, own_system, waited_user, waited_system = (int(text) * tick for text in fields[11:15])
        user += own_user + waited_user
        system += own_system + waited_system
        total += (own_user + own_system if seconds is None else seconds) + waited_user + waited_system
    return total, user, system


def others_seconds(v2, v1):
    """(CPU, user, system) seconds so far of all processes of the run except this one."""
    total = cgroup_cpu_seconds(v2, v1)
    if total is None:
        return tree_seconds()
    user, system = cgroup_split_seconds(v2, v1)
    own = resource.getrusage(resource.RUSAGE_SELF)
    return total - time.process_time(), user - own.ru_utime, system - own.ru_stime


def cpu_metrics(before, after):
    """CPU metrics between two readings. The sum is exact. The split has the kernel's ratio of user and system time."""
    total, user, system = (max(0.0, late - early) for early, late in zip(before, after))
    # The ratio comes first, because rounding must not make the remainder negative.
    in_system = total * (system / (user + system)) if user + system > 0 else 0.0
    return {"cpu_time_s": total, "user_time_s": total - in_system, "system_time_s": in_system}


class Gone(Exception):
    """The input has ended, because Pacegate has ended."""


class Ended(Exception):
    """The server has ended, or Pacegate has asked for its end."""


class Words:
    """Pacegate's commands on standard input, one word on each line. The workload has /dev/null instead."""

    def __init__(self):
        self.descriptor = os.dup(0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        self.text = b""

    def next(self, seconds):
        """The next word, or None if none comes within these seconds. Raises Gone at the end of the input."""
        while b"\n" not in self.text:
            if not select.select([self.descriptor], [], [], seconds)[0]:
                return None
            more = os.read(self.descriptor, 256)
            if not more or len(self.text) > 256:
                raise Gone()
            self.text += more
        word, _, self.text = self.text.partition(b"\n")
        return word.decode("ascii", "replace")


class ReadyCheck:
    """Checks whether a server is ready: by a connection to a port of loopback, or by a GET with status 2xx or 3xx."""

    def __init__(self, address):
        host, port, path = "localhost", address, None
        if not address.isdigit():
            host, _, path = address[len("http://") :].partition("/")
            host, _, port = host.rpartition(":")
        self.port = int(port)
        self.hosts = {"localhost": ("127.0.0.1", "::1")}.get(host, (host.strip("[]"),))
        # HTTP 1.0: the server closes the connection after its answer, and does not send it in chunks.
        lines = ("GET /{} HTTP/1.0".format(path), "Host: {}:{}".format(host, port), "Connection: close", "", "")
        self.request = None if path is None else "\r\n".join(lines).encode("ascii")
        self.name = "port {} of loopback".format(port) if path is None else address
        self.tries = 0
        self.found = ""

    def occupied(self):
        """Whether another process already listens there. In a container of its own none can."""
        for host in self.hosts:
            with self.connection(host) as connection:
                if connection is not None:
                    return True
        return False

    def ask(self, idle):
        """The time of a successful answer, or None with the reason in `found`. Calls `idle` while it waits."""
        self.tries += 1
        for host in self.hosts:
            with self.connection(host) as connection:
                if connection is None:
                    continue
                if self.request is None:
                    return time.perf_counter()
                answered = self.answered(connection, idle)
                if answered is not None:
                    return answered
        return None

    def connection(self, host):
        """A context manager with the connection, or with None if there is none."""
        try:
            connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            self.found = self.found or error.strerror
            return contextlib.nullcontext()
        try:
            connection.settimeout(TICK_SECONDS)
            connection.connect((host, self.port))
            # If no process listens on a port of the kernel's range for clients, the connection may get this port itself.
            if connection.getsockname() != connection.getpeername():
                return connection
            self.found = "connection refused"
            # Without TIME_WAIT, which would keep the port from the server.
            now = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        except OSError as error:
            # The first address is the expected one, so its failure is reported.
            if host == self.hosts[0]:
                self.found = (error.strerror or str(error)).lower()
        connection.close()
        return contextlib.nullcontext()

    def answered(self, connection, idle):
        self.found = "no answer"
        answer, clock, good = b"", 0.0, False
        deadline = time.perf_counter() + ANSWER_SECONDS
        try:
            connection.sendall(self.request)
            while b"\n" not in answer and len(answer) < ANSWER_BYTES:
                # In each loop, because an answer may come byte by byte.
                idle()
                if time.perf_counter() > deadline:
                    return None
                try:
                    more = connection.recv(4096)
                except socket.timeout:
                    continue
                if not more:
                    break
                answer += more
            clock = time.perf_counter()
            line = answer.split(b"\n", 1)[0].strip()
            self.found = ascii(line[:80].decode("latin-1")) if line else "a connection that was closed without an answer"
            good = re.match(rb"HTTP/1\.[01] [23]\d\d\b", line) is not None
            # Read the answer to its end, because a server that cannot send all of it would log an error. The time limit
            # ends an answer without an end.
            while good and len(answer) < ANSWER_BYTES and more and time.perf_counter() < clock + REST_SECONDS:
                more = connection.recv(4096)
                answer += more
        except OSError as error:
            if not answer:
                self.found = (error.strerror or str(error)).lower()
        return clock if good else None


class Server:
    """The server's processes, from its start to their end."""

    def __init__(self, command, environment, guard):
        self.main, self.began, self.message = start(command, environment, guard)
        self.status = 127 << 8 if self.message else None
        self.gone = bool(self.message)

    def alive(self):
        """Whether processes are left to measure. A first process that ended with 0 may have left a daemon."""
        while not self.gone:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self.gone = True
                break
            if pid == 0:
                break
            if pid == self.main:
                self.status = status
        return not self.gone and self.status in (None, 0)

    def ask(self, number_):
        for pid in [self.main] if self.status is None else descendants():
            try:
                os.kill(pid, number_)
            except OSError:
                pass

    def stop(self, number_, limit):
        """Asks the server to end, and ends it after `limit` seconds. Returns the seconds that its end took."""
        began = time.perf_counter()
        daemon = self.status is not None
        self.ask(number_)
        while time.perf_counter() - began < limit:
            self.alive()
            # The engine kills processes that outlive the first process of a container.
            if self.gone or not daemon and self.status is not None:
                break
            time.sleep(READY_SECONDS)
        kill_all()
        return time.perf_counter() - began


def await_ready(server, check, words, limit):
    """Returns the seconds from the server's start until it is ready. Raises Timeout or Ended."""

    def waited():
        return time.perf_counter() - server.began

    def idle(seconds=0):
        if words.next(seconds) is not None or not server.alive():
            raise Ended()
        if waited() > limit:
            raise Timeout()

    while True:
        answered = check.ask(idle)
        if answered is not None:
            return answered - server.began
        idle(max(READY_SECONDS, waited() * READY_SHARE))


BEFORE_READY, BEFORE_LOAD, UNDER_LOAD, AFTER_LOAD = (
    "before it was ready", "before the load that counts", "under load", "after the load",
)  # fmt: skip


class Window:
    """The figures of a server between the commands `begin` and `end`."""

    def __init__(self, v2, v1):
        self.folders = v2, v1
        self.samples = Samples(anonymous_memory(v2, v1))
        self.metrics = {}
        self.noise = {}
        # CPU seconds of this process in that time, which the container's own count includes.
        self.beside = 0.0

    def begin(self):
        self.noise["load_1m"] = os.getloadavg()[0]
        self.readings = noise_readings(*self.folders)
        self.samples.begin()
        self.began = time.perf_counter()
        self.own = time.process_time()
        self.before = others_seconds(*self.folders)

    def end(self):
        self.metrics.update(cpu_metrics(self.before, others_seconds(*self.folders)))
        self.metrics["window_s"] = time.perf_counter() - self.began
        self.samples.end()
        self.beside = time.process_time() - self.own
        used = self.metrics["cpu_time_s"] + self.beside
        self.noise.update(noise_between(self.readings, noise_readings(*self.folders), used))
        frequency = frequency_hz()
        if frequency is not None:
            self.noise["frequency_hz"] = frequency
        if "throttled_s" in self.noise:
            self.metrics["throttled_time_s"] = self.noise["throttled_s"]
        peak = memory_peak_bytes(*self.folders)
        if peak:
            self.metrics["memory_peak_bytes"] = peak
        anonymous = self.samples.peak_bytes()
        if anonymous is not None:
            self.metrics["anonymous_memory_bytes"] = anonymous
            self.noise["sampling_s"] = self.samples.longest_gap


def obey(server, window, words):
    """Follows Pacegate's commands until `stop`. Returns (stage reached, complaint). The complaint is empty on success."""
    phase = BEFORE_LOAD
    due = TICK_SECONDS
    while True:
        word = words.next(due)
        if not server.alive():
            return phase, "the server " + ending(server.status or 0)[2] + " " + phase
        if word is None:
            if phase == UNDER_LOAD:
                due = window.samples.sample()
        elif word == "begin" and phase == BEFORE_LOAD:
            phase = UNDER_LOAD
            window.begin()
            say({"event": "begun"})
        elif word == "end" and phase == UNDER_LOAD:
            window.end()
            phase, due = AFTER_LOAD, TICK_SECONDS
            say({"event": "ended"})
        elif word == "stop":
            return phase, ""
        else:
            # The server can write to this process's input through /proc.
            return phase, "somebody else than Pacegate wrote to the probe of the server: {}".format(ascii(word[:80]))


def serve(options, command):
    contained = options["contained"]
    end_on_signal(contained)
    if not contained:
        become_subreaper()
    words = Words()
    check = ReadyCheck(options["ready"])
    environment = dict(os.environ)
    if options["metrics"]:
        environment["PACEGATE_METRICS"] = options["metrics"]
    if options["profiler"]:
        diagnostics().put_first(options["profiler"], environment)
    if check.occupied():
        say({"event": "occupied", "message": "{} answers before the server is started".format(check.name)})
        return
    v2, v1 = cgroup_folders(contained)
    window = Window(v2, v1)
    outcome, complaint, phase = "ok", "", BEFORE_READY
    metrics = window.metrics
    guard = Guard(contained, window.samples)
    server = Server(command, environment, guard)
    try:
        if server.message:
            raise Ended()
        metrics["ready_time_s"] = await_ready(server, check, words, options["start_timeout"])
        say({"event": "ready"})
        phase, complaint = obey(server, window, words)
    except Timeout:
        outcome = "timeout"
        complaint = "the server was not ready within {:g} s: {} was tried {} times, at last with {}".format(
            options["start_timeout"], check.name, check.tries, check.found
        )
    except Ended:
        complaint = "the server " + ending(server.status or 0)[2] + " " + phase
        if server.message:
            complaint = "the command could not be started: " + server.message
    except Gone:
        kill_all()
        os._exit(143)

    exit_status = None
    if complaint and outcome == "ok":
        outcome, exit_status, _ = ending(server.status or 0)
        # A server that ended with 0 has ended too early as well.
        outcome = "nonzero" if outcome == "ok" else outcome
    stopped = server.stop(signal.Signals[options["stop"]], options["stop_timeout"])
    if outcome == "ok":
        metrics["stop_time_s"] = stopped
        metrics["max_rss_bytes"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    # One of several processes may have been killed and replaced. The figures then are not those of the server's work.
    if oom_kills(v2, v1) > 0:
        outcome, complaint = "oom", "the kernel killed a process of the server: its memory limit was reached"
    if options["interpreter"] > 0 and outcome == "ok":
        startup = startup_seconds(command[: options["interpreter"]], environment)
        if startup is not None:
            metrics["startup_time_s"] = startup
    answer = {
        "outcome": outcome,
        "exitStatus": exit_status,
        "message": complaint[:MESSAGE_LIMIT],
        "metrics": metrics,
        "cgroupCpu": None if cgroup_cpu_seconds(v2, v1) is None else metrics.get("cpu_time_s"),
        "besideCpu": window.beside,
        "noise": window.noise,
        "business": None,
        "open": guard.open,
    }
    if options["profiles"]:
        answer["profiles"], answer["profilesLeftOut"] = diagnostics().read_profiles(options["profiles"])
    say(answer)


def main(arguments):
    split = arguments.index("--")
    options = {
        "contained": False, "metrics": "", "interpreter": 0, "profiles": "", "profiler": "",
        "ready": "", "start_timeout": 30.0, "stop": "SIGTERM", "stop_timeout": 10.0,
    }  # fmt: skip
    for word in arguments[:split]:
        name, _, value = word.partition("=")
        if name == "--contained":
            options["contained"] = True
        elif name == "--interpreter":
            # The number of words of the command that are the interpreter and its flags.
            options["interpreter"] = int(value)
        elif name in ("--ready", "--stop", "--metrics", "--profiles", "--profiler"):
            options[name[2:]] = value
        elif name in ("--start-timeout", "--stop-timeout"):
            options[name[2:].replace("-", "_")] = float(value)
        else:
            sys.exit("probe: unknown option " + word)
    serve(options, arguments[split + 1 :])


if __name__ == "__main__":
    main(sys.argv[1:])
