"""DIPY's tensor fit of a folder's dwi.nii, as a user would write it. Usage: dipy_fit.py IN OUT WLS|NLLS [--nlmeans
rician|gaussian|defaults]

Writes MD, FA and direction_scanner. nlmeans: noise from DIPY's own estimate, PIESNO for magnitudes, estimate_sigma for
Gaussian noise; blocks of radius 3 instead of 5, which are faster and on the phantoms nearer to the truth; `defaults`:
estimate_sigma for one coil, radius 5. One thread. DIPY 1.6's NLLS stops with a shape error above 10000 voxels a call (its
starting point is computed in pieces of 10000): smaller pieces.
"""
import sys

import nibabel as nib
import numpy as np
from dipy.core.gradients import gradient_table
from dipy.reconst.dti import TensorModel

source, out, method = sys.argv[1:4]
image = nib.load(f"{source}/dwi.nii")
data = image.get_fdata(dtype=np.float32)
inside = np.asanyarray(nib.load(f"{source}/mask.nii").dataobj) > 0
table = gradient_table(*[np.loadtxt(f"{source}/dwi.{kind}") for kind in ("bval", "bvec")])
if "--nlmeans" in sys.argv:
    from dipy.denoise.nlmeans import nlmeans
    from dipy.denoise.noise_estimate import estimate_sigma, piesno

    if sys.argv[-1] == "rician":
        data = nlmeans(
            data, sigma=np.full(data.shape[3], np.median(piesno(data, N=1))), mask=inside, block_radius=3, num_threads=1
        )
    elif sys.argv[-1] == "gaussian":
        data = nlmeans(data, sigma=estimate_sigma(data, N=0), mask=inside, rician=False, block_radius=3, num_threads=1)
    else:
        data = nlmeans(data, sigma=estimate_sigma(data, N=1), mask=inside, num_threads=1)
signals = data[inside]
md, fa, axis = [np.empty(signals.shape[:1] + shape, np.float32) for shape in ((), (), (3,))]
for first in range(0, len(signals), 10000):
    part = slice(first, first + 10000)
    fit = TensorModel(table, fit_method=method).fit(signals[part])
    md[part], fa[part], axis[part] = fit.md, fit.fa, fit.evecs[..., 0]
# FSL's vectors: image axes, x negated where the determinant is positive
turn = image.affine[:3, :3] / np.linalg.norm(image.affine[:3, :3], axis=0)
if np.linalg.det(turn) > 0:
    axis[:, 0] *= -1
for name, values in (("MD", md), ("FA", fa), ("direction_scanner", axis @ turn.T)):
    whole = np.zeros(inside.shape + values.shape[1:], np.float32)
    whole[inside] = values
    nib.save(nib.Nifti1Image(whole, image.affine), f"{out}/{name}.nii.gz")
