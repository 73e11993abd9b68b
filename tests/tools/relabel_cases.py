#!/usr/bin/env python3
"""Relabelling as a real Prometheus does it.

    relabel_cases.py config OUT.yaml      the same scrape_configs for both, each job one set of rules
    relabel_cases.py compare THEIRS OURS  /api/v1/targets of Prometheus, /targets of profuse collect

JSON is YAML, so the configuration is written as JSON.
"""
import json
import sys

TARGETS = [
    {"targets": ["10.0.0.1:9100", "10.0.0.2:9100", "web-3.example.com:80", "plain"],
     "labels": {"zone": "eu-west-1a", "Team": "Core", "path": "/a/b", "empty": "", "uml": "GRÖSSE straße"}},
    {"targets": ["[::1]:1234", "x.y:1"], "labels": {"zone": "us-east-2b", "job": "own", "__meta_kind": "pod"}},
]

RULES = {
    "none": [],
    "replace": [{"source_labels": ["zone"], "regex": "([a-z]+)-([a-z]+)-.*", "target_label": "region",
                 "replacement": "$1_$2"}],
    "replace_named": [{"source_labels": ["zone"], "regex": "(?P<continent>[a-z]+)-.*", "target_label": "c",
                       "replacement": "${continent}!"}],
    "replace_longest_name": [{"source_labels": ["zone"], "regex": "(.).*", "target_label": "c", "replacement": "a$1x$1"}],
    "replace_dollars": [{"source_labels": ["zone"], "target_label": "c", "replacement": "$$1 ${9} $ ${1}"}],
    "replace_nothing": [{"source_labels": ["zone"], "regex": "none", "target_label": "zone", "replacement": "x"}],
    "replace_empty": [{"source_labels": ["zone"], "target_label": "Team", "replacement": ""}],
    "replace_target": [{"source_labels": ["zone"], "regex": "(..)-.*", "target_label": "in_${1}", "replacement": "y"}],
    "replace_defaults": [{"source_labels": ["zone", "Team"], "target_label": "both"}],
    "separator": [{"source_labels": ["zone", "Team"], "separator": "", "target_label": "both"}],
    "anchored": [{"source_labels": ["zone"], "regex": "eu", "target_label": "c", "replacement": "no"},
                 {"source_labels": ["zone"], "regex": "eu|us.*", "target_label": "d", "replacement": "yes"}],
    "keep": [{"source_labels": ["zone"], "regex": "eu.*", "action": "keep"}],
    "drop": [{"source_labels": ["__address__"], "regex": ".*:80|plain", "action": "drop"}],
    "keepequal": [{"source_labels": ["job"], "target_label": "job", "action": "keepequal"},
                  {"source_labels": ["zone"], "target_label": "Team", "action": "dropequal"}],
    "keepequal_none": [{"source_labels": ["zone"], "target_label": "Team", "action": "keepequal"}],
    "hashmod": [{"source_labels": ["__address__"], "modulus": 7, "target_label": "shard", "action": "hashmod"}],
    "hashmod_shard": [{"source_labels": ["__address__"], "modulus": 3, "target_label": "__tmp", "action": "hashmod"},
                      {"source_labels": ["__tmp"], "regex": "1", "action": "keep"}],
    "labelmap": [{"regex": "__meta_(.+)", "action": "labelmap"}, {"regex": "(zo)ne", "replacement": "${1}_$1",
                                                                "action": "labelmap"}],
    "labeldrop": [{"regex": "z.*|Team", "action": "labeldrop"}],
    "labelkeep": [{"regex": "zone|__.*|job|instance", "action": "labelkeep"}],
    "lowercase": [{"source_labels": ["uml"], "target_label": "low", "action": "lowercase"},
                  {"source_labels": ["uml"], "target_label": "up", "action": "uppercase"}],
    "address": [{"source_labels": ["__address__"], "regex": "(.*):\\d+", "target_label": "__address__",
                 "replacement": "$1:6060"}],
    "instance": [{"source_labels": ["__address__", "zone"], "target_label": "instance", "separator": "@"}],
    "scheme": [{"target_label": "__scheme__", "replacement": "https"}],
    "meta_gone": [{"source_labels": ["__meta_kind"], "target_label": "kind"}],
    "job": [{"target_label": "job", "replacement": "renamed"}],
    "unset_address": [{"source_labels": ["zone"], "regex": "us.*", "target_label": "__address__", "replacement": ""}],
    "lazy": [{"source_labels": ["path"], "regex": "(.*?)/(.*)", "target_label": "c", "replacement": "$1|$2"}],
    "classes": [{"source_labels": ["zone"], "regex": "\\w+\\W\\w+-(\\d)[[:alpha:]]", "target_label": "c"}],
    "unicode": [{"source_labels": ["uml"], "regex": "GR.SSE\\s(\\pL+)", "target_label": "c"}],
    "case": [{"source_labels": ["Team"], "regex": "(?i)core", "target_label": "c", "replacement": "yes"}],
}


def config(path):
    jobs = [{"job_name": name, "static_configs": TARGETS, "relabel_configs": rules} for name, rules in RULES.items()]
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"global": {"scrape_interval": "10m"}, "scrape_configs": jobs}, out)


def by_pool(targets, name, labels):
    found = {job: [] for job in RULES}
    for target in targets:
        found[target[name]].append(sorted(target[labels].items()))
    return {job: sorted(sets) for job, sets in found.items()}


def compare(theirs, ours):
    a = by_pool(json.load(open(theirs, encoding="utf-8"))["data"]["activeTargets"], "scrapePool", "labels")
    b = by_pool(json.load(open(ours, encoding="utf-8"))["targets"], "job", "labels")
    bad = [job for job in RULES if a[job] != b[job]]
    for job in bad:
        print(f"{job}:\n  prometheus {a[job]}\n  profuse    {b[job]}")
    print(f"{len(RULES) - len(bad)} of {len(RULES)} sets of rules agree, {sum(map(len, a.values()))} targets")
    return 1 if bad or not any(a.values()) else 0


if __name__ == "__main__":
    sys.exit(config(sys.argv[2]) if sys.argv[1] == "config" else compare(sys.argv[2], sys.argv[3]))
