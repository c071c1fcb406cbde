#!/usr/bin/env bash
# Prints the table of docs/closures.md: which closure, orientation model and constants describe real brains.
# Usage: bench/closures.sh BUILD_FOLDER [EVERY]      (needs MRtrix for the brain masks; EVERY: take every EVERY-th voxel, default 20)
# Volumes: DWI_DATA, a folder with philips_b1000/dwi.nii.gz and siemens_sag_b2000/detpos.nii.gz, each with .bval and .bvec.
set -euo pipefail

build=${1:?usage: bench/closures.sh BUILD_FOLDER [EVERY]}
every=${2:-20}
data=${DWI_DATA:-$(dirname "$0")/../../shared/data/dwi}
masks=$(mktemp -d)
trap 'rm -rf "$masks"' EXIT

cmake --build "$build" --target bench_closures >&2
arguments=()
for volume in philips_b1000/dwi siemens_sag_b2000/detpos; do
  mask=$masks/$(basename "$volume").nii.gz
  dwi2mask "$data/$volume.nii.gz" "$mask" -fslgrad "$data/$volume.bvec" "$data/$volume.bval" -quiet
  arguments+=("$data/$volume.nii.gz:$mask")
done
"$build/bench/bench_closures" "$every" "${arguments[@]}"
