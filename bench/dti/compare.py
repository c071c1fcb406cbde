"""The parts of bench/dti/run in turn; writes results.json, report.md and phantoms.md after each volume."""
import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time

import maps
import methods
import phantoms
import real
import report
import speed

NOISE = {
    "rician": "--noise rician",
    "gaussian": "",
}  # what finegrain is told about the noise, as a user knows it from the scanner


def run_phantoms(options, work, save, before):
    size = "20,20,12" if options.quick else options.size
    rows, kept = [], {}
    if options.reuse and before and before["size"] == size:
        kept = {identity(row): row for row in before["rows"] if "finegrain" not in row["method"]}
    for case in phantoms.cases(options.quick):
        source = f"{work}/{case.name}"
        tissue = phantoms.make(options.finegrain, source, case, size)
        inside = maps.load(f"{source}/mask.nii") > 0
        truth = {name: maps.load(f"{source}/truth/{name}.nii") for name in ("MD", "FA", "porosity", "direction")}
        # finegrain's preset `brain`, which every fit here uses
        fitted = dict(
            tissue, MatrixDiffusivity_mm2_s=3e-3, FiberDiffusivityAxial_mm2_s=1.25e-3, FiberDiffusivityRadial_mm2_s=0.0
        )
        once = methods.ONCE if case.name == "mixed-snr20-n33" and not options.quick else {}
        for name, command in (methods.METHODS | once).items():
            if options.quick and name in ("DIPY NLLS", "dwi2tensor -ols"):
                continue
            out = f"{source}/{name.replace(' ', '_')}"
            row = {
                "phantom": case.phantom,
                "snr": case.snr,
                "volumes": case.volumes,
                "noise": case.noise,
                "judged": case.judged,
                "method": name,
                "voxels": int(inside.sum()),
            }
            if identity(row) in kept:
                rows.append(kept[identity(row)])
                continue
            row |= methods.measured(command, source, out, options.finegrain, NOISE[case.noise], case.noise)
            if row["exit"] in (0, 4):
                found = maps.estimate(out)
                found.setdefault("porosity", maps.hs2d_porosity(found["MD"], fitted))
                row |= maps.errors(found, truth, inside)
            if os.path.exists(f"{out}/summary.json"):
                row |= speed.from_summary(out)
            rows.append(row)
            if not options.keep:
                shutil.rmtree(out)
        if not options.keep:
            shutil.rmtree(source)
        save({"size": size, "rows": rows})
        print(f"bench/dti: {case.name}, {time.monotonic() - START:.0f} s", file=sys.stderr)
    return {"size": size, "rows": rows}


def identity(row):
    return tuple(row[key] for key in ("phantom", "snr", "volumes", "noise", "method"))


def machine(finegrain):
    def first_line(*command):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[0]

    import dipy

    with open("/proc/cpuinfo") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    source = os.path.dirname(os.path.abspath(__file__))
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "finegrain": first_line(finegrain, "--version"),
        "commit": first_line("git", "-C", source, "describe", "--always", "--dirty"),
        "mrtrix": first_line("dwi2tensor", "-version").strip("= "),
        "dipy": dipy.__version__,
    }


# Each takes the options, a folder, what saves results so far, and the results of an earlier run; None: cannot be run.
PARTS = {"phantoms": run_phantoms, "speed": speed.run, "real": real.run}
START = time.monotonic()


def main():
    parser = argparse.ArgumentParser(prog="bench/dti/run")
    parser.add_argument("build")
    parser.add_argument("out", nargs="?", default="dti-bench")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--reuse", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--size", default="28,28,18", help="voxels of the phantoms")
    options = parser.parse_args()
    options.finegrain = os.path.abspath(f"{options.build}/finegrain")
    if not os.access(options.finegrain, os.X_OK):
        sys.exit(f"bench/dti/run: {options.finegrain} is no program; build finegrain there")
    work = os.path.abspath(f"{options.out}/work")
    os.makedirs(work, exist_ok=True)
    path = f"{options.out}/results.json"
    results = {}
    if os.path.exists(path):
        with open(path) as file:
            results = json.load(file)

    def save(part, found):
        results[part] = found | {"machine": machine(options.finegrain), "quick": options.quick}
        with open(path, "w") as file:
            json.dump(results, file, indent=1)
        with open(f"{options.out}/report.md", "w") as file:
            file.write(report.markdown(results))
        if "phantoms" in results:
            with open(f"{options.out}/phantoms.md", "w") as file:
                file.write("# Every phantom by itself\n" + report.each_phantom(results["phantoms"]))

    for part in options.only.split(","):
        if part not in PARTS:
            sys.exit(f"bench/dti/run: no part '{part}', expected {', '.join(PARTS)}")
        found = PARTS[part](options, work, lambda found, part=part: save(part, found), results.get(part))
        if found is None:
            print(f"bench/dti: {part} left out, DWI_DATA is absent", file=sys.stderr)
        else:
            save(part, found)
    if not options.keep:
        shutil.rmtree(work)
    print(f"bench/dti: {options.out}/report.md, {time.monotonic() - START:.0f} s", file=sys.stderr)


main()
