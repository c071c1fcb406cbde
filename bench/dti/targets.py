"""What finegrain should reach, and whether it did.

Accuracy: SNR 20 and 10, 33 volumes, Rician noise, the phantoms that obey the model; finegrain's default orientation model. A
ratio is that of errors averaged over the phantoms (root of the mean square for RMSE, mean for angles); the range over single
phantoms stands beside it.
"""
import math

import report

TV, POINTWISE = "finegrain TV", "finegrain pointwise"
# text, error, of, relative to, limit
ACCURACY = (
    ("porosity RMSE, automatic TV vs dwidenoise + finegrain pointwise", "porosity", "dwidenoise + finegrain pointwise", 0.6),
    (
        "the same, finegrain not told dwidenoise's noise map",
        "porosity",
        "dwidenoise + finegrain pointwise, no noise map",
        0.6,
    ),
    ("direction error in white matter, automatic TV vs dwidenoise + dwi2tensor", "angle", "dwidenoise + dwi2tensor", 0.65),
    ("direction error at borders, automatic TV vs DIPY nlmeans + WLS", "angle_border", "DIPY nlmeans + WLS", 1.0),
    ("MD RMSE, automatic TV vs DIPY nlmeans + WLS", "MD", "DIPY nlmeans + WLS", 0.7),
)


def pooled(rows, method, key):
    values = [r[key] for r in rows if r["method"] == method and key in r]
    if not values:
        return math.nan
    return sum(values) / len(values) if key.startswith("angle") else math.sqrt(sum(v * v for v in values) / len(values))


def verdict(text, limit, value, more=""):
    measured = "not measured" if math.isnan(value) else f"{value:.2f}{more}"
    return [
        text,
        f"{limit:.2f}",
        measured,
        "" if math.isnan(value) else "yes" if value <= limit else f"no, {value / limit:.2f} times the limit",
    ]


def accuracy(found, suffix):
    judged = [r for r in found["rows"] if r["judged"]]
    for text, key, other, limit in ACCURACY:
        peer = other + suffix if other == "dwidenoise + finegrain pointwise" else other
        for snr in sorted({r["snr"] for r in judged}, reverse=True):
            rows = [r for r in judged if r["snr"] == snr]
            ratio = lambda rows: pooled(rows, TV + suffix, key) / pooled(rows, peer, key)
            phantoms = dict.fromkeys(r["phantom"] for r in rows)
            single = [ratio([r for r in rows if r["phantom"] == phantom]) for phantom in phantoms]
            single = [s for s in single if not math.isnan(s)] or [math.nan]
            yield verdict(f"{text}, SNR {snr}", limit, ratio(rows), f" ({min(single):.2f} to {max(single):.2f})")


def speed(found, suffix):
    rows = {r["method"]: r for r in found["rows"]}
    # 124: stopped after its time limit, so at least this
    cpu = lambda name: rows[name]["cpu_seconds"] if name in rows and rows[name]["exit"] in (0, 4, 124) else math.nan
    if not suffix:
        ratio = rows[POINTWISE]["computing"]["cpu_pointwise"] / cpu("dwi2tensor")
        yield verdict("CPU, pointwise fit, computing only, vs dwi2tensor, whole process", 0.2, ratio)
    tikhonov = f"finegrain Tikhonov, weight given{suffix}"
    yield verdict("CPU, whole process, Tikhonov at a given weight vs dwi2tensor", 1.5, cpu(tikhonov) / cpu("dwi2tensor"))
    yield verdict(
        "CPU, whole process, automatic TV vs dwidenoise + dwi2tensor", 1.0, cpu(TV + suffix) / cpu("dwidenoise + dwi2tensor")
    )
    one, two = (rows.get(n, {}).get("computing", {}).get("wall_field", math.nan) for n in (tikhonov, f"{tikhonov}, 2 ranks"))
    yield verdict("wall time of the field solve, 2 ranks vs 1", 0.6, two / one)
    for name in (POINTWISE, TV + suffix):
        text = f"peak memory vs the input held as float, {name.removeprefix('finegrain ').removesuffix(suffix or ' ')}"
        yield verdict(text, 3.0, rows[name]["peak_memory_mib"] / found["input_mib"])


def real(found):
    """At every count of directions, TV against each of the others: the worst ratio of median angles and of FA errors."""
    reference = found["rows"][0]["reference"]
    rows = [r for r in found["rows"] if r["reference"] == reference]
    for key, text in (("angle_median", "median angle"), ("FA", "FA RMSE")):
        for peer in ("dwi2tensor", "dwidenoise + dwi2tensor", POINTWISE):
            ratios = [
                pooled([r for r in rows if r["directions"] == n], TV, key)
                / pooled([r for r in rows if r["directions"] == n], peer, key)
                for n in dict.fromkeys(r["directions"] for r in rows)
            ]
            yield verdict(
                f"real scan, {text}, automatic TV vs {peer}, worst count of directions",
                1.0,
                max(ratios, default=math.nan) if not any(map(math.isnan, ratios)) else math.nan,
            )


def elsewhere(found):
    """Ratios where no target was set: other noise, truths and counts of volumes; finegrain's default orientation model."""
    columns = (
        ("porosity", "dwidenoise + finegrain pointwise"),
        ("angle", "dwidenoise + dwi2tensor"),
        ("MD", "dwidenoise + dwi2tensor"),
    )
    columns += (("angle", "DIPY nlmeans + WLS"), ("MD", "DIPY nlmeans + WLS"))
    names = {"porosity": "porosity RMSE", "angle": "direction error", "MD": "MD RMSE"}
    rows = []
    for key in dict.fromkeys((r["phantom"], r["noise"], r["snr"], r["volumes"]) for r in found["rows"] if not r["judged"]):
        own = [r for r in found["rows"] if (r["phantom"], r["noise"], r["snr"], r["volumes"]) == key]
        ratios = [pooled(own, TV, error) / pooled(own, peer, error) for error, peer in columns]
        noise = {"rician": "Rician", "gaussian": "Gaussian"}[key[1]]
        rows.append([f"{key[0]}, {noise} noise, SNR {key[2]}, {key[3]} volumes"] + [f"{ratio:.2f}" for ratio in ratios])
    return report.table(["volume"] + [f"{names[error]} vs {peer}" for error, peer in columns], rows) if rows else ""


def tables(results):
    heads = ["target", "at most", "measured (single phantoms)", "met"]
    text = ""
    for suffix, title in (("", ""), (", dispersed", "The same with `--orientation dispersed`, not judged:\n\n")):
        rows = []
        for part, judge in (("phantoms", accuracy), ("speed", speed)):
            rows += list(judge(results[part], suffix)) if part in results else []
        rows += list(real(results["real"])) if "real" in results and not suffix else []
        text += title + report.table(heads, rows) + "\n"
    if "phantoms" in results and (rest := elsewhere(results["phantoms"])):
        text += "Automatic TV against the others where no target was set:\n\n" + rest
    return text
