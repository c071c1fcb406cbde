#!/usr/bin/env bash
# Prints the table of docs/weights.md: errors against the truth of phantoms for relative weights of direction and kappa, both
# regularizers, with the overall weight chosen from the data alone.
# Usage: bench/weights.sh BUILD_FOLDER
set -euo pipefail

build=$(realpath "${1:?usage: bench/weights.sh BUILD_FOLDER}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --build "$build" --target finegrain compare_maps >&2

errors() { # FOLDER TRUTH
  local map
  for map in porosity kappa; do
    printf ' | %.4f' "$("$build/tests/compare_maps" rmse "$1/$map.nii.gz" "$2/$map.nii.gz" "$2/mask.nii.gz")"
  done
  printf ' | %.2f' "$("$build/tests/compare_maps" angle "$1/direction_scanner.nii.gz" "$2/direction_scanner.nii.gz" "$2/mask.nii.gz")"
}

row() { # PHANTOM SNR NAME OPTION...
  local phantom=$1 snr=$2 name=$3 code=0 started=$EPOCHREALTIME
  shift 3
  timeout 120 "$build/finegrain" fit "$work/$phantom$snr/dwi.nii.gz" -o "$work/out" --force --orientation dispersed --no-picture -q "$@" || code=$?
  if [ "$code" -ne 0 ] && [ "$code" -ne 4 ]; then
    echo "| $phantom | $snr | $name | exit code $code | | | | |"
    return
  fi
  printf '| %s | %s | %s%s | %s%s | %.1f |\n' "$phantom" "$snr" "$name" "$([ $code -eq 0 ] || echo ' (target missed)')" \
    "$(jq -r '.weights.alpha // 0 | . * 1000 | round / 1000' "$work/out/summary.json")" "$(errors "$work/out" "$work/$phantom$snr/truth")" \
    "$(bc <<<"$EPOCHREALTIME - $started")"
}

echo "| phantom | SNR | fit | alpha | porosity RMSE [1] | kappa RMSE [1] | median angle [degree] | wall [s] |"
echo "|---|---|---|---|---|---|---|---|"
for phantom in mixed borders; do
  for snr in 20 10; do
    "$build/finegrain" simulate --phantom $phantom --orientation dispersed --snr $snr -o "$work/$phantom$snr" -q
    row $phantom $snr pointwise --pointwise
    row $phantom $snr tikhonov --regularizer tikhonov
    for direction in 1 3 5; do
      row $phantom $snr "tv, direction $direction" --regularizer tv --weight-direction $direction
    done
    row $phantom $snr "tv, direction 3, criterion discrepancy" --regularizer tv --weight-direction 3 --criterion discrepancy
    row $phantom $snr "tv, direction 3, kappa 0.5" --regularizer tv --weight-direction 3 --weight-kappa 0.5
  done
done
