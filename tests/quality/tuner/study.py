#!/usr/bin/env python3
"""study.py BUILD [--short] [--rounds N] [--only NAME,…] [--weight cpu=1,rss=0.5] [--keep FOLDER] [--json FILE]: the search of `profuse tune --try` against the whole grid.

For each workload every setting runs N times (the grid), then the search runs by itself. Printed for each: how far the
search's recommendation is from the grid's best, in what was asked to count, at what share of the grid's runs (of the search, and
of all: its validation too), and how much of the best's gain over today's settings it brings. The best of forty noisy figures is better than it really is, so
the two are compared once more by themselves, in pairs (profuse bench); that is the gap that counts, and so is the best's
gain where the grid shows over 10 %. Held to: within 5 % of the best at
40 % of the runs or fewer; at least half of the gain where that is above 10 %; never a recommendation that the grid
shows to be worse than today's settings.

--keep: what profuse printed for each of these steps stays in FOLDER, and what is there is not measured again: a study
goes on where it was ended, and another --weight needs no other grid. WORKLOAD.grid.json is a record (best with --rounds 8 or more) for search_rates.
"""
import argparse
import json
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
METRICS = {"cpu": "cpu", "rss": "rss_peak"}


def workloads(folder, short):
    scale = 0.5 if short else 1
    program = folder / "workload"
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", program, HERE / "workload.c", "-lpthread"], check=True)
    jobs = {
        "cross": f"{program} cross --scale {0.4 * scale}",
        "phases": f"{program} phases --scale {0.1 * scale}",
        "small": f"{program} small --scale {0.3 * scale}",
        "buffers": f"{program} buffers --scale {0.3 * scale}",
    }
    if shutil.which("redis-server") and shutil.which("redis-benchmark"):
        requests = int(8000 * scale)
        # A socket of each run's own (its shell's number): no port is needed, and no other run is met.
        jobs["redis"] = (
            f"redis-server --port 0 --unixsocket {folder}/r.$$ --save '' --appendonly no --daemonize no >/dev/null & "
            f"while ! redis-cli -s {folder}/r.$$ ping >/dev/null 2>&1; do sleep 0.05; done; "
            f"redis-benchmark -s {folder}/r.$$ -q -n {requests} -r 20000 -d 700 -t set,lpush,sadd,get >/dev/null; "
            f"redis-cli -s {folder}/r.$$ shutdown nosave; wait"
        )
    if shutil.which("go"):
        subprocess.run(["go", "build", "-o", folder / "go_cache", "."], cwd=HERE / "go_cache", check=True)
        jobs["go"] = f"{folder}/go_cache {int(600000 * scale)}"
    return jobs


class Measured:
    """What profuse prints as JSON, each step in a file of its own, and only measured where the file is not there yet."""

    def __init__(self, command, folder):
        self.command, self.folder = command, folder
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, name, *arguments):
        path = self.folder / f"{name}.json"
        if not path.exists():
            part = path.with_suffix(".part")
            with part.open("w") as output, subprocess.Popen([self.command, *arguments, "--json", "-q"], stdout=output) as process:
                try:
                    status = process.wait()
                except BaseException:  # whoever ends the study ends what it runs
                    process.terminate()
                    raise
            if status != 0:
                sys.exit(f"study: {' '.join(arguments)}: ended with {status}")
            part.rename(path)
        return json.loads(path.read_text())

    def tune(self, name, job, *options):
        return self.run(name, "tune", "--try", job, "--seed", "1", *options)["search"]

    def pairs(self, name, job, one, other, pairs=12):
        """What changes from setting `one` to `other`, each a list of variables, in pairs of fresh runs."""
        options = [f"--before-env={v}" for v in one] + [f"--after-env={v}" for v in other]
        run = self.run(name, "bench", "--before", job, "--after", job, "--pairs", str(pairs), *options)
        return {m: 1 + run["variants"][1]["metrics"][m]["change"] for m in METRICS.values()}


