#!/usr/bin/env python3
"""terminal.py ROWS COLUMNS COMMAND… <SCRIPT: a command on a terminal of this size, and what it leaves on it.

The script has a line for each thing to do: "expect TEXT" waits until TEXT stands on the screen, "gone TEXT" until it
does not, "key X" types (X may be \\x03), "draws N" waits for N more drawings (the cursor going home). Then the command
must end by itself. Prints one JSON object: status, screen (what was on it last before the end), final (what is on it after),
scrolled (lines that went out at the top), second_screen (left again, at the end), cursor (shown), echo and canonical (the
terminal's modes after the end), colors (whether there were any), bytes. Only the escape sequences of cli/screen.c are known;
another one ends it.
"""
import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

LIMIT = 60  # seconds for each line of the script


class Screen:
    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.lines = self.first = [""] * rows
        self.row = self.column = 0
        self.scrolled = self.draws = self.entered = self.left = 0
        self.cursor, self.colors, self.pending, self.saved = True, False, b"", (0, 0)

    def feed(self, data):
        data = self.pending + data
        cut = re.search(rb"(\x1b(\[[?0-9;]*)?|[\xc0-\xff][\x80-\xbf]*)$", data)
        end = cut.start() if cut and len(data) - cut.start() < 16 and not self.whole(data[cut.start():]) else len(data)
        self.pending, text = data[end:], data[:end].decode()
        for part in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|\x1b.|[^\x1b]", text, re.S):
            self.escape(part) if part[0] == "\x1b" else self.put(part)

    @staticmethod
    def whole(tail):
        try:
            return tail[0] != 0x1b and bool(tail.decode())
        except UnicodeDecodeError:
            return False

    def escape(self, code):
        if code == "\x1b[H":
            self.row = self.column = 0
            self.draws += 1
        elif code == "\x1b[K":
            self.lines[self.row] = self.lines[self.row][:self.column]
        elif code == "\x1b[J":
            self.lines[self.row] = self.lines[self.row][:self.column]
            self.lines[self.row + 1:] = [""] * (self.rows - self.row - 1)
        elif code == "\x1b[?1049h":
            self.entered += 1
            self.saved, self.lines = (self.row, self.column), [""] * self.rows
        elif code == "\x1b[?1049l":
            self.left += 1
            self.lines, (self.row, self.column) = self.first, self.saved
        elif code in ("\x1b[?25l", "\x1b[?25h"):
            self.cursor = code[-1] == "h"
        elif re.fullmatch(r"\x1b\[[0-9;]*m", code):
            self.colors = True
        else:
            sys.exit(f"terminal.py: what is {code!r}?")

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row += 1
            if self.row == self.rows:
                self.row -= 1
                self.scrolled += 1
                self.lines[:] = self.lines[1:] + [""]
        else:
            if self.column == self.columns:  # as a terminal wraps
                self.put("\r")
                self.put("\n")
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + character + line[self.column + 1:]
            self.column += 1

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")


def main():
    rows, columns = int(sys.argv[1]), int(sys.argv[2])
    script = [line.rstrip("\n").split(" ", 1) for line in sys.stdin if line.strip()]
    child, fd = pty.fork()
    if child == 0:
        time.sleep(0.2)  # until the size is set
        os.execvp(sys.argv[3], sys.argv[3:])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    screen, total, last = Screen(rows, columns), 0, ""

    def read(seconds):
        nonlocal total, last
        if not select.select([fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(fd, 65536)
        except OSError:  # the other end is closed
            return False
        total += len(data)
        screen.feed(data)
        if screen.entered > screen.left:
            last = screen.text()
        return bool(data)

    for what, argument in script:
        argument = argument.encode().decode("unicode_escape")
        deadline, draws = time.monotonic() + LIMIT, screen.draws
        if what == "key":
            os.write(fd, argument.encode())
            continue
        done = {"expect": lambda: argument in screen.text(), "gone": lambda: argument not in screen.text(),
                "draws": lambda: screen.draws >= draws + int(argument)}[what]
        while not done():
            if time.monotonic() > deadline or not read(0.1):
                os.kill(child, 9)
                sys.exit(f"terminal.py: in vain: {what} {argument!r}; on the screen:\n{screen.text()}")
    deadline = time.monotonic() + LIMIT
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, 9)
            sys.exit("terminal.py: it does not end")
        if not read(0.1):
            time.sleep(0.05)
    while select.select([fd], [], [], 0)[0] and read(0):
        pass
    status, modes = os.waitstatus_to_exitcode(ended[1]), termios.tcgetattr(fd)[3]
    print(json.dumps({"status": status, "screen": last, "final": screen.text(), "scrolled": screen.scrolled,
                      "second_screen": [screen.entered, screen.left], "cursor": screen.cursor, "draws": screen.draws,
                      "echo": bool(modes & termios.ECHO), "canonical": bool(modes & termios.ICANON),
                      "colors": screen.colors, "bytes": total}))


if __name__ == "__main__":
    main()
