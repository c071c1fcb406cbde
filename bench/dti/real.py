"""Two scans of one person, 20 directions at b 2000 s/mm^2 each. A few directions of the one are fitted and scored against the
other, fitted with all of its directions and brought over by a rigid registration of the b0 volumes (siemens_sag_b2000 in
DWI_DATA). The few are the subset of least Coulomb energy, with the one b0 volume. White matter: FA above 0.35 in both scans
by dwi2tensor from all directions. FA over the mask.
"""
import itertools
import os
import shutil
import subprocess

import nibabel as nib
import numpy as np
from scipy.ndimage import map_coordinates

import maps
import methods

COUNTS = (6, 8, 10)
METHODS = ("dwi2tensor", "dwidenoise + dwi2tensor", "finegrain pointwise", "finegrain TV")
REFERENCES = ("dwi2tensor", "finegrain TV")
SCORED, OTHER = "detpos", "detneg"


def best_subset(directions, count):
    """The subset of least energy, sum of 1/|a - b|^2 + 1/|a + b|^2: the evenest spread."""
    cosine2 = np.minimum((directions @ directions.T) ** 2, 1 - 1e-9)
    energy = 1.0 / (1.0 - cosine2)  # 1/|a-b|^2 + 1/|a+b|^2 for unit vectors
    pairs = np.array(list(itertools.combinations(range(count), 2)))
    least, best = np.inf, None
    subsets = itertools.combinations(range(len(directions)), count)
    while chunk := list(itertools.islice(subsets, 20000)):
        chosen = np.array(chunk)
        sums = energy[chosen[:, pairs[:, 0]], chosen[:, pairs[:, 1]]].sum(1)
        if sums.min() < least:
            least, best = sums.min(), chosen[sums.argmin()]
    return best


def prepare(data, scan, folder, count=None):
    """A scan as dwi.nii, mask.nii, dwi.bval, dwi.bvec; count: of its directions, and all volumes that are not weighted."""
    image = nib.load(f"{data}/{scan}.nii.gz")
    bval, bvec = np.loadtxt(f"{data}/{scan}.bval"), np.loadtxt(f"{data}/{scan}.bvec")
    weighted = np.flatnonzero(bval > 50)
    keep = (
        np.arange(len(bval))
        if count is None
        else np.sort(np.concatenate([np.flatnonzero(bval <= 50), weighted[best_subset(bvec[:, weighted].T, count)]]))
    )
    os.makedirs(folder, exist_ok=True)
    nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj).astype(np.float32)[..., keep], image.affine), f"{folder}/dwi.nii")
    np.savetxt(f"{folder}/dwi.bval", bval[None, keep], "%g")
    np.savetxt(f"{folder}/dwi.bvec", bvec[:, keep], "%.8f")
    return [int(k) for k in keep]


def mask_and_b0(folder):
    subprocess.run(
        [
            "dwi2mask",
            "-quiet",
            "-nthreads",
            "0",
            "-force",
            f"{folder}/dwi.nii",
            f"{folder}/mask.nii",
            "-fslgrad",
            f"{folder}/dwi.bvec",
            f"{folder}/dwi.bval",
        ],
        check=True,
    )
    image = nib.load(f"{folder}/dwi.nii")
    nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj)[..., 0], image.affine), f"{folder}/b0.nii")


def register(moving, fixed, path):
    """4 x 4: a point of the fixed scan [mm, scanner] to the moving one."""
    subprocess.run(
        [
            "mrregister",
            "-quiet",
            "-nthreads",
            "0",
            "-force",
            f"{moving}/b0.nii",
            f"{fixed}/b0.nii",
            "-type",
            "rigid",
            "-mask1",
            f"{moving}/mask.nii",
            "-mask2",
            f"{fixed}/mask.nii",
            "-rigid",
            path,
        ],
        check=True,
    )
    return np.loadtxt(path)


