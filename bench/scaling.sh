#!/usr/bin/env bash
# Time a voxel and sweeps against the size of the grid: pointwise fit, Tikhonov and total variation at a fixed weight.
# Usage: bench/scaling.sh BUILD_FOLDER [LARGEST]     prints a Markdown table; writes scaling.json in the current folder
#   LARGEST: about how many voxels the largest grid has (default 1000000; 10000000 takes some 8 GiB and 10 minutes)
# Phantom `mixed`, 12 directions at b 1000 s/mm^2 and 2 b0 volumes, orientation `dispersed`, SNR 20: its regions grow with the grid, so that
# the smooth parts get longer waves and the borders stay one voxel wide. MAX_SECONDS stops a single fit (default 240).
set -euo pipefail

build=$(realpath "${1:?usage: bench/scaling.sh BUILD_FOLDER [LARGEST]}")
largest=${2:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

echo "| voxels | fit | CPU [us/voxel] | computing [us/voxel] | sweeps | ended | peak memory [bytes/voxel] |"
echo "|---|---|---|---|---|---|---|"
results=()
# 81 % of a box is object: boxes of about 1e4, 3e4, 1e5, ... voxels in it
for size in 28,28,16 40,40,24 60,60,36 88,88,48 128,128,76 184,184,112 276,276,164; do
  IFS=, read -r x y z <<<"$size"
  [ $((x * y * z * 8 / 10)) -le $((largest * 11 / 10)) ] || break
  "$build/finegrain" simulate --phantom mixed --size "$size" --directions 12 --b0 2 --orientation dispersed --snr 20 -o "$work/sim" -q
  gunzip -f "$work"/sim/dwi*.nii.gz
  rm -r "$work/sim/truth"
  while read -r name options; do
    # shellcheck disable=SC2086
    if timeout "${MAX_SECONDS:-240}" "$build/finegrain" fit "$work/sim/dwi.nii" -o "$work/out" --orientation dispersed --force -q \
      --no-picture $options; then code=0; else code=$?; fi
    if [ "$code" -ne 0 ] && [ "$code" -ne 4 ]; then
      echo "| $((x * y * z * 81 / 100)) | $name | | | | exit code $code | |"
      continue
    fi
    results+=("$(jq --arg name "$name" --argjson code "$code" '{fit: $name, exit_code: $code, voxels: .voxels.mask, cpu: (.seconds.cpu_rank_0 | add),
      computing: (.seconds.cpu_rank_0 | .pointwise + .field), sweeps: (.solver.sweeps // 0), ended: (.solver.reason // ""), peak_memory_bytes}' \
      "$work/out/summary.json")")
    jq -r '[.voxels, .fit, (1e8 * .cpu / .voxels | round / 100), (1e8 * .computing / .voxels | round / 100), .sweeps, .ended,
      (.peak_memory_bytes / .voxels | round)] | map(tostring) | "| " + join(" | ") + " |"' <<<"${results[-1]}"
  done <<'FITS'
pointwise --pointwise
tikhonov --regularizer tikhonov --alpha 0.04
tv --regularizer tv --alpha 0.5
FITS
  rm -rf "$work/sim"
done
printf '%s\n' "${results[@]}" | jq -s . >scaling.json
