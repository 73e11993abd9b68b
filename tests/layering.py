#!/usr/bin/env python3
"""Dependencies point one way: every #include "room/..." must point down the order of ARCHITECTURE.md."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
LIB = {"core": set()}
LIB["profile"] = {"core"}
LIB["net"] = {"core", "profile"}
LIB["runtime"] = {"core"}
LIB["stats"] = {"core"}
LIB["symbol"] = {"core", "profile"}
LIB["store"] = {"core", "profile"}
LIB["report"] = {"core", "profile", "symbol", "net", "runtime", "stats"}
ALL_LIB = set(LIB)
ALLOWED = {f"lib/{room}": below | {room} for room, below in LIB.items()}
ALLOWED["collect/agent"] = {"core", "agent"}
ALLOWED["collect"] = ALL_LIB | {"collect", "agent"}  # attaching unwinds as the agent does
ALLOWED["convert"] = ALL_LIB | {"convert"}
ALLOWED["bench"] = ALL_LIB | {"bench"}
ALLOWED["tuner"] = ALL_LIB | {"tuner"}
ALLOWED["cli"] = ALL_LIB | {"cli", "collect", "convert", "bench", "tuner"}
# Those parts of core that need nothing but libc.
AGENT_HEADERS = {f"core/{name}.h" for name in ("buffer", "cursor", "error", "index", "memory", "wire")}


def room_of(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "lib":
        return f"lib/{parts[1]}"
    return "collect/agent" if parts[:2] == ("collect", "agent") else parts[0]


def main():
    bad = []
    count = 0
    for folder in ("lib", "collect", "convert", "bench", "tuner", "cli"):
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            room = room_of(path)
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not match:
                    continue
                count += 1
                target = match.group(1)
                head = target.split("/")[0] if "/" in target else room.split("/")[-1]
                if target.startswith("collect/agent/"):
                    head = "agent"
                if head not in ALLOWED[room]:
                    bad.append(f"{path}:{number}: {room} must not include {target}")
                elif room == "collect/agent" and "/" in target and head == "core" and target not in AGENT_HEADERS:
                    bad.append(f"{path}:{number}: the agent brings only {sorted(AGENT_HEADERS)}, not {target}")
    for path in sorted((ROOT / "include").rglob("*.h")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.match(r'\s*#\s*include\s+"', line):
                bad.append(f"{path}:{number}: a public header includes only <profuse/...> and the system")
    print("\n".join(bad) if bad else f"layering: {count} includes, all pointing down")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