def brought_over(found, transform, from_affine, to_affine, shape):
    """FA and direction of one scan on the other's grid. Directions are interpolated as dyads, weighted by FA."""
    grid = np.indices(shape).reshape(3, -1)
    matrix = np.linalg.inv(from_affine) @ transform @ to_affine
    places = matrix[:3, :3] @ grid + matrix[:3, 3:]
    sample = lambda values: map_coordinates(np.nan_to_num(values), places, order=1).reshape(shape)
    fa, n = found["FA"], np.nan_to_num(found["direction"])
    dyad = np.empty(shape + (3, 3))
    for i, j in itertools.combinations_with_replacement(range(3), 2):
        dyad[..., i, j] = dyad[..., j, i] = sample(fa * n[..., i] * n[..., j])
    axis = np.linalg.eigh(dyad)[1][..., 2]
    return {"FA": sample(fa), "direction": axis @ transform[:3, :3]}  # rows: R^T n


def run(options, work, save, before):
    data = f"{os.environ['DWI_DATA']}/siemens_sag_b2000"
    if not os.path.exists(f"{data}/{SCORED}.nii.gz"):
        return None
    folders = {scan: f"{work}/{scan}" for scan in (SCORED, OTHER)}
    for scan, folder in folders.items():
        prepare(data, scan, folder)
        mask_and_b0(folder)
    transform = register(folders[OTHER], folders[SCORED], f"{work}/rigid.txt")
    affines = {scan: nib.load(f"{folder}/dwi.nii").affine for scan, folder in folders.items()}
    inside = maps.load(f"{folders[SCORED]}/mask.nii") > 0
    references = {}
    for name in REFERENCES:
        out = f"{work}/reference-{name.replace(' ', '_')}"
        methods.measured(methods.METHODS[name], folders[OTHER], out, options.finegrain)
        references[name] = brought_over(maps.estimate(out), transform, affines[OTHER], affines[SCORED], inside.shape)
    out = f"{work}/{SCORED}-all"
    methods.measured(methods.METHODS["dwi2tensor"], folders[SCORED], out, options.finegrain)
    # the same white matter for every method: both scans, all directions
    white = inside & (maps.estimate(out)["FA"] > maps.WHITE) & (references["dwi2tensor"]["FA"] > maps.WHITE)
    covered = inside & (references["dwi2tensor"]["FA"] > 0)

    rows = []
    everything = int((np.loadtxt(f"{data}/{SCORED}.bval") > 50).sum())
    for count in (*COUNTS, everything):
        source = f"{work}/{SCORED}-{count}"
        volumes = prepare(data, SCORED, source, count if count < everything else None)
        shutil.copy(f"{folders[SCORED]}/mask.nii", f"{source}/mask.nii")
        for name in METHODS:
            out = f"{source}/{name.replace(' ', '_')}"
            row = {"directions": count, "volumes": volumes, "method": name} | methods.measured(
                methods.METHODS[name], source, out, options.finegrain
            )
            if row["exit"] == 3 and "--orientation dispersed" in open(f"{out}/log.txt").read():
                # as many unknowns as samples: finegrain refuses its default model and says which one to take
                row |= methods.measured(methods.METHODS[name] + " --orientation dispersed", source, out, options.finegrain) | {
                    "orientation": "dispersed"
                }
            found = maps.estimate(out) if row["exit"] in (0, 4) else None
            for reference, values in references.items():
                score = {"reference": reference}
                if found:
                    angles = maps.angle(found["direction"], values["direction"])[white]
                    difference = (found["FA"] - values["FA"])[covered]
                    score |= {
                        "angle": float(angles.mean()),
                        "angle_median": float(np.median(angles)),
                        "FA": float(np.sqrt(np.mean(difference**2))),
                        "FA_correlation": float(np.corrcoef(found["FA"][covered], values["FA"][covered])[0, 1]),
                    }
                rows.append(row | score)
    return {"directions": everything, "white_matter_voxels": int(white.sum()), "rows": rows}
