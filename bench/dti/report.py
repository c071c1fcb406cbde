"""Markdown of what was measured."""
import phantoms
import real
import targets

COLUMNS = (
    ("MD", "MD RMSE [1e-3 mm^2/s]", 4),
    ("FA", "FA RMSE [1]", 4),
    ("porosity", "porosity RMSE [1]", 4),
    ("angle", "angle, mean [degree]", 2),
    ("angle_median", "median", 2),
    ("angle_border", "at borders", 2),
    ("cpu_seconds", "CPU [s]", 2),
    ("peak_memory_mib", "memory [MiB]", 0),
)


def number(row, key, digits):
    return "" if row.get(key) is None else f"{row[key]:.{digits}f}"


def table(heads, rows):
    return (
        "\n".join(
            ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)] + ["| " + " | ".join(row) + " |" for row in rows]
        )
        + "\n"
    )


def method_table(rows):
    return table(
        ["method"] + [head for _, head, _ in COLUMNS],
        [[r["method"] + note(r)] + [number(r, key, digits) for key, _, digits in COLUMNS] for r in rows],
    )


def noise_name(row):
    return {"rician": "Rician", "gaussian": "Gaussian"}[row["noise"]]


def each_phantom(found):
    """One table a volume."""
    text = ""
    for key in dict.fromkeys((r["phantom"], r["snr"], r["volumes"], r["noise"]) for r in found["rows"]):
        rows = [r for r in found["rows"] if (r["phantom"], r["snr"], r["volumes"], r["noise"]) == key]
        text += (
            f"\n### {key[0]}, SNR {key[1]}, {key[2]} volumes, {noise_name(rows[0])} noise, {rows[0]['voxels']} voxels\n\n"
            + method_table(rows)
        )
    return text


def pooled_rows(rows):
    """A row a method: errors averaged as in targets.py, CPU summed, the largest memory, the worst exit code."""
    result = []
    for method in dict.fromkeys(r["method"] for r in rows):
        own = [r for r in rows if r["method"] == method]
        row = {
            "method": method,
            "exit": max(r["exit"] for r in own),
            "cpu_seconds": sum(r["cpu_seconds"] for r in own),
            "peak_memory_mib": max(r["peak_memory_mib"] for r in own),
        }
        if len(own) < len({r["phantom"] for r in rows}):
            continue
        result.append(row | {key: targets.pooled(rows, method, key) for key, _, _ in COLUMNS[:6]})
    return result


def phantom_tables(found):
    """The phantoms that obey the model together, SNR by SNR; every other volume by itself."""
    text, rest = "", []
    obeying = [r for r in found["rows"] if r["phantom"] in phantoms.JUDGED and r["volumes"] == 33 and r["noise"] == "rician"]
    names = list(dict.fromkeys(r["phantom"] for r in obeying))
    for snr in sorted({r["snr"] for r in obeying}):
        rows = [r for r in obeying if r["snr"] == snr]
        text += f"\n### {', '.join(names)} together, SNR {snr}, 33 volumes\n\n" + method_table(pooled_rows(rows))
    rest = [r for r in found["rows"] if not any(r is o for o in obeying)]
    return text + each_phantom({"rows": rest})


def note(row):
    told = f" ({row['orientation']})" if "orientation" in row else ""
    return told + {0: "", 4: " (solver's limit)", 124: " (stopped, too long)"}.get(row["exit"], f" (exit code {row['exit']})")


PHASES = ("read", "pointwise", "field", "deviations", "write")  # of finegrain's own summary


def speed_table(found):
    """Whole processes; for finegrain also its phases by its own clock, CPU of rank 0."""
    heads = ["method", "CPU [s]", "wall [s]", "peak memory [MiB]", "memory over input"]
    heads += [f"{phase} [s]" for phase in PHASES] + ["weights tried", "sweeps of the last solve"]
    rows = []
    for r in found["rows"]:
        inner = r.get("computing", {})
        row = [r["method"] + note(r), number(r, "cpu_seconds", 2), number(r, "wall_seconds", 2)]
        row += [number(r, "peak_memory_mib", 0), f"{r['peak_memory_mib'] / found['input_mib']:.2f}"]
        row += [number(inner, f"cpu_{phase}", 2) for phase in PHASES]
        rows.append(row + [str(r.get("solves", "")), str(r.get("sweeps", ""))])
    return (
        f"{found['voxels']} voxels of {found['size'].replace(',', ' x ')}, 33 volumes; "
        f"the input held as float is {found['input_mib']:.1f} MiB. "
        "From `read` on: CPU of finegrain's phases by its own clock.\n\n" + table(heads, rows)
    )


