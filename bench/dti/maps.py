"""What a method found, in common terms, and its errors against the truth."""
import os

import nibabel as nib
import numpy as np

WHITE = 0.35  # FA of the truth above which a voxel counts as white matter
MD_MOST = 4e-3  # [mm^2/s]
BORDER_ANGLE, BORDER_POROSITY = 20.0, 0.04  # [degree], [1]: differences between face neighbors that make a border


def load(path):
    return np.asanyarray(nib.load(path).dataobj).astype(np.float64)


def of_tensor(path):
    """MD, FA, direction of MRtrix's tensor: xx yy zz xy xz yz in the scanner frame."""
    t = load(path)
    whole = np.stack([t[..., [0, 3, 4]], t[..., [3, 1, 5]], t[..., [4, 5, 2]]], axis=-2)
    whole[~np.isfinite(whole)] = 0.0
    values, vectors = np.linalg.eigh(whole)
    md = values.mean(-1)
    square = np.sum(values**2, -1)
    fa = np.sqrt(1.5 * np.sum((values - md[..., None]) ** 2, -1) / np.where(square > 0, square, 1.0))
    return md, fa, vectors[..., 2]


def estimate(folder):
    """{MD, FA, direction, and porosity where there is a map of it} of a method's folder."""
    if os.path.exists(f"{folder}/tensor.nii"):
        md, fa, direction = of_tensor(f"{folder}/tensor.nii")
    else:
        md, fa, direction = (load(f"{folder}/{name}.nii.gz") for name in ("MD", "FA", "direction_scanner"))
    # Both in the range that water allows: a single voxel without signal must not decide a mean square, whosever it is.
    found = {"MD": np.clip(np.nan_to_num(md), 0.0, MD_MOST), "FA": np.clip(np.nan_to_num(fa), 0.0, 1.0), "direction": direction}
    if os.path.exists(f"{folder}/porosity.nii.gz"):
        found["porosity"] = load(f"{folder}/porosity.nii.gz")
    return found


def hs2d_porosity(md, tissue):
    """Porosity that finegrain's closure hs2d gives a mean diffusivity, which does not depend on the orientation model
    (docs/theory.md): how a method that only has a tensor would come to it. tissue: constants as in the sidecars."""
    De, Da, Dr = (
        tissue[key] for key in ("MatrixDiffusivity_mm2_s", "FiberDiffusivityAxial_mm2_s", "FiberDiffusivityRadial_mm2_s")
    )
    phi = np.linspace(1.0, 0.0, 2001)
    along = (1 - phi) * De + phi * Da
    across = De * ((Dr + De) + phi * (Dr - De)) / ((Dr + De) - phi * (Dr - De))
    return np.interp(md, (along + 2 * across) / 3, 1.0 - phi)


def angle(one, other):
    """Between two fields of directions, up to sign [degree]."""
    cosine = np.abs(np.nan_to_num(np.sum(one * other, -1)))
    return np.degrees(np.arccos(np.minimum(cosine, 1.0)))


def border(truth, inside):
    """Voxels with a face neighbor of other tissue."""
    found = np.zeros_like(inside)
    for axis in range(3):
        here = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        there = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        white = (truth["FA"][here] > WHITE) & (truth["FA"][there] > WHITE)
        differs = (
            (
                (angle(truth["direction"][here], truth["direction"][there]) > BORDER_ANGLE) & white
                | (np.abs(truth["porosity"][here] - truth["porosity"][there]) > BORDER_POROSITY)
            )
            & inside[here]
            & inside[there]
        )
        found[here] |= differs
        found[there] |= differs
    return found & inside


def errors(found, truth, inside):
    """Over the mask, direction where the truth's FA > 0.35: MD [1e-3 mm^2/s], FA, porosity [1] RMSE, angles [degree]."""
    white = inside & (truth["FA"] > WHITE)
    edge = white & border(truth, inside)
    rmse = lambda name: float(np.sqrt(np.mean((np.nan_to_num(found[name]) - truth[name])[inside] ** 2)))
    angles = angle(found["direction"], truth["direction"])
    result = {
        "MD": 1e3 * rmse("MD"),
        "FA": rmse("FA"),
        "angle": float(np.mean(angles[white])),
        "angle_median": float(np.median(angles[white])),
        "porosity": rmse("porosity"),
    }
    if edge.any():
        result["angle_border"] = float(np.mean(angles[edge]))
    return result
