"""Markdown of what was measured."""
import targets

COLUMNS = (("MD", "MD RMSE [1e-3 mm^2/s]", 4), ("FA", "FA RMSE [1]", 4), ("porosity", "porosity RMSE [1]", 4), ("angle", "angle, mean [degree]", 2),
           ("angle_median", "median", 2), ("angle_border", "at borders", 2), ("cpu_seconds", "CPU [s]", 2), ("peak_memory_mib", "memory [MiB]", 0))


def number(row, key, digits):
    return "" if row.get(key) is None else f"{row[key]:.{digits}f}"


def table(heads, rows):
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)] + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def phantom_tables(found):
    text = ""
    seen = dict.fromkeys((r["phantom"], r["snr"], r["volumes"], r["noise"]) for r in found["rows"])
    for phantom, snr, volumes, noise in seen:
        rows = [r for r in found["rows"] if (r["phantom"], r["snr"], r["volumes"], r["noise"]) == (phantom, snr, volumes, noise)]
        text += f"\n### {phantom}, SNR {snr}, {volumes} volumes, {'Rician' if noise == 'rician' else 'Gaussian'} noise, {rows[0]['voxels']} voxels\n\n"
        text += table(["method"] + [head for _, head, _ in COLUMNS],
                      [[r["method"] + note(r)] + [number(r, key, digits) for key, _, digits in COLUMNS] for r in rows])
    return text


def note(row):
    told = f" ({row['orientation']})" if "orientation" in row else ""
    return told + {0: "", 4: " (solver's limit)", 124: " (stopped, too long)"}.get(row["exit"], f" (exit code {row['exit']})")


def speed_table(found):
    heads = ["method", "CPU [s]", "CPU [us/voxel]", "wall [s]", "peak memory [MiB]", "memory over input", "computing: pointwise [us/voxel]",
             "field [us/voxel]", "weights tried", "sweeps of the last solve"]
    rows = []
    for r in found["rows"]:
        inner = r.get("computing", {})
        rows.append([r["method"] + note(r), number(r, "cpu_seconds", 2), f"{1e6 * r['cpu_seconds'] / found['voxels']:.2f}", number(r, "wall_seconds", 2),
                     number(r, "peak_memory_mib", 0), f"{r['peak_memory_mib'] / found['input_mib']:.2f}"]
                    + [f"{1e6 * inner[k] / found['voxels']:.2f}" if k in inner else "" for k in ("cpu_pointwise", "cpu_field")]
                    + [str(r.get("solves", "")), str(r.get("sweeps", ""))])
    return f"{found['voxels']} voxels of {found['size'].replace(',', ' x ')}, 33 volumes; the input held as float is {found['input_mib']:.1f} MiB.\n\n" + table(heads, rows)


def real_tables(found):
    text = ""
    for reference in dict.fromkeys(r["reference"] for r in found["rows"]):
        text += f"\nReference: {reference} of the other scan, all {found['directions']} directions.\n\n"
        rows = [r for r in found["rows"] if r["reference"] == reference]
        text += table(["directions", "method", "angle in white matter, median [degree]", "mean", "FA RMSE [1]", "FA correlation [1]", "CPU [s]"],
                      [[str(r["directions"]), r["method"] + note(r)] + [number(r, k, d) for k, d in
                       (("angle_median", 2), ("angle", 2), ("FA", 4), ("FA_correlation", 3), ("cpu_seconds", 1))] for r in rows])
    return text


def machine_line(found):
    m = found["machine"]
    return (f"Measured on {m['cpu']}, one core for every program ({m['cores']} cores, load {m['load']:.1f} at the end); finegrain commit {m['commit']}, "
            f"MRtrix {m['mrtrix'].replace('dwi2tensor', '').strip()}, DIPY {m['dipy']}{'; quick run' if found['quick'] else ''}.\n")


def markdown(results):
    text = "# Accuracy and cost against other programs\n\n## Targets\n\n" + targets.table(results)
    if "phantoms" in results:
        text += "\n## Phantoms\n\n" + machine_line(results["phantoms"]) + phantom_tables(results["phantoms"])
    if "speed" in results:
        text += "\n## Speed\n\n" + machine_line(results["speed"]) + "\n" + speed_table(results["speed"])
    if "real" in results:
        text += "\n## Real scans\n\n" + machine_line(results["real"]) + real_tables(results["real"])
    return text
