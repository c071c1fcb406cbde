#!/usr/bin/env bash
# Prints the tables of docs/noise.md: what the noise model is worth, how good the noise levels are that fit finds by itself, and what
# spoiled volumes do with and without --robust huber, on phantoms of known truth.
# Usage: bench/noise.sh BUILD_FOLDER
set -euo pipefail

build=$(realpath "${1:?usage: bench/noise.sh BUILD_FOLDER}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --build "$build" --target finegrain compare_maps spoil_volumes >&2
cd "$work"

simulate() { "$build/finegrain" simulate --phantom mixed --orientation dispersed -o sim --force -q "$@"; }
fit() { # DWI OPTION...: into out
  local code=0
  "$build/finegrain" fit "$1" --mask sim/dwi_mask.nii.gz --bval sim/dwi.bval --bvec sim/dwi.bvec -o out --force --orientation dispersed \
    --no-picture -q "${@:2}" || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 4 ] || return "$code"
}
porosity() { "$build/tests/compare_maps" rmse out/porosity.nii.gz sim/truth/porosity.nii.gz sim/truth/mask.nii.gz; }
angle() { "$build/tests/compare_maps" angle out/direction_scanner.nii.gz sim/truth/direction_scanner.nii.gz sim/truth/mask.nii.gz; }
true_sigma() { jq -r .Noise.Sigma sim/dwi.json; }

echo "Porosity RMSE [1] of the voxel by voxel fit, sigma given"
echo
echo "| noise in the data | b [s/mm^2] | SNR of b0 | gaussian | rician | ncchi |"
echo "|---|---|---|---|---|---|"
for coils in 1 4 16; do
  for shell in 1000 2500; do
    for snr in 20 10 5; do
      if [ $coils -eq 1 ]; then simulate --shell $shell --snr $snr --noise rician; else simulate --shell $shell --snr $snr --noise ncchi --coils $coils; fi
      printf '| %s | %s | %s' "$([ $coils -eq 1 ] && echo Rician || echo "$coils coils")" $shell $snr
      for noise in gaussian rician "ncchi --coils $coils"; do
        # shellcheck disable=SC2086
        fit sim/dwi.nii.gz --pointwise --sigma "$(true_sigma)" --noise $noise
        printf ' | %.4f' "$(porosity)"
      done
      echo " |"
    done
  done
done

echo
echo "Noise level found over the true one [1], model of the noise as in the data"
echo
echo "| noise in the data | b [s/mm^2] | SNR of b0 | --sigma b0 | --sigma residual | --robust huber --sigma b0 | --robust huber --sigma residual |"
echo "|---|---|---|---|---|---|---|"
for noise in gaussian rician "ncchi --coils 4" "ncchi --coils 16"; do
  for shell in 1000 2500; do
    for snr in 20 10 5; do
      # shellcheck disable=SC2086
      simulate --shell $shell --snr $snr --noise $noise
      printf '| %s | %s | %s' "$noise" $shell $snr
      for robust in none huber; do
        for from in b0 residual; do
          # shellcheck disable=SC2086
          if fit sim/dwi.nii.gz --pointwise --noise $noise --robust $robust --sigma $from 2>refused; then
            printf ' | %.3f' "$(jq ".noise.sigma_signal_units / $(true_sigma)" out/summary.json)"
          else # the residuals agree with no noise level
            printf ' | (none)'
          fi
        done
      done
      echo " |"
    done
  done
done

echo
echo "3 of 33 volumes lose 40 % of their signal in every other slice, SNR 20; everything chosen from the data"
echo
echo "| phantom | volumes | fit | robust | porosity RMSE [1] | median angle [degree] | alpha | volumes listed |"
echo "|---|---|---|---|---|---|---|---|"
for phantom in mixed borders; do
  simulate --phantom $phantom --snr 20
  "$build/tests/spoil_volumes" sim/dwi.nii.gz spoiled.nii.gz 0.6 5 12 27
  for volumes in sound spoiled; do
    for kind in pointwise tv; do
      for robust in none huber; do
        # shellcheck disable=SC2046
        fit $([ $volumes = sound ] && echo sim/dwi.nii.gz || echo spoiled.nii.gz) --robust $robust \
          $([ $kind = pointwise ] && echo --pointwise || echo --regularizer tv)
        printf '| %s | %s | %s | %s | %.4f | %.2f | %s | %s |\n' $phantom $volumes $kind $robust "$(porosity)" "$(angle)" \
          "$(jq -r '.weights.alpha // 0 | . * 1000 | round / 1000' out/summary.json)" \
          "$(jq -r 'if has("downweighted_volumes") then [.downweighted_volumes[].index] | join(", ") else "" end' out/summary.json)"
      done
    done
  done
done
