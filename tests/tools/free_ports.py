#!/usr/bin/env python3
"""Prints COUNT free ports of 127.0.0.1, so that test runs beside each other don't meet.

    free_ports.py COUNT [LOW HIGH]

From below the kernel's ephemeral range, so that no outgoing connection takes one meanwhile.
"""
import random
import socket
import sys

count = int(sys.argv[1])
low, high = (int(a) for a in sys.argv[2:4]) if len(sys.argv) > 3 else (21510, 21590)
found = []
for port in random.sample(range(low, high), high - low):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    found.append(str(port))
    if len(found) == count:
        break
if len(found) < count:
    sys.exit(f"fewer than {count} free ports from {low} to {high}")
print(" ".join(found))
