"""fleet.py: the collector of a fleet, as the examples run it: on a port of its own, its store and log beside it."""
import contextlib
import json
import re
import subprocess
import time
import urllib.request

import case


def until(seconds, what, condition):
    """The first true answer of a condition; an example ends where that takes too long."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > end:
            case.die(f"not within {seconds} s: {what}")
        time.sleep(0.3)
    return found


class Collector:
    def __init__(self, folder, config):
        self.store, self.log, self.config = folder / "store", folder / "collector.log", folder / "fleet.yaml"
        self.config.write_text(config)

    @contextlib.contextmanager
    def running(self):
        command = [str(case.build_folder() / "profuse"), "collect", "--config", str(self.config), "--store", str(self.store),
                   "--listen", "127.0.0.1:0"]
        case.show_command(command)
        with open(self.log, "w") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        case.running.append(process)
        try:
            found = until(120, f"the collector serves ({self.log})", lambda: re.search(r"serving /metrics.* port=(\d+)", self.log.read_text()))
            self.address = f"127.0.0.1:{found[1]}"
            yield self
        finally:
            case.stop(process, 30)

    def metric(self, name):
        """The sum over all labels of one of the collector's own metrics."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        found = re.findall(rf"^profuse_collect_{name}(?:{{[^}}]*}})? (\S+)$", text, re.M)
        return sum(map(float, found))

    def listed(self, *selection):
        """The profiles in the store that fit."""
        if not self.store.exists():
            return []
        return json.loads(case.profuse("store", "list", "--json", "--store", self.store, *selection, quiet=True))["profiles"]
