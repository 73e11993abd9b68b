"""workload.py: runs a workload with one build of its program, and says what CPU time the program used."""
import os
import signal
import socket
import subprocess
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def fill(arguments, binary, port):
    return [a.replace("{bin}", binary).replace("{port}", str(port)) for a in arguments]


def wait(process):
    """Exit status and CPU seconds of a child and of what it waited for."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime


def stop(process):
    """
    Ends a server. A signal that comes between a server's look at its flag and its wait for events is seen by the next event
    only (nginx under valgrind, one time in fifty), so it is sent until the server ends.
    """
    while True:
        process.send_signal(signal.SIGTERM)
        for _ in range(40):
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
            time.sleep(0.05)


def listening(port, process):
    for _ in range(6000):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}")
            time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def serve(program, workload, binary, prefix, environment, during):
    port = free_port()
    program.configure(port)
    process = subprocess.Popen(prefix + fill(workload.server, binary, port), env=environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        listening(port, process)
        for client in workload.clients:
            subprocess.run(fill(client, binary, port), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if during:
            during(process, [fill(c, binary, port) for c in workload.clients])
    finally:
        if process.returncode is None:
            stop(process)
    code, seconds = wait(process)
    if code not in (0, -signal.SIGTERM):
        raise RuntimeError(f"{program.name}: the server ended with {code}")
    return seconds


def run(program, workload, binary, prefix=(), environment=None, during=None):
    """CPU seconds of the program. `prefix` goes before each command (valgrind …). `during`: called with a server's
    process and its clients' commands when those have ended once."""
    environment = {**os.environ, **(environment or {})}
    prefix, seconds = list(prefix), 0
    if workload.server:
        return serve(program, workload, binary, prefix, environment, during)
    for command in workload.commands:
        process = subprocess.Popen(prefix + fill(command, binary, 0), env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        code, used = wait(process)
        if code not in workload.codes:
            raise RuntimeError(f"{program.name}: {command} ended with {code}")
        seconds += used
    return seconds
