"""The ways of estimating that are compared: shell commands on the same files, each with its maps in a folder of its own.

$IN: dwi.nii, mask.nii, dwi.bval, dwi.bvec; $OUT: the method's folder; $FIT: finegrain fit with the options that all of its
runs share; $HERE: the folder of this file; $NOISE: rician or gaussian.
"""
import os
import subprocess

FSL = '-fslgrad "$IN/dwi.bvec" "$IN/dwi.bval"'
MRTRIX = "-quiet -nthreads 0 -mask \"$IN/mask.nii\""
TENSOR = f'dwi2tensor {MRTRIX} {FSL}'
DENOISE = f'dwidenoise {MRTRIX} "$IN/dwi.nii" "$OUT/denoised.nii"'
DIPY = '/usr/bin/python3 "$HERE/dipy_fit.py" "$IN" "$OUT"'

FIT_DENOISED = '$FIT "$OUT/denoised.nii" --bval "$IN/dwi.bval" --bvec "$IN/dwi.bvec" --pointwise'

# name: command
METHODS = {
    "dwi2tensor -ols": f'{TENSOR} -ols "$IN/dwi.nii" "$OUT/tensor.nii"',
    "dwi2tensor": f'{TENSOR} "$IN/dwi.nii" "$OUT/tensor.nii"',
    "dwidenoise + dwi2tensor": f'{DENOISE} && {TENSOR} "$OUT/denoised.nii" "$OUT/tensor.nii"',
    "DIPY WLS": f'{DIPY} WLS',
    "DIPY NLLS": f'{DIPY} NLLS',
    "DIPY nlmeans + WLS": f'{DIPY} WLS --nlmeans "$NOISE"',
    # the noise map is that of the volume before it was denoised, for the noise's lift of the mean is still in it
    "dwidenoise + finegrain pointwise": f'{DENOISE} -noise "$OUT/noise.nii" && {FIT_DENOISED} --sigma "$OUT/noise.nii"',
    "dwidenoise + finegrain pointwise, no noise map": f'{DENOISE} && {FIT_DENOISED}',
    "finegrain pointwise": '$FIT "$IN/dwi.nii" --pointwise',
    "finegrain Tikhonov": '$FIT "$IN/dwi.nii" --regularizer tikhonov',
    "finegrain TV": '$FIT "$IN/dwi.nii"',
    "dwidenoise + finegrain pointwise, dispersed": f'{DENOISE} -noise "$OUT/noise.nii" && {FIT_DENOISED} '
    '--sigma "$OUT/noise.nii" --orientation dispersed',
    "finegrain TV, dispersed": '$FIT "$IN/dwi.nii" --orientation dispersed',
}
# Only on the mixed phantom, SNR 20, 33 volumes, to show that these are not the better choice.
ONCE = {"DIPY nlmeans + WLS, its defaults": f'{DIPY} WLS --nlmeans defaults'}


def measured(command, source, out, finegrain, fit_options="", noise="rician", limit=240):
    """Runs a command; returns its exit code, CPU seconds (user and system of all of its processes), wall seconds and peak
    memory [MiB] (of its largest process). exit 4 of finegrain: maps written, the field solve ended before its tolerance."""
    os.makedirs(out, exist_ok=True)
    fit = f'"{finegrain}" fit -o "$OUT" --force --no-picture -q --mask "$IN/mask.nii" {fit_options}'
    text = command.replace("$FIT", fit)
    environment = dict(os.environ, IN=source, OUT=out, NOISE=noise, HERE=os.path.dirname(os.path.abspath(__file__)))
    with open(f"{out}/log.txt", "w") as log:
        code = subprocess.run(
            ["/usr/bin/time", "-q", "-f", "%U %S %e %M", "-o", f"{out}/time.txt", "timeout", str(limit), "bash", "-c", text],
            env=environment,
            stdout=log,
            stderr=log,
            check=False,
        ).returncode
    with open(f"{out}/time.txt") as file:
        user, system, wall, kilobytes = map(float, file.read().split())
    return {"exit": code, "cpu_seconds": round(user + system, 3), "wall_seconds": wall, "peak_memory_mib": kilobytes / 1024}
