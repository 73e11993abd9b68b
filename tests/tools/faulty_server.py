#!/usr/bin/env python3
"""An HTTP server that answers as badly as servers in production do.

    faulty_server.py LOG [--tls CERT KEY [--client-ca CA]] [--peer FILE]

Each path is one way to answer (see PATHS below). Every request is a line in LOG:
path and query, and whether credentials came with it ("auth=yes|no header=yes|no"),
so that a test can see what went where; the credentials themselves are not
written. --peer names the file with the port that redirects lead to. It listens on
127.0.0.1 only, on a port that the kernel chose, and prints that.
"""
import argparse
import gzip
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import tiny_profile

BUSY = b"Could not enable CPU profiling: cpu profiling already in use\n"
HTML = (b"<!DOCTYPE html>\n<html><head><title>Sign in</title><style>p { color: red }</style></head>"
        b"<body><p>Please \x1b[31msign in</p></body></html>")
LOCK = threading.Lock()


class Faulty(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "faulty"

    def log_message(self, *args):
        pass

    def note(self):
        auth = "yes" if self.headers.get("Authorization") else "no"
        cookie = "yes" if self.headers.get("X-Tenant") else "no"
        with LOCK, open(self.server.log, "a", encoding="utf-8") as log:
            log.write(f"{self.path} auth={auth} header={cookie}\n")

    def count(self):
        with LOCK:
            n = self.server.counts.get(self.path, 0) + 1
            self.server.counts[self.path] = n
            return n

    def answer(self, status, body, kind="application/octet-stream", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def text(self, status, body, **headers):
        self.answer(status, body, "text/plain; charset=utf-8", **headers)

    def go_error(self, status, body):
        self.text(status, body, X_Go_Pprof="1")

    def hang(self, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.server.over:
            time.sleep(0.05)
        self.close_connection = True

    def drop(self):
        """Ends the connection with a reset instead of a proper end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def peer(self):
        with open(self.server.peer, encoding="ascii") as port:
            return port.read().strip()

    def redirect(self, where, status=302):
        self.text(status, b"over there\n", Location=where)

    def do_GET(self):
        self.note()
        path = self.path.split("?")[0]
        if path.startswith("http://"):  # we are the proxy
            path = "/" + path.split("/", 3)[3]
        name = path.strip("/").replace("/", "_").replace("-", "_")
        act = getattr(self, "path_" + name, None)
        if not act and "/debug/pprof/" in path:  # a fleet's target below that path: /html/debug/pprof/profile
            name = path.split("/debug/pprof/")[0].strip("/").replace("/", "_").replace("-", "_")
            act = name and getattr(self, "path_" + name, None)
        if act:
            act()
        elif path.startswith("/debug/pprof/"):
            self.answer(200, self.server.good)
        else:
            self.text(404, b"404 page not found\n")

    # PATHS: bodies that are no profile
    def path_html(self):
        self.answer(200, HTML, "text/html")

    def path_prose(self):
        self.text(200, b"The allocator of this program\nis not supported.\n")

    def path_packed_prose(self):
        self.answer(200, gzip.compress(b"red \x9b31m and \xff not a profile\n"))

    def path_empty(self):
        self.answer(200, b"")

    def path_heap_text(self):
        self.text(200, b"heap profile: 0: 0 [9: 99999] @ heap/524288\n")

    def path_cut_text(self):
        self.text(200, b"heap profile: 3: 4096 [9: 99999] @ heap/524288\n1: 1024 [1: 1024] @ 0x1000\n")

    def path_broken_text(self):
        self.text(200, b"heap_v2/524288\n  t*: 28106: 56637512 [0: 0]\n @ what\n")

    def path_truncated_gzip(self):
        self.answer(200, self.server.good[:len(self.server.good) // 2])

    def path_truncated_proto(self):
        plain = gzip.decompress(self.server.good)
        self.answer(200, gzip.compress(plain[:len(plain) - 3]))

    def path_bomb(self):
        zeros = gzip.compress(bytes(64 << 20), 9)
        self.answer(200, zeros)

    def path_endless(self):
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        block = bytes(1 << 16)
        for _ in range(1024):
            self.wfile.write(block)
        self.close_connection = True

    def path_announced_huge(self):
        self.answer(200, b"x" * 10, length=1 << 40)
        self.close_connection = True

    def path_no_samples(self):
        self.answer(200, tiny_profile.gzipped(samples=0))

    def path_brief(self):
        self.answer(200, tiny_profile.gzipped(seconds=3))

    # good bodies in unusual clothes
    def path_plain(self):
        self.answer(200, gzip.decompress(self.server.good))

    def path_encoded(self):
        self.answer(200, gzip.compress(self.server.good), Content_Encoding="gzip")

    def path_encoded_error(self):
        self.text(500, gzip.compress(b"the disk is full\n"), Content_Encoding="gzip")

    def path_chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        good = self.server.good
        for at in range(0, len(good), 100):
            part = good[at:at + 100]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def path_slow(self):
        good = self.server.good
        self.send_response(200)
        self.send_header("Content-Length", str(len(good)))
        self.end_headers()
        for at in range(0, len(good), len(good) // 8 + 1):
            self.wfile.write(good[at:at + len(good) // 8 + 1])
            self.wfile.flush()
            time.sleep(0.1)

    # broken connections
    def path_hang_before(self):
        self.hang()

    def path_hang_in_body(self):
        self.answer(200, self.server.good[:50], length=len(self.server.good))
        self.hang()

    def path_reset(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nabc")
        self.wfile.flush()
        self.drop()

    def path_no_answer(self):
        self.drop()

    def path_short(self):
        self.answer(200, self.server.good, length=len(self.server.good) + 1000)
        self.close_connection = True

    def path_long(self):
        self.answer(200, self.server.good, length=len(self.server.good) - 20)
        self.close_connection = True

    def path_not_http(self):
        self.wfile.write(b"220 mail.example.com ESMTP\r\n")
        self.close_connection = True

    def path_endless_headers(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for i in range(20000):
            self.wfile.write(b"X-More-%d: %s\r\n" % (i, b"y" * 100))
        self.close_connection = True

    # errors of HTTP
    def path_unauthorized(self):
        self.text(401, b"who are you?\n", WWW_Authenticate="Bearer")

    def path_forbidden(self):
        self.text(403, b"not you\n")

    def path_needs_bearer(self):
        if self.headers.get("Authorization") == "Bearer s3cret-token":
            self.answer(200, self.server.good)
        else:
            self.text(401, b"no valid token\n")

    def path_needs_basic(self):
        if self.headers.get("Authorization") == "Basic YW5uOnNlY3JldCBwYXNz":  # ann:secret pass
            self.answer(200, self.server.good)
        else:
            self.text(401, b"no valid password\n")

    def path_needs_header(self):
        if self.headers.get("X-Tenant") == "blue":
            self.answer(200, self.server.good)
        else:
            self.text(403, b"no tenant\n")

    def path_unknown(self):
        self.go_error(404, b"Unknown profile\n")

    def path_write_timeout(self):
        self.go_error(400, b"profile duration exceeds server's WriteTimeout\n")

    def path_long_error(self):
        self.text(500, b"all broken " * 100000)

    def path_nasty_error(self):
        self.text(500, b"\x1b[2J\x9b31m\xe2\x80\xae gone\x00")

    def path_nasty_text_error(self):
        self.text(500, b"line one\r\nprofuse: \x1b[2Jforged \xff\xe2\x80\xae line\n")

    # busy
    def path_busy_twice(self):
        if self.count() <= 2:
            self.go_error(500, BUSY)
        else:
            self.answer(200, self.server.good)

    def path_busy_brpc(self):
        if self.count() <= 1:
            self.text(200, b"Another profiler is running, try again later\n")
        else:
            self.answer(200, self.server.good)

    def path_busy_always(self):
        self.go_error(500, BUSY)

    def path_later(self):
        if self.count() <= 1:
            self.text(503, b"warming up\n", Retry_After="1")
        else:
            self.answer(200, self.server.good)

    def path_much_later(self):
        self.text(503, b"warming up\n", Retry_After="3600")

    # a server that has no look at threads, but their creation (Go)
    def path_other_debug_pprof_threads(self):
        self.text(404, b"404 page not found\n")

    def path_other_debug_pprof_threadcreate(self):
        self.answer(200, self.server.good)

    # redirects
    def path_to_here(self):
        self.redirect("/needs_bearer")

    def path_to_peer(self):
        self.redirect(f"http://127.0.0.1:{self.peer()}/needs_bearer", 307)

    def path_to_peer_and_back(self):
        self.redirect(f"http://127.0.0.1:{self.peer()}/to_first")

    def path_to_first(self):
        self.redirect(f"http://127.0.0.1:{self.peer()}/needs_bearer")

    def path_to_peer_good(self):
        self.redirect(f"http://127.0.0.1:{self.peer()}/debug/pprof/heap")

    def path_to_tls_peer(self):
        self.redirect(f"https://127.0.0.1:{self.peer()}/debug/pprof/heap")

    def path_around(self):
        self.redirect("/around")

    def path_to_nowhere(self):
        self.text(302, b"")

    def path_to_file(self):
        self.redirect("file:///etc/passwd")

    def path_to_userinfo(self):
        self.redirect("http://ann:hunter2@127.0.0.1/")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("log")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--client-ca")
    parser.add_argument("--peer")
    options = parser.parse_args()

    ThreadingHTTPServer.daemon_threads = True
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faulty, bind_and_activate=False)
    server.server_bind()
    server.server_activate()
    server.log, server.peer, server.counts, server.over = options.log, options.peer, {}, False
    server.good = tiny_profile.gzipped()
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        if options.client_ca:
            context.load_verify_locations(options.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        # The handshake belongs to the connection's own thread, not to accept().
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.handle_error = lambda *args: None
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    server.over = True


if __name__ == "__main__":
    sys.exit(main())
