#!/bin/bash
# Makes this example from the original volume: make.sh FOLDER, which holds dwi.nii.gz, dwi.bval, dwi.bvec, dwi.json and LICENSE
# as dcm2niix wrote them. Needs MRtrix3 (dwi2mask) and Python 3. Stored integers, scaling and affine stay as they are; every
# voxel outside the brain becomes 0, and the time of day leaves the header.
set -euo pipefail
original=${1:?usage: make.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dwi2mask -quiet "$original/dwi.nii.gz" -fslgrad "$original/dwi.bvec" "$original/dwi.bval" "$work/mask.nii"
cp "$original/LICENSE" "$original/dwi.bval" "$original/dwi.bvec" "$here/"
chmod u+w "$here/LICENSE" "$here/dwi.bval" "$here/dwi.bvec"

python3 - "$original" "$work/mask.nii" "$here" <<'PYTHON'
import array, gzip, json, struct, sys
original, mask_path, here = sys.argv[1:]

def write(path, data):  # no name and no time in the stream: the same input gives the same file
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as stream:
        stream.write(data)

image = gzip.open(f"{original}/dwi.nii.gz").read()
mask = open(mask_path, "rb").read()
dims = struct.unpack("<8h", image[40:56])
offset = int(struct.unpack("<f", image[108:112])[0])
assert struct.unpack("<h", image[70:72])[0] == 4, "expected int16"
assert struct.unpack("<f", image[116:120])[0] == 0.0, "expected intercept 0"
assert struct.unpack("<4h", mask[40:48])[1:] == dims[1:4], "the mask is on another grid"
inside = mask[int(struct.unpack("<f", mask[108:112])[0]):]
assert struct.unpack("<h", mask[70:72])[0] in (2, 256), "expected a mask of bytes"

values = array.array("h", image[offset:])
voxels = dims[1] * dims[2] * dims[3]
for voxel in range(voxels):
    if not inside[voxel]:
        for volume in range(dims[4]):
            values[volume * voxels + voxel] = 0
header = image[:148] + image[148:228].split(b";")[0].ljust(80, b"\0") + image[228:offset]  # no time of day in descrip
write(f"{here}/dwi.nii.gz", header + values.tobytes())
write(f"{here}/dwi_mask.nii.gz", mask)

facts = ("Modality MagneticFieldStrength Manufacturer ManufacturersModelName BodyPartExamined PatientPosition MRAcquisitionType "
         "ScanningSequence SequenceVariant PulseSequenceName SliceThickness SpacingBetweenSlices EchoTime RepetitionTime FlipAngle "
         "EchoTrainLength PartialFourierDirection PartialFourierEnabled ParallelReductionFactorInPlane ParallelAcquisitionTechnique "
         "PixelBandwidth EstimatedEffectiveEchoSpacing EstimatedTotalReadoutTime PhaseEncodingAxis ConversionSoftware "
         "ConversionSoftwareVersion").split()
with open(f"{original}/dwi.json") as file:
    sidecar = json.load(file)
with open(f"{here}/dwi.json", "w") as file:
    json.dump({fact: sidecar[fact] for fact in facts if fact in sidecar}, file, indent=2)
    file.write("\n")
PYTHON
