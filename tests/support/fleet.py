"""What measurements of the fleet collector share: fake targets, a collector, and what both say of themselves."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request


def measured(*arguments):
    """Runs a command to its end: (what it printed, CPU seconds, peak RSS in MiB)."""
    child = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(arguments)}: exit {child.returncode}: {output[-2000:]}")
    return output, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def get(url, timeout=20):
    """The text behind an address; proxies of the environment are not asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=timeout) as answer:
        return answer.read().decode()


def wait_for(condition, seconds, what):
    """Waits until the condition holds and returns what it returned; the programme ends if it doesn't in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.2)
    sys.exit(f"not within {seconds} s: {what}")


class Process:
    """A child in a session of its own: it and what it starts end with us. Its core, where there is one for it alone."""

    def __init__(self, arguments, folder, name, core=None):
        self.log = os.path.join(folder, name + ".log")
        self.out = os.path.join(folder, name + ".out")
        def pin():
            if core in os.sched_getaffinity(0):
                os.sched_setaffinity(0, {core})
                with contextlib.suppress(OSError):  # a measurement's weight against others on the machine
                    with open("/proc/self/autogroup", "w") as file:
                        file.write("-15")

        with open(self.out, "w") as out, open(self.log, "a") as log:
            self.child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=out, stderr=log,
                                          start_new_session=True, preexec_fn=pin if core is not None else None)

    @property
    def pid(self):
        return self.child.pid

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def status(self, key):
        """A number of /proc/PID/status, in MiB where it is one of kB."""
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(rf"^{key}:\s+(\d+)", file.read(), re.M).group(1)) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def end(self, how=signal.SIGTERM, patience=60):
        """Its exit status, after at most so long."""
        if self.child.poll() is None:
            self.child.send_signal(how)
            try:
                self.child.wait(patience)
            except subprocess.TimeoutExpired:
                pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self.child.wait()


class Targets(Process):
    """fleet_server: as many instances as there are loopback addresses, on one port."""

    def __init__(self, build, folder, core=None, **options):
        arguments = [os.path.join(build, "tests/tools/fleet_server")]
        for name, value in options.items():
            arguments += ["--" + name, str(value)]
        super().__init__(arguments, folder, "targets", core)
        self.port = int(wait_for(lambda: open(self.out).read().strip(), 60, "the fake targets listen"))

    def list(self, path, count, services=20):
        """Writes a file_sd list of so many instances, shared out among so many services."""
        groups = [{"targets": [f"127.{1 + i // 62500}.{i // 250 % 250}.{1 + i % 250}:{self.port}"
                               for i in range(k, count, services)], "labels": {"service": f"service-{k:02}"}}
                  for k in range(min(services, count))]
        with open(path + ".new", "w") as file:
            json.dump(groups, file)
        os.rename(path + ".new", path)

    def stats(self):
        return json.loads(get(f"http://127.0.0.1:{self.port}/stats"))

    def down(self, share):
        get(f"http://127.0.0.1:{self.port}/down?share={share}")


class Collector(Process):
    """profuse collect --config, serving its metrics on a port of its own."""

    def __init__(self, build, folder, config, store, *options, name="collector", core=None):
        self.profuse = os.path.join(build, "profuse")
        start = os.path.getsize(os.path.join(folder, name + ".log")) if os.path.exists(
            os.path.join(folder, name + ".log")) else 0
        super().__init__([self.profuse, "collect", "--config", config, "--store", store, "--listen", "127.0.0.1:0",
                          *options], folder, name, core)

        def port():
            with open(self.log) as file:
                file.seek(start)
                text = file.read()
            if self.child.poll() is not None:
                sys.exit(f"the collector ended: {text[-2000:]}")
            found = re.search(r"serving /metrics.* port=(\d+)", text)
            return found and int(found.group(1))
        self.port = wait_for(port, 60, "the collector serves its metrics")

    def metrics(self):
        values = {}
        for line in get(f"http://127.0.0.1:{self.port}/metrics").splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name.removeprefix("profuse_collect_")] = float(value)
        return values


@contextlib.contextmanager
def ending(*processes):
    try:
        yield
    finally:
        for process in processes:
            process.end(signal.SIGKILL)


def folder():
    """A temporary folder, on a disk: PROFUSE_PERF_DIR, else the system's."""
    return tempfile.TemporaryDirectory(prefix="profuse-fleet-", dir=os.environ.get("PROFUSE_PERF_DIR"))
