"""CPU seconds, wall time and peak memory on one large phantom: 250 000 voxels x 33 volumes."""
import json
import os
import shutil
import subprocess

import methods
import phantoms

REPEATS = 2  # the least of them counts
LONG = 60.0  # [s] CPU: not repeated


def from_summary(out):
    """What finegrain says about itself."""
    with open(f"{out}/summary.json") as file:
        summary = json.load(file)
    cpu, wall = summary["seconds"]["cpu_rank_0"], summary["seconds"]["wall"]
    found = {"computing": {"cpu_pointwise": cpu["pointwise"], "cpu_field": cpu["field"], "wall_field": wall["field"]}}
    if "weights" in summary:
        found |= {"alpha": summary["weights"]["alpha"], "solves": len(summary["weights"].get("curve", [])) or 1}
    if "solver" in summary:
        found |= {"sweeps": summary["solver"]["sweeps"], "ended": summary["solver"]["reason"]}
    return found


def least(command, source, out, options, repeats=REPEATS, ranks=1):
    best = None
    for _ in range(repeats):
        shutil.rmtree(out, ignore_errors=True)
        finegrain = options.finegrain
        row = methods.measured(command if ranks == 1 else command.replace("$FIT", "mpiexec -n 2 $FIT"), source, out, finegrain)
        if os.path.exists(f"{out}/summary.json"):
            row |= from_summary(out)
        key = lambda r: r["computing"]["wall_field"] if ranks > 1 and "computing" in r else r["cpu_seconds"]
        if best is None or key(row) < key(best):
            best = row
        if row["cpu_seconds"] > LONG:
            break
    return best


def run(options, work):
    """Every program on the same uncompressed file; finegrain with its default orientation model and, to see what that costs, `dispersed`."""
    size = "32,32,30" if options.quick else "68,68,66"
    source = f"{work}/speed"
    phantoms.make(options.finegrain, source, phantoms.Case("mixed", 20, noise="gaussian"), size, margin=0.0)
    tikhonov = "--regularizer tikhonov --alpha 0.05"
    commands = {name: methods.METHODS[name] for name in ("dwi2tensor -ols", "dwi2tensor", "dwidenoise + dwi2tensor", "DIPY WLS",
                                                         "finegrain pointwise")}
    for suffix, extra in (("", ""), (", dispersed", " --orientation dispersed")):
        commands[f"finegrain Tikhonov, weight given{suffix}"] = f'$FIT "$IN/dwi.nii" {tikhonov}{extra}'
        commands[f"finegrain TV{suffix}"] = f'$FIT "$IN/dwi.nii"{extra}'
    rows = [{"method": name} | least(command, source, f"{work}/speed-out", options) for name, command in commands.items()]
    for suffix, extra in (("", ""), (", dispersed", " --orientation dispersed")):
        name = f"finegrain Tikhonov, weight given{suffix}"
        if next(r for r in rows if r["method"] == name)["cpu_seconds"] > LONG:
            continue
        rows.append({"method": f"{name}, 2 ranks"} | least(commands[name], source, f"{work}/speed-out", options, ranks=2))
    x, y, z = map(int, size.split(","))
    result = {"size": size, "voxels": int((phantoms.load(f"{source}/mask.nii") > 0).sum()), "input_mib": x * y * z * 33 * 4 / 2**20, "rows": rows}
    if not options.keep:
        shutil.rmtree(source)
    return result
