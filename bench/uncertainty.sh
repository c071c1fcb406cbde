#!/usr/bin/env bash
# Prints the tables of docs/uncertainty.md: coverage of 95 % intervals on phantoms of known truth, everywhere and at borders, and how near the
# reported standard deviations of regularized fits are to those of the exact inverse of the posterior Hessian.
# Usage: bench/uncertainty.sh BUILD_FOLDER [coverage|exact]
set -euo pipefail

build=$(realpath "${1:?usage: bench/uncertainty.sh BUILD_FOLDER [coverage|exact]}")
what=${2:-both}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --build "$build" --target finegrain compare_maps bench_uncertainty >&2

# percent FOLDER TRUTH MAP DEVIATION [MASK]
percent() {
  "$build/tests/compare_maps" coverage "$1/$3.nii.gz" "$2/$3.nii.gz" "$1/$4.nii.gz" "$1/status.nii.gz" "${@:5}" |
    awk '{ if ($1 ~ /nan/) printf " -"; else printf " %.1f", 100 * $1 }'
}

row() { # PHANTOM SNR NAME OPTION...
  local phantom=$1 snr=$2 name=$3 folder="$work/$1$2" code=0 map
  shift 3
  "$build/finegrain" fit "$folder/dwi.nii.gz" -o "$work/out" --force --orientation dispersed --no-picture -q "$@" || code=$?
  [ $code -eq 0 ] || [ $code -eq 4 ] || { echo "| $phantom | $snr | $name | exit code $code |"; return; }
  printf '| %s | %s | %s%s |' "$phantom" "$snr" "$name" "$([ $code -eq 0 ] || echo ' (target missed)')"
  for map in porosity kappa S0; do percent "$work/out" "$folder/truth" $map ${map}_std; [ $map = S0 ] || printf ' |'; done
  printf ' |'
  percent "$work/out" "$folder/truth" direction_scanner direction_cone
  printf ' |'
  for map in porosity kappa; do percent "$work/out" "$folder/truth" $map ${map}_std "$work/$phantom.nii.gz"; printf ' |'; done
  percent "$work/out" "$folder/truth" direction_scanner direction_cone "$work/$phantom.nii.gz"
  jq -r '.deviations | " | \(.porosity_std.median * 1e4 | round / 1e4) | \(.direction_cone.median * 10 | round / 10) |"' "$work/out/summary.json"
}

for phantom in mixed borders bundles sheet; do
  for snr in 20 10; do
    "$build/finegrain" simulate --phantom $phantom --orientation dispersed --snr $snr -o "$work/$phantom$snr" -q
  done
  "$build/bench/bench_uncertainty" borders "$work/${phantom}20/truth" "$work/$phantom.nii.gz"
done

if [ "$what" != exact ]; then
  echo "| phantom | SNR | fit | porosity | kappa | S0 | direction | porosity, borders | kappa, borders | direction, borders | median porosity_std [1] | median cone [degree] |"
  echo "|---|---|---|---|---|---|---|---|---|---|---|---|"
  for phantom in mixed borders bundles sheet; do
    for snr in 20 10; do
      row $phantom $snr pointwise --pointwise
      row $phantom $snr tikhonov --regularizer tikhonov
      row $phantom $snr tv --regularizer tv
      row $phantom $snr joint --regularizer joint
    done
  done
  row borders 20 "tv, epsilon 0.01" --regularizer tv --tv-epsilon 0.01
  for share in 0 0.05 0.3 1; do
    row borders 20 "tv, epsilon 0.01, share $share" --regularizer tv --tv-epsilon 0.01 --petsc "-uncertainty_share $share"
  done
  sigma=$(jq -e .Noise.Sigma "$work/borders20/dwi.json")
  for factor in 0.9 1.1; do
    wrong=$(jq -n "$factor * $sigma")
    row borders 20 "pointwise, $factor times the true noise level" --pointwise --sigma "$wrong"
    row borders 20 "tv, $factor times the true noise level" --regularizer tv --sigma "$wrong"
  done
  echo
fi

if [ "$what" != coverage ]; then
  for options in "--regularizer tikhonov --alpha 0.04" "--regularizer tv --alpha 0.5" "--regularizer tv --alpha 0.5 --tv-epsilon 0.01"; do
    echo "mixed, SNR 20, $options:"
    echo
    echo "| component | reported over exact: median (5 to 95 %) | of the estimate under repeated noise over exact | reported over pointwise | coverage, reported | coverage, exact | coverage, repeated noise |"
    echo "|---|---|---|---|---|---|---|"
    # shellcheck disable=SC2086
    "$build/bench/bench_uncertainty" exact "$work/mixed20/truth" "$work/mixed20/dwi.nii.gz" --orientation dispersed $options
    echo
  done
fi
