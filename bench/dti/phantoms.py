"""Volumes whose truth is known.

Most come from `finegrain simulate`: its phantoms with its own forward model, orientation `dispersed`. Two do not obey the
model that finegrain fits: `constants` has another closure and other diffusivities; `sticks` is not Gaussian at all. Signals
are magnitudes (Rician noise) unless the case says so. The object takes a third of the volume, as a head does, and around it
the noise goes on: noise estimates look there.
"""
import json
import os
import shutil
import subprocess

import nibabel as nib
import numpy as np
from scipy.special import erf

VOLUMES = {17: (15, 2), 33: (30, 3), 64: (60, 4), 90: (84, 6)}  # directions, b0 volumes
SHELL = 1000.0  # [s/mm^2]
CONSTANTS = ["--closure", "rayleigh-hex", "--fiber-diffusivity", "1.7e-3,1e-4", "--matrix-diffusivity", "2.5e-3"]


class Case:
    """One volume. phantom: of finegrain simulate, or `constants`, `sticks` (on the mixed geometry)."""

    def __init__(self, phantom, snr, volumes=33, noise="rician", judged=False):
        self.phantom, self.snr, self.volumes, self.noise, self.judged = phantom, snr, volumes, noise, judged
        self.name = f"{phantom}-snr{snr}-n{volumes}" + ("-gaussian" if noise == "gaussian" else "")


JUDGED = ("bundles", "borders", "sheet", "mixed")


def cases(quick):
    if quick:
        return [Case(phantom, snr, judged=True) for snr in (20, 10) for phantom in ("mixed", "sheet")] + [Case("sticks", 20)]
    chosen = [Case(phantom, snr, judged=snr != 40) for snr in (10, 20, 40) for phantom in JUDGED]
    chosen += [Case("mixed", 20, volumes) for volumes in (17, 64, 90)]
    chosen += [Case("mixed", snr, noise="gaussian") for snr in (10, 20)]
    return chosen + [Case(phantom, 20) for phantom in ("constants", "sticks")]


def simulate(finegrain, folder, case, size):
    geometry = case.phantom if case.phantom in JUDGED else "mixed"
    directions, b0 = VOLUMES[case.volumes]
    noise = "none" if case.phantom == "sticks" else case.noise
    subprocess.run(
        [
            finegrain,
            "simulate",
            "--phantom",
            geometry,
            "--size",
            size,
            "--orientation",
            "dispersed",
            "--snr",
            str(case.snr),
            "--noise",
            noise,
            "--directions",
            str(directions),
            "--b0",
            str(b0),
            "--shell",
            str(SHELL),
            "-o",
            folder,
            "--force",
            "-q",
        ]
        + (CONSTANTS if case.phantom == "constants" else []),
        check=True,
    )


def sticks(porosity, kappa, direction, S0, bval, scanner_bvec):
    """Signal of non-exchanging water: a share 1 - p in sticks (axial diffusivity 1.7e-3 mm^2/s, none across), kappa of them
    parallel, the others in all directions; a share p around them, hindered across (1.7e-3 (1 - (1 - p)), as in NODDI: Zhang
    et al., NeuroImage 61 (2012) 1000) and averaged over the same orientations as a tensor. Arrays [voxels], direction
    [voxels, 3]; returns [voxels, volumes].
    """
    axial = 1.7e-3
    across = axial * porosity[:, None]
    cosine2 = (direction @ scanner_bvec.T) ** 2
    b = bval[None, :]
    root = np.sqrt(np.maximum(b * axial, 1e-12))
    powder = np.where(b > 1, np.sqrt(np.pi) / (2 * root) * erf(root), 1.0)
    k = kappa[:, None]
    intra = k * np.exp(-b * axial * cosine2) + (1 - k) * powder
    extra = np.exp(-b * (across + (axial - across) * (k * cosine2 + (1 - k) / 3)))
    p = porosity[:, None]
    return S0[:, None] * ((1 - p) * intra + p * extra)


def tensor_of(signal, bval, image_bvec):
    """The tensor that the noise-free signal itself has by non-linear least squares, in image axes: the truth where the signal
    is not that of a tensor. Returns MD, FA and principal axis."""
    from dipy.core.gradients import gradient_table
    from dipy.reconst.dti import TensorModel

    table = gradient_table(bval, image_bvec)
    parts = [TensorModel(table, fit_method="NLLS").fit(signal[i : i + 5000]) for i in range(0, len(signal), 5000)]
    return [
        np.concatenate([get(part) for part in parts]) for get in (lambda f: f.md, lambda f: f.fa, lambda f: f.evecs[..., 0])
    ]


def load(path):
    return np.asanyarray(nib.load(path).dataobj).astype(np.float64)


def padded(values, margin):
    return np.pad(values, [(m, m) for m in margin] + [(0, 0)] * (values.ndim - 3))


def save(values, affine, path):
    nib.save(nib.Nifti1Image(values, affine), path)


def make(finegrain, folder, case, size, margin=0.17):
    """Writes dwi.nii, mask.nii, dwi.bval, dwi.bvec and truth/{MD,FA,porosity,direction}.nii into folder; margin: air on every
    side, in sizes of the object. Returns the constants of the tissue."""
    simulate(finegrain, folder, case, size)
    image = nib.load(f"{folder}/dwi.nii.gz")
    data = np.asanyarray(image.dataobj).astype(np.float32)
    inside = load(f"{folder}/dwi_mask.nii.gz") > 0
    sidecar = f"{folder}/truth/porosity.json"
    truth = {
        name: load(f"{folder}/truth/{name}.nii.gz") for name in ("porosity", "kappa", "S0", "MD", "FA", "direction_scanner")
    }
    sigma = np.median(truth["S0"][inside]) / case.snr
    random = np.random.default_rng(int.from_bytes(case.name.encode(), "little") % 2**32)
    if case.phantom == "sticks":
        # Axes along the scanner's, determinant negative: FSL's vectors are those of the image axes.
        bval, bvec = np.loadtxt(f"{folder}/dwi.bval"), np.loadtxt(f"{folder}/dwi.bvec").T
        turn = np.sign(np.diag(image.affine[:3, :3]))
        signal = sticks(
            truth["porosity"][inside],
            truth["kappa"][inside],
            truth["direction_scanner"][inside],
            truth["S0"][inside],
            bval,
            bvec * turn,
        )
        truth["MD"][inside], truth["FA"][inside], axis = tensor_of(signal, bval, bvec)
        truth["direction_scanner"][inside] = axis * turn
        data[inside] = noisy(signal, sigma, case.noise, random)
    pad = [round(margin * n) for n in inside.shape]
    affine = image.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ pad
    data, mask = padded(data, pad), padded(inside, pad)
    data[~mask] = noisy(np.zeros((np.sum(~mask), data.shape[3])), sigma, case.noise, random)
    save(data, affine, f"{folder}/dwi.nii")
    save(mask.astype(np.uint8), affine, f"{folder}/mask.nii")
    with open(sidecar) as file:
        tissue = json.load(file)["Tissue"]
    shutil.rmtree(f"{folder}/truth")
    os.remove(f"{folder}/dwi.nii.gz")
    os.makedirs(f"{folder}/truth")
    for name in ("porosity", "MD", "FA", "direction_scanner"):
        save(padded(truth[name], pad).astype(np.float32), affine, f"{folder}/truth/{name.replace('_scanner', '')}.nii")
    return tissue


def noisy(signal, sigma, noise, random):
    real = signal + sigma * random.standard_normal(signal.shape)
    return real if noise == "gaussian" else np.hypot(real, sigma * random.standard_normal(signal.shape))