def real_tables(found):
    text = ""
    for reference in dict.fromkeys(r["reference"] for r in found["rows"]):
        text += f"\nReference: {reference} of the other scan, all {found['directions']} directions.\n\n"
        rows = [r for r in found["rows"] if r["reference"] == reference]
        text += table(
            [
                "directions",
                "method",
                "angle in white matter, median [degree]",
                "mean",
                "FA RMSE [1]",
                "FA correlation [1]",
                "CPU [s]",
            ],
            [
                [str(r["directions"]), r["method"] + note(r)]
                + [
                    number(r, k, d)
                    for k, d in (("angle_median", 2), ("angle", 2), ("FA", 4), ("FA_correlation", 3), ("cpu_seconds", 1))
                ]
                for r in rows
            ],
        )
    return text


def machine_line(found):
    m = found["machine"]
    return (
        f"Measured on {m['cpu']}, one core for every program ({m['cores']} cores, load {m['load']:.1f} at the end); "
        f"finegrain commit {m['commit']}, "
        f"MRtrix {m['mrtrix'].replace('dwi2tensor', '').strip()}, DIPY {m['dipy']}{'; quick run' if found['quick'] else ''}.\n"
    )


ABOUT = """# Accuracy and cost against other programs

Command: `bench/dti/install`, then `bench/dti/run BUILD_FOLDER`; this page is its report.md. The errors of every phantom by
itself are in phantoms.md beside it, all numbers in results.json.

- Every program reads the same uncompressed volume, mask and gradient table and runs on one core. CPU seconds are user and
  system of the whole process tree, program start and files included; memory is the largest process's.
- finegrain runs with its defaults, weights chosen from the data, and `--noise rician` where the noise is Rician, as that of
  magnitude images. It is judged by its default orientation model; the phantoms obey `dispersed`, a special case of it, which
  is listed beside it.
- The phantoms are those of `finegrain simulate` (`bundles`: smooth; `borders`: piecewise constant; `sheet`: a one-voxel sheet
  and a ball of fluid; `mixed`: all of them) in air with noise, 17, 33, 64 or 90 volumes, b 1000 s/mm^2. In `constants` the
  truth has another closure and other diffusivities than those that finegrain fits with. `sticks` is no tensor at all: sticks
  with dispersed directions and hindered water around them, whose true tensor is that of the signal without noise, and whose
  true porosity is the share of the water around.
- Errors of MD, FA and porosity are taken over the mask (MD clipped to 0 to 4e-3 mm^2/s), of direction where the true FA is
  above 0.35; borders are voxels with a face neighbor more than 20 degrees or 0.04 of porosity away. Where a program gives no
  porosity it is that which finegrain's closure gives its MD.
- Peers get the settings that serve them best: `dwidenoise + finegrain pointwise` is told dwidenoise's noise map, for the
  Rician lift of the mean is still in the volume that was denoised; DIPY's nlmeans takes the noise from PIESNO and a block
  radius of 3 (its defaults: last row of phantoms.md's mixed, SNR 20, 33 volumes).
"""


def markdown(results):
    text = ABOUT + "\n## Targets\n\n" + targets.__doc__.split("\n\n", 1)[1] + "\n" + targets.tables(results).rstrip("\n") + "\n"
    if "phantoms" in results:
        text += "\n## Phantoms\n\n" + machine_line(results["phantoms"]) + phantom_tables(results["phantoms"])
    if "speed" in results:
        text += "\n## Speed\n\n" + machine_line(results["speed"]) + "\n" + speed_table(results["speed"])
    if "real" in results:
        text += "\n## Real scans\n\n" + real.__doc__ + "\n" + machine_line(results["real"]) + real_tables(results["real"])
    return text
