#!/usr/bin/env python3
"""drop_lines.py PROFUSE IN.pb.gz OUT.pb.gz: a symbolized profile as an agent without symbols would have written it:
addresses and mappings only. Reads what `profuse show raw` prints."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

profuse, source, target = sys.argv[1:]
text = subprocess.run([profuse, "show", "raw", source], capture_output=True, text=True, check=True).stdout
head, rest = text.split("\nLocations\n")
locations, mappings = rest.split("\nMappings\n")
types, *rows = head.split("Samples:\n")[1].splitlines()

out = {"types": [re.sub(r"\[dflt\]", "", t).split("/") for t in types.split()], "mappings": [], "samples": []}
for row in mappings.splitlines():
    fields = re.match(r"\s*\d+: (\S+)/(\S+)/(\S+) (\S*) (\S*)", row).groups()
    out["mappings"].append(dict(zip(("start", "limit", "offset", "filename", "build_id"), fields)))
places = {}
for row in locations.splitlines():
    found = re.match(r"\s*(\d+): (\S+) M=(\d+)", row)
    if found:
        places[found[1]] = {"address": found[2], "mapping": int(found[3]) - 1}
for row in rows:
    found = re.match(r"([\s\d]+): ([\d ]+)$", row)
    if found:
        out["samples"].append({"values": [int(v) for v in found[1].split()],
                               "stack": [places[i] for i in found[2].split()]})
with tempfile.TemporaryDirectory() as folder:
    description = pathlib.Path(folder, "profile.json")
    description.write_text(json.dumps(out))
    maker = pathlib.Path(__file__).with_name("make_pprof.py")
    subprocess.run([sys.executable, maker, "json", description, target], check=True)