def weighted(weight, ratios):
    """The logarithm that counts, of the ratios of metrics."""
    weights = {METRICS[name]: float(value) for name, value in (part.split("=") for part in weight.split(","))}
    return sum(w * math.log(ratios[m]) for m, w in weights.items()) / sum(weights.values())


def judge(measured, job, line, rounds, weight):
    grid = measured.tune(f"{job}.grid", line, "--grid", str(rounds))
    search = measured.tune(f"{job}.{weight}.search", line, "--weight", weight)
    settings = {s["name"]: s for s in grid["settings"] if s["score"] is not None}
    today = settings["today"]
    scores = {name: weighted(weight, {m: s[m] / today[m] for m in METRICS.values()}) for name, s in settings.items()}
    best = min(scores, key=scores.get)
    chosen = search["recommended"] or "today"

    def paired(one, other):
        ratios = measured.pairs(f"{job}.{weight}.{one}.{other}".replace(" ", "_").replace("/", "_"), line,
                                settings[one]["environment"], settings[other]["environment"])
        return math.expm1(weighted(weight, ratios))

    gap = 0.0 if chosen == best else paired(best, chosen)
    gain = seen_gain = -math.expm1(scores[best])
    if seen_gain > 0.10:  # worth asking whether the best of so many noisy figures really is that good
        gain = 1 - 1 / (1 + gap) if chosen == "today" else -paired("today", best)
    brought = -math.expm1(scores[chosen])
    five_rounds = grid["runs"] * 5 // rounds  # what the search's runs are held against, however long the grid was
    row = {
        "workload": job, "settings": len(grid["settings"]), "grid_runs": five_rounds, "search_runs": search["runs"],
        "validation_runs": search["validation_runs"], "share": search["runs"] / five_rounds,
        "share_with_validation": (search["runs"] + search["validation_runs"]) / five_rounds, "best": best,
        "chosen": chosen, "gap": gap, "gap_in_grid": math.expm1(scores[chosen] - scores[best]), "best_gain": gain,
        "best_gain_in_grid": seen_gain, "brought": brought,
        "validated": min((v["change"] for v in search["validations"] if v["setting"] == search["recommended"]), default=0.0),
    }
    row["ok"] = {
        "within 5 %": gap <= 0.05,
        "at 40 % of the runs": row["share"] <= 0.40,
        "half of the gain": gain <= 0.10 or -row["validated"] >= gain / 2,
        "never worse": brought >= -0.02 or chosen == "today",
    }
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--weight", default="cpu=1,rss=0.5", help="of cpu and rss")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    command = os.path.join(os.path.abspath(arguments.build), "profuse")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        measured = Measured(command, arguments.keep or folder / "measured")
        for job, line in workloads(folder, arguments.short).items():
            if arguments.only and job not in arguments.only.split(","):
                continue
            row = judge(measured, job + "-short" * arguments.short, line, arguments.rounds, arguments.weight)
            rows.append(row)
            print(f"{row['workload']:14} {row['settings']:3} settings  search {row['search_runs']:3} of {row['grid_runs']:3} runs "
                  f"({row['share']:.1%}) and {row['validation_runs']} to validate (all: {row['share_with_validation']:.0%})  best {row['best']} ({-row['best_gain_in_grid']:+.1%}"
                  + (f", in pairs {-row['best_gain']:+.1%}" if row["best_gain"] != row["best_gain_in_grid"] else "") + f")  chosen {row['chosen']} "
                  f"({-row['brought']:+.1%}, validated {row['validated']:+.1%})  gap {row['gap']:+.1%} in pairs, {row['gap_in_grid']:+.1%} in the grid  "
                  + ", ".join(("" if ok else "NOT ") + what for what, ok in row["ok"].items()), flush=True)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=1))
    bad = [r for r in rows if not r["ok"]["never worse"]]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
