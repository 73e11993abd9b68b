#!/usr/bin/env python3
"""study.py BUILD [--short] [--rounds N] [--only NAME,…] [--weight cpu=1,rss=0.5] [--json FILE]: the search of `profuse tune --try` against the whole grid.

For each workload every setting runs N times (the grid), then the search runs by itself. Printed for each: how far the
search's recommendation is from the grid's best, in what was asked to count, at what share of the grid's runs, and how
much of the best's gain over today's settings it brings. The best of forty noisy figures is better than it really is, so
the two are compared once more by themselves, in pairs (profuse bench); that is the gap that counts, and so is the best's
gain where the grid shows over 10 %. Held to: within 5 % of the best at
40 % of the runs or fewer; at least half of the gain where that is above 10 %; never a recommendation that the grid
shows to be worse than today's settings.
"""
import argparse
import json
import math
import os
import pathlib
import shutil
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


def tune(command, job, weight, *options):
    run = subprocess.run(
        [command, "tune", "--try", job, "--weight", weight, "--seed", "1", "--json", "-q", *options],
        stdout=subprocess.PIPE, check=False)
    if run.returncode != 0:
        sys.exit(f"profuse tune --try '{job}' ended with {run.returncode}")
    return json.loads(run.stdout)["search"]


def head_to_head(command, job, one, other, weight, pairs=12):
    """The weighted change from setting `one` to `other`, each a list of variables, in pairs of fresh runs."""
    options = [f"--before-env={v}" for v in one] + [f"--after-env={v}" for v in other]
    run = subprocess.run([command, "bench", "--before", job, "--after", job, "--pairs", str(pairs), "--json", "-q", *options],
                         stdout=subprocess.PIPE, check=False)
    metrics = json.loads(run.stdout)["variants"][1]["metrics"]
    weights = {METRICS[name]: float(value) for name, value in (part.split("=") for part in weight.split(","))}
    return math.exp(sum(w * math.log1p(metrics[m]["change"]) for m, w in weights.items()) / sum(weights.values())) - 1


def judge(name, grid, search, command, job, weight):
    scores = {s["name"]: s["score"] for s in grid["settings"] if s["score"] is not None}
    best = min(scores, key=scores.get)
    chosen = search["recommended"] or "today"
    seen = math.exp(scores[chosen] - scores[best]) - 1
    environments = {s["name"]: s["environment"] for s in grid["settings"]}
    gap = 0.0 if chosen == best else head_to_head(command, job, environments[best], environments[chosen], weight)
    gain = seen_gain = 1 - math.exp(scores[best])
    brought = 1 - math.exp(scores[chosen])
    if seen_gain > 0.10:  # worth asking whether the best of so many noisy figures really is that good
        gain = 1 - 1 / (1 + gap) if chosen == "today" else -head_to_head(command, job, environments["today"], environments[best], weight)
    row = {
        "workload": name, "settings": len(grid["settings"]), "grid_runs": grid["runs"], "search_runs": search["runs"],
        "validation_runs": search["validation_runs"], "share": search["runs"] / grid["runs"], "best": best,
        "chosen": chosen, "gap": gap, "gap_in_grid": seen, "best_gain": gain, "best_gain_in_grid": seen_gain,
        "brought": brought,
        "validated": min((v["change"] for v in search["validations"] if v["setting"] == search["recommended"]), default=0.0),
    }
    row["ok"] = {
        "within 5 %": gap <= 0.05,
        "at 40 % of the runs": row["share"] <= 0.40,
        "half of the gain": gain <= 0.10 or brought >= gain / 2,
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
    parser.add_argument("--json")
    arguments = parser.parse_args()
    command = os.path.join(os.path.abspath(arguments.build), "profuse")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for job, line in workloads(folder, arguments.short).items():
            if arguments.only and job not in arguments.only.split(","):
                continue
            grid = tune(command, line, arguments.weight, "--grid", str(arguments.rounds))
            search = tune(command, line, arguments.weight)
            row = judge(job, grid, search, command, line, arguments.weight)
            rows.append(row)
            print(f"{job:8} {row['settings']:3} settings  search {row['search_runs']:3} of {row['grid_runs']:3} runs "
                  f"({row['share']:.0%}) and {row['validation_runs']} to validate  best {row['best']} ({-row['best_gain_in_grid']:+.1%}"
                  + (f", in pairs {-row['best_gain']:+.1%}" if row["best_gain"] != row["best_gain_in_grid"] else "") + f")  chosen {row['chosen']} "
                  f"({-row['brought']:+.1%}, validated {row['validated']:+.1%})  gap {row['gap']:+.1%} in pairs, {row['gap_in_grid']:+.1%} in the grid  "
                  + ", ".join(("" if ok else "NOT ") + what for what, ok in row["ok"].items()), flush=True)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(rows, indent=1))
    bad = [r for r in rows if not r["ok"]["never worse"]]
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
