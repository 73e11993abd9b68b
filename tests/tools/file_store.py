#!/usr/bin/env python3
"""file_store.py FOLDER: a place for files over HTTP on loopback, such as a package registry is: PUT keeps a file under its
last name, GET gives it back. Prints its address."""
import http.server
import os
import sys

folder = sys.argv[1]


class Store(http.server.BaseHTTPRequestHandler):
    def path_of(self):
        return os.path.join(folder, os.path.basename(self.path))

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(self.path_of(), "wb") as file:
            file.write(body)
        self.send_response(201)
        self.end_headers()

    def do_GET(self):
        found = os.path.exists(self.path_of())
        self.send_response(200 if found else 404)
        self.end_headers()
        if found:
            with open(self.path_of(), "rb") as file:
                self.wfile.write(file.read())

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Store)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
