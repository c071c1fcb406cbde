#!/usr/bin/env bash
# A whole-brain sized case: 100 x 100 x 60 voxels, 64 directions and 4 b0 volumes, generated. Times a voxel-by-voxel fit, a Tikhonov fit
# of given weight, and a total-variation fit whose weight is searched, and compares peak memory with the input held as float. The mask is
# an ellipsoid of 34 % of the voxels, as that of the brain in examples/brain (33.6 %).
# Usage: bench/whole_brain.sh BUILD_FOLDER [RANKS [X,Y,Z]]    prints Markdown rows, writes whole_brain.json in the current folder
set -euo pipefail

build=$(realpath "${1:?usage: bench/whole_brain.sh BUILD_FOLDER [RANKS [X,Y,Z]]}")
ranks=${2:-1}
size=${3:-100,100,60}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
run=("$build/finegrain")
[ "$ranks" -eq 1 ] || run=(mpiexec -n "$ranks" "${run[@]}")

"$build/finegrain" simulate --phantom mixed --size "$size" --directions 64 --b0 4 --orientation dispersed --snr 20 -o "$work/sim" -q
IFS=, read -r x y z <<<"$size"
python3 - "$work/sim/dwi_mask.nii.gz" "$work/brain.nii.gz" <<'EOF'
import gzip, struct, sys
raw = bytearray(gzip.open(sys.argv[1]).read())
dims = struct.unpack_from("<3h", raw, 42)
for v in range(dims[0] * dims[1] * dims[2]):
    place = (v % dims[0], v // dims[0] % dims[1], v // dims[0] // dims[1])
    raw[352 + v] = sum(((2 * p + 1) / n - 1) ** 2 for p, n in zip(place, dims)) <= 0.75
gzip.open(sys.argv[2], "wb", 1).write(raw)
EOF
input=$((x * y * z * 68 * 4))
results=()
echo "| fit | voxels | read [s] | pointwise [us/voxel] | field [us/voxel] | write [s] | total [s] | peak memory [MiB] | over input as float |"
echo "|---|---|---|---|---|---|---|---|---|"
fit() { # NAME OPTION...
  local name=$1 code=0
  shift
  "${run[@]}" fit "$work/sim/dwi.nii.gz" --mask "$work/brain.nii.gz" -o "$work/out" --orientation dispersed --force -q "$@" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 4 ] || exit "$code"
  results+=("$(jq --arg name "$name" --argjson input "$input" --argjson ranks "$ranks" --argjson code "$code" '{fit: $name, ranks: $ranks,
    exit_code: $code, voxels: .voxels.mask, seconds: .seconds.wall, peak_memory_bytes, input_bytes_as_float: $input,
    memory_ratio: (.peak_memory_bytes / $input), counts, settings: (.settings | {regularizer, alpha, solver, tolerance})}' "$work/out/summary.json")")
  jq -r '[.fit + (if .exit_code == 4 then " (target missed)" else "" end), .voxels, .seconds.read, 1e6 * .seconds.pointwise / .voxels,
    1e6 * .seconds.field / .voxels, .seconds.write, .seconds.total, .peak_memory_bytes / 1048576, .memory_ratio]
    | map(if type == "number" then (if . >= 100 then round else (100 * . | round) / 100 end) else . end) | map(tostring)
    | "| " + join(" | ") + " |"' <<<"${results[-1]}"
}
fit "pointwise" --pointwise
fit "tikhonov, alpha 0.1" --regularizer tikhonov --alpha 0.1
fit "tv, alpha auto" --regularizer tv --alpha auto
printf '%s\n' "${results[@]}" | jq -s . >whole_brain.json
