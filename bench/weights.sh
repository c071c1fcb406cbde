#!/usr/bin/env bash
# Prints the tables of docs/weights.md: errors against the truth of phantoms with all weights chosen from the data alone; where that choice
# stands on the curve of the error; a noise level that is wrong; what a search costs.
# Usage: bench/weights.sh BUILD_FOLDER [choice|curve|sigma|cost ...]
set -euo pipefail

build=$(realpath "${1:?usage: bench/weights.sh BUILD_FOLDER [choice|curve|sigma|cost ...]}")
shift
tables=("${@:-choice}")
[ $# -gt 0 ] || tables=(choice curve sigma cost)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --build "$build" --target finegrain compare_maps >&2

make() { # PHANTOM SNR [VOLUMES]: simulated once
  local folder=$work/$1-$2-${3:-33}
  [ -d "$folder" ] || "$build/finegrain" simulate --phantom "$1" --orientation dispersed --snr "$2" --directions $((${3:-33} - 3)) -o "$folder" -q
  echo "$folder"
}

fit() { # FOLDER OPTION...: into $work/out; the summary's numbers stay there
  local code=0 from=$1
  shift
  timeout 200 "$build/finegrain" fit "$from/dwi.nii.gz" -o "$work/out" --force --orientation dispersed --no-picture -q "$@" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 4 ] || exit "$code"
}

rmse() { "$build/tests/compare_maps" rmse "$work/out/$2.nii.gz" "$1/truth/$2.nii.gz" "$1/truth/mask.nii.gz"; }
angle() { "$build/tests/compare_maps" angle "$work/out/direction_scanner.nii.gz" "$1/truth/direction_scanner.nii.gz" "$1/truth/mask.nii.gz"; }
errors() { printf ' %.4f | %.4f | %.2f |' "$(rmse "$1" porosity)" "$(rmse "$1" kappa)" "$(angle "$1")"; }
number() { jq -r "$1 * 1000 | round / 1000" "$work/out/summary.json"; }
weights() { jq -r '.weights | "\(.alpha * 100 | round / 100): " + ([.relative[] * 100 | round / 100 | tostring] | join(", "))' "$work/out/summary.json"; }

choice() {
  echo "| phantom | SNR | volumes | fit | alpha: porosity, kappa, direction, S0 | porosity RMSE [1] | kappa RMSE [1] | median angle [degree] |"
  echo "|---|---|---|---|---|---|---|---|"
  local phantom snr volumes from
  for phantom in mixed borders bundles sheet; do
    for snr in 40 20 10; do
      for volumes in 33 64; do
        [ "$volumes" = 33 ] || [ "$snr" = 20 ] || continue
        from=$(make $phantom $snr $volumes)
        fit "$from" --pointwise
        echo "| $phantom | $snr | $volumes | pointwise | |$(errors "$from")"
        row() {
          local name=$1
          shift
          fit "$from" "$@"
          echo "| $phantom | $snr | $volumes | $name | $(weights) |$(errors "$from")"
        }
        row "joint" --regularizer joint
        row "joint, ratios 1" --regularizer joint --weight-porosity 1 --weight-kappa 1 --weight-direction 1 --weight-s0 1
        row "tv" --regularizer tv
        row "tv, gcv" --regularizer tv --criterion gcv
        row "tv, discrepancy" --regularizer tv --criterion discrepancy
        row "tikhonov" --regularizer tikhonov
      done
    done
  done
}

curve() {
  echo "| phantom | SNR | fit | alpha | porosity RMSE [1] | kappa RMSE [1] | median angle [degree] |"
  echo "|---|---|---|---|---|---|---|"
  local phantom snr alpha factor from found regularizer
  for phantom in mixed bundles; do
    for snr in 20 10; do
      from=$(make $phantom $snr)
      for regularizer in joint tv; do
        fit "$from" --regularizer $regularizer
        found=$(jq -r .weights.alpha "$work/out/summary.json")
        mapfile -t ratios < <(jq -r '.weights.relative | to_entries[] | "--weight-\(.key)", "\(.value)"' "$work/out/summary.json")
        for factor in 0.25 0.5 0.71 1 1.41 2 4; do
          alpha=$(bc -l <<<"$found * $factor")
          fit "$from" --regularizer $regularizer --alpha "$alpha" "${ratios[@]}"
          printf '| %s | %s | %s | %.3g%s |%s\n' $phantom $snr $regularizer "$alpha" "$([ $factor != 1 ] || echo ' (chosen)')" "$(errors "$from")"
        done
      done
    done
  done
}

sigma() {
  echo "| phantom | SNR | fit | sigma assumed over true | alpha | porosity RMSE [1] | kappa RMSE [1] | median angle [degree] |"
  echo "|---|---|---|---|---|---|---|---|"
  local phantom snr factor from given true_sigma regularizer
  for phantom in mixed bundles; do
    for snr in 20 10; do
      from=$(make $phantom $snr)
      true_sigma=$(jq -r .Noise.Sigma "$from/dwi.json")
      for regularizer in "joint" "tv" "tv --criterion discrepancy"; do
        for factor in 0.9 0.95 1 1.05 1.1; do
          given=$(bc -l <<<"$true_sigma * $factor")
          # shellcheck disable=SC2086
          fit "$from" --regularizer $regularizer --sigma "$given"
          echo "| $phantom | $snr | ${regularizer/ --criterion/,} | $factor | $(number .weights.alpha) |$(errors "$from")"
        done
      done
    done
  done
}

# CPU of the search with its last solve, over that of one solve at the weights it found from the pointwise fit on.
cost() {
  echo "| phantom | SNR | fit | solves | sweeps, all | sweeps, one solve | CPU, all [s] | CPU, one solve [s] | ratio |"
  echo "|---|---|---|---|---|---|---|---|---|"
  local phantom snr regularizer from all one solves sweeps
  for phantom in mixed bundles; do
    for snr in 20 10; do
      from=$(make $phantom $snr)
      for regularizer in joint tv tikhonov; do
        fit "$from" --regularizer $regularizer
        all=$(jq -r .seconds.cpu_rank_0.field "$work/out/summary.json")
        solves=$(jq -r '.weights.curve | length' "$work/out/summary.json")
        sweeps=$(jq -r .counts.sweeps "$work/out/summary.json")
        mapfile -t ratios < <(jq -r '.weights | "--alpha", "\(.alpha)", (.relative | to_entries[] | "--weight-\(.key)", "\(.value)")' "$work/out/summary.json")
        fit "$from" --regularizer $regularizer "${ratios[@]}"
        one=$(jq -r .seconds.cpu_rank_0.field "$work/out/summary.json")
        printf '| %s | %s | %s | %s | %s | %s | %.2f | %.2f | %.1f |\n' $phantom $snr $regularizer "$solves" "$sweeps" \
          "$(jq -r .counts.sweeps "$work/out/summary.json")" "$all" "$one" "$(bc -l <<<"$all / $one")"
      done
    done
  done
}

first=1
for table in "${tables[@]}"; do
  [ $first = 1 ] || echo
  first=0
  "$table"
done
