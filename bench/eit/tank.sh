#!/usr/bin/env bash
# Prints the table of docs/accuracy.md, "Tank": real phantoms in the Kuopio tank, fitted with the defaults, segmented, scored; with all
# electrodes, and with the first 6 and the first 12 not connected. Needs python3-numpy and python3-h5py, and the challenge's training data
# as one HDF5 file (bench/eit/tank_files.py says what it holds).
# Usage: bench/eit/tank.sh BUILD_FOLDER TRAINING.h5 [option of finegrain fit ...]
set -euo pipefail

usage="usage: bench/eit/tank.sh BUILD_FOLDER TRAINING.h5 [option of finegrain fit ...]"
build=$(realpath "${1:?$usage}")
training=$(realpath "${2:?$usage}")
shift 2
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OPENBLAS_NUM_THREADS=1
[ -x "$build/finegrain" ] || { echo "tank.sh: $build/finegrain is not there: build it first" >&2; exit 2; }
cd "$work"
python3 "$here/tank_files.py" "$training" .

# TRUTH DATA OPTION...: fits and segments into out; prints the score
score() {
  local code=0
  "$build/finegrain" fit "$2" -o out --force -q "${@:3}" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 4 ] || return "$code"
  "$build/finegrain" segment out/conductivity.nii.gz -o out/labels.nii.gz --force -q
  python3 "$here/score.py" out/labels.nii.gz "$1"
}

echo "| electrodes not connected | 1 | 2 | 3 | 4 | mean | reduced chi-squared | alpha | seconds |"
echo "|---|---|---|---|---|---|---|---|---|"
for dropped in 0 6 12; do
  scores="" chi2="" alpha="" seconds=""
  drop=()
  [ "$dropped" -eq 0 ] || drop=(--drop-electrodes "$(seq -s, 1 "$dropped")")
  for phantom in 1 2 3 4; do
    scores="$scores $(score "truth$phantom.nii.gz" "tank$phantom.h5" "${drop[@]}" "$@")"
    chi2="$chi2 $(jq '.fit.reduced_chi2 * 100 | round / 100' out/summary.json)"
    alpha="$alpha $(jq '.weights.alpha * 10000 | round / 10000' out/summary.json)"
    seconds="$seconds $(jq '.seconds.wall.total | round' out/summary.json)"
  done
  awk -v dropped="$dropped" -v chi2="$chi2" -v alpha="$alpha" -v seconds="$seconds" \
    '{ printf "| %s | %.3f | %.3f | %.3f | %.3f | **%.3f** | %s | %s | %s |\n", dropped ? "1-" dropped : "none", $1, $2, $3, $4, ($1+$2+$3+$4)/4, chi2, alpha, seconds }' <<<"$scores"
done
