"""table.py: the quality table of a run, in Markdown."""
import math

import measure

KINDS = [("instrumented", "instrumented PGO"), ("probe", "**ours, pseudo-probes**"), ("line", "**ours, line tables**"),
         ("probe-steps", "**ours, pseudo-probes, steps**"), ("line-steps", "**ours, line tables, steps**"),
         ("profgen-probe", "llvm-profgen, pseudo-probes"), ("profgen-line", "llvm-profgen, line tables"),
         ("exact-probe", "exact counts, pseudo-probes"), ("exact-line", "exact counts, line tables"),
         ("plain-probe", "no profile, pseudo-probes")]


def builds(entry, kind):
    """One kind's builds: several sample sets, or one."""
    return [name for name in entry if name == kind or name.startswith(kind + ".")]


def mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def instructions(entry, kind):
    """Ratio to base, the geometric mean over sample sets."""
    return mean(entry[name]["instructions"] / entry["base"]["instructions"] for name in builds(entry, kind))


def cpu(entry, name):
    return measure.ratio(entry[name]["cpu_seconds"], entry["base"]["cpu_seconds"])


def timed(entry):
    return "cpu_seconds" in entry["base"]


def percent(ratio):
    return f"{(ratio - 1) * 100:+.1f} %"


def instruction_cell(entry, kind):
    values = [entry[name]["instructions"] / entry["base"]["instructions"] for name in builds(entry, kind)]
    sets = f" ({', '.join(percent(v)[:-2] for v in values)})" if len(values) > 1 else ""
    return percent(mean(values)) + sets


def cpu_cell(entry, kind):
    cells = []
    for name in builds(entry, kind):
        r = cpu(entry, name)
        cells.append(f"{percent(r['ratio'])} [{percent(r['low'])[:-2]}, {percent(r['high'])[:-2]}]")
    return "<br>".join(cells)


def rows(programs, cell):
    names = list(programs)
    yield "| build | " + " | ".join(names) + " |"
    yield "|---|" + "---|" * len(names)
    for kind, title in KINDS:
        if all(builds(e, kind) for e in programs.values()):
            yield f"| {title} | " + " | ".join(cell(programs[n], kind) for n in names) + " |"


def shares(programs, kind):
    """Recovered share of instructions and of CPU time with its interval, over all programs."""
    by_count = measure.share([(instructions(e, kind), instructions(e, "instrumented")) for e in programs.values()])
    if not all(map(timed, programs.values())):
        return by_count, None, None
    by_time = measure.share([(mean(cpu(e, n)["ratio"] for n in builds(e, kind)), cpu(e, "instrumented")["ratio"])
                             for e in programs.values()])
    names = builds(next(iter(programs.values())), kind)
    interval = measure.share_interval([{n: v["cpu_seconds"] for n, v in e.items()} for e in programs.values()], names, "instrumented")
    return by_count, by_time, interval


def share_rows(programs):
    yield "| build | share of instructions | share of CPU time | 95 % interval |"
    yield "|---|---|---|---|"
    for kind, title in KINDS[1:]:
        if not all(builds(e, kind) for e in programs.values()):
            continue
        by_count, by_time, interval = shares(programs, kind)
        show = lambda x: "–" if x is None else f"{x * 100:.0f} %"
        yield f"| {title} | {show(by_count)} | {show(by_time)} | {'–' if not interval else f'{show(interval[0])} … {show(interval[1])}'} |"


def slower(programs):
    """Builds of ours whose interval of CPU time lies wholly above the baseline's."""
    return [f"{n} {name}" for n, e in programs.items() if timed(e) for kind in ("line", "probe", "line-steps", "probe-steps") for name in builds(e, kind)
            if cpu(e, name)["low"] > 1]


def markdown(result):
    programs, v = result["programs"], result["versions"]
    lines = [f"{result['date']}: {v['profuse']}, {v['clang']}, {v['valgrind']}, {v['processor']}; "
             f"{result['sets']} sets of {result['samples']} samples, {result['rounds']} rounds of CPU time.", "",
             "Recovered share, Σ ln(base ÷ build) ÷ Σ ln(base ÷ instrumented):", ""]
    lines += [*share_rows(programs), "", "Instructions against the baseline (in brackets: each sample set):", "",
              *rows(programs, instruction_cell), ""]
    if all(map(timed, programs.values())):
        bad = slower(programs)
        lines += ["CPU time against the baseline, Hodges–Lehmann with exact 95 % interval, each sample set:", "",
                  *rows(programs, cpu_cell), "",
                  f"Builds of ours that are slower than the baseline with certainty: {', '.join(bad) if bad else 'none'}.", ""]
    return "\n".join(lines)
