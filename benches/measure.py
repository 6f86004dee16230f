#!/usr/bin/env python3
"""Measures commands and tells of them.

    measure.py run SAMPLES WORKLOAD STEP BYTES [--result FILE] -- COMMAND...   one run, noted in SAMPLES
    measure.py table SAMPLES WORKLOAD                                         the medians, to standard output

`run` hands on the command's failure, and then notes nothing.
"""

import json
import os
import subprocess
import sys
import time
from statistics import median

FLOORS = {
    "download": "download to a file (curl)",
    "sha512": "SHA-512",
    "inflate": "unpack to /dev/null (gzip, unzip)",
    "sha256": "SHA-256",
    "upload": "upload to the registry (curl)",
}
STAGES = ["base", "copy", "download", "assemble", "upload", "publish"]


def run(samples, workload, step, size, *rest):
    mark = rest.index("--")
    options, command = rest[:mark], rest[mark + 1:]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    # The usage covers the command and the children that it waited for; the peak is the largest process's.
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = code = os.waitstatus_to_exitcode(status)
    if code != 0:
        sys.exit(code if code > 0 else 128 - code)
    sample = {
        "workload": workload, "step": step, "bytes": int(size), "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024,
    }
    if options:
        with open(options[1]) as file:
            sample["stages"] = json.load(file)["seconds"]["stages"]
    with open(samples, "a") as file:
        file.write(json.dumps(sample) + "\n")


def row(label, walls, size=None, cpu="", peak=""):
    walls = walls or [0.0]
    middle = median(walls)
    rate = f"{size / 1e6 / middle:,.0f}" if size and middle > 0 else ""
    spread = f"{min(walls):.2f} - {max(walls):.2f}" if len(walls) > 1 else ""
    print(f"  {label:38}{middle:9.3f}{rate:>9}{cpu:>9}{peak:>10}   {spread}".rstrip())


def whole(label, samples):
    cpu, peak = (median(sample[field] for sample in samples) for field in ("cpu", "peak"))
    row(label, [sample["wall"] for sample in samples], samples[0]["bytes"], f"{cpu:.2f}", f"{peak:,.0f}")


def table(path, workload):
    steps = {}
    with open(path) as file:
        for sample in map(json.loads, file):
            if sample["workload"] == workload:
                steps.setdefault(sample["step"], []).append(sample)
    program = steps["program"]
    size, runs = program[0]["bytes"], len(program)
    print(f"\n{workload}: {size / 1e6:,.1f} MB of artifacts, {'1 run' if runs == 1 else f'medians of {runs} runs'}")
    print(f"  {'':38}{'s':>9}{'MB/s':>9}{'CPU s':>9}{'peak MiB':>10}{'   min - max s' if runs > 1 else ''}")
    whole("connect-build, cold", program)
    for stage in STAGES:
        walls = [sample["stages"][stage] for sample in program if stage in sample["stages"]]
        if walls:
            row(f"  stage {stage}", walls, size if stage in ("download", "assemble", "upload") else None)
    if "buildah" in steps:
        whole("buildah, as Strimzi launches it", steps["buildah"])

    print("  floor, one step after another")
    floors = {}
    for step, label in FLOORS.items():
        if step in steps:
            floors[step] = median(sample["wall"] for sample in steps[step])
            cpu = median(sample["cpu"] for sample in steps[step])
            row(f"  {label}", [sample["wall"] for sample in steps[step]], steps[step][0]["bytes"], f"{cpu:.2f}")
    total, (slowest, longest) = sum(floors.values()), max(floors.items(), key=lambda item: item[1])
    took = median(sample["wall"] for sample in program)
    row("sum of the floors", [total], size)
    row(f"largest floor: {slowest}", [longest], size)
    print(f"  connect-build / sum of the floors     {took / total:9.2f}")
    print(f"  connect-build / largest floor         {took / longest:9.2f}")


if __name__ == "__main__":
    {"run": run, "table": table}[sys.argv[1]](*sys.argv[2:])
