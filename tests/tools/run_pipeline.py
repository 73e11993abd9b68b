#!/usr/bin/env python3
"""Runs the shell steps of a pipeline file on this machine, as its service would run them.

  run_pipeline.py github FILE EVENT CHECKOUT     the jobs of a GitHub workflow for an event (push, schedule)
  run_pipeline.py gitlab FILE SOURCE CHECKOUT    the jobs of a GitLab pipeline for a source (push, schedule)

Variables of the file may be overridden by the environment. What only the service has is checked for its name and left
out: a checkout (CHECKOUT is one already), containers, runners' tags. For GitHub, `gh` has to be on PATH. Exits with the
status of the first step that fails; each command that is run is said on standard error.
"""
import os
import re
import subprocess
import sys
import tempfile

import yaml

KNOWN_ACTIONS = {"actions/checkout@v4"}


def environment(*layers):
    """The layers' variables, the process's own before all of them; $VAR and ${{ github.token }} expanded."""
    values = {}
    for layer in layers:
        for name, value in (layer or {}).items():
            value = str(value).replace("${{ github.token }}", "token")
            assert "${{" not in value, f"{name}: an expression that is not known here: {value}"
            values[name] = os.environ.get(name, value)
    merged = dict(os.environ, **values)
    for name in values:
        merged[name] = re.sub(r"\$(\w+)", lambda m: merged.get(m[1], ""), merged[name])
    return merged


def shell(script, folder, env):
    print("+", script.strip().replace("\n", "\n  "), file=sys.stderr, flush=True)
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        return subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", file.name], cwd=folder, env=env).returncode


def github(pipeline, event, checkout):
    on = pipeline.get("on", pipeline.get(True))  # YAML 1.1 reads "on" as true
    assert event in on, f"{event} starts nothing"
    folder = os.path.join(checkout, pipeline["defaults"]["run"]["working-directory"])
    ran = 0
    for name, job in pipeline["jobs"].items():
        assert job["runs-on"] and job["steps"], name
        if job.get("if") not in (None, f"github.event_name == '{event}'"):
            continue
        status = 0
        for step in job["steps"]:
            if "uses" in step:
                assert step["uses"] in KNOWN_ACTIONS, step["uses"]
                continue
            if status and step.get("if") != "always()":
                continue
            env = environment(pipeline.get("env"), job.get("env"), step.get("env"))
            env["GITHUB_STEP_SUMMARY"] = os.path.join(folder, "summary.md")
            status = shell(step["run"], folder, env) or status
            ran += 1
        if status:
            return status
    assert ran, f"no step for {event}"
    return 0


def gitlab(pipeline, source, checkout):
    reserved = {"stages", "variables", "default"}
    jobs = {name: job for name, job in pipeline.items() if name not in reserved}
    before = pipeline["default"]["before_script"]
    ran = 0
    for stage in pipeline["stages"]:
        for name, job in jobs.items():
            assert job["stage"] in pipeline["stages"], name
            rules = [rule["if"] for rule in job["rules"]]
            if job["stage"] != stage or f'$CI_PIPELINE_SOURCE == "{source}"' not in rules:
                continue
            env = environment(pipeline["variables"], job.get("variables"))
            status = shell("\n".join(before + job["script"]), checkout, env)
            if status:
                return status
            ran += 1
    assert ran, f"no job for {source}"
    return 0


def main():
    kind, path, event, checkout = sys.argv[1:]
    with open(path) as file:
        pipeline = yaml.safe_load(file)
    sys.exit({"github": github, "gitlab": gitlab}[kind](pipeline, event, checkout))


main()
