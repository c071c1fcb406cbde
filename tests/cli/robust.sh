# Volumes spoiled by motion: 3 of 33 lose 40 % of their signal in every other slice. --robust huber finds them, brings porosity back to
# within 1.3 of the error on sound data, where least squares does worse; on sound data it lists nothing and costs less than 10 %.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

rmse() { "$COMPARE_MAPS" rmse "$1/porosity.nii.gz" sim/truth/porosity.nii.gz sim/truth/mask.nii.gz; }
fit() { # FOLDER DWI OPTION...
  local folder=$1 dwi=$2
  shift 2
  expect_exit 0 "$FINEGRAIN" fit "$dwi" --mask sim/dwi_mask.nii.gz --bval sim/dwi.bval --bvec sim/dwi.bvec -o "$folder" \
    --orientation dispersed --no-picture "$@"
  mv stdout "$folder/stdout"
}
ratio() { awk "BEGIN { print $1 / $2 }"; }
low() { jq -c '[.downweighted_volumes[].index]' "$1/summary.json"; }

expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --orientation dispersed --snr 20 -o sim -q
"$SPOIL_VOLUMES" sim/dwi.nii.gz weighted.nii.gz 0.6 5 12 27
"$SPOIL_VOLUMES" sim/dwi.nii.gz with_b0.nii.gz 0.6 1 12 27

# In all that follows the weight and the noise level are the program's own choice.
for kind in pointwise field; do
  option=$([ $kind = field ] && echo --regularizer tv --criterion gcv || echo --pointwise)
  # shellcheck disable=SC2086
  {
    fit sound_$kind sim/dwi.nii.gz $option
    fit sound_huber_$kind sim/dwi.nii.gz $option --robust huber
    fit weighted_$kind weighted.nii.gz $option
    fit weighted_huber_$kind weighted.nii.gz $option --robust huber
  }
  sound=$(rmse sound_$kind)
  below "$(ratio "$(rmse sound_huber_$kind)" "$sound")" 1.1 "$kind, sound data: porosity error, huber over least squares"
  below "$(ratio "$(rmse weighted_huber_$kind)" "$sound")" 1.3 "$kind, spoiled: porosity error, huber over that on sound data"
  below "$(ratio "$(rmse weighted_huber_$kind)" "$(rmse weighted_$kind)")" 0.9 "$kind, spoiled: porosity error, huber over least squares"
  [ "$(low sound_huber_$kind)" = "[]" ] || fail "$kind: sound volumes are listed: $(low sound_huber_$kind)"
  [ "$(low weighted_huber_$kind)" = "[5,12,27]" ] || fail "$kind: listed $(low weighted_huber_$kind), expected [5,12,27]"
  [ "$(jq 'has("robust") or has("downweighted_volumes")' sound_$kind/summary.json)" = false ] || fail "weights of a fit that is not robust"
done
has weighted_huber_field/stdout "robust   3 of 33 volumes"
has weighted_huber_field/stdout "5 (b 1000, 0."
lacks sound_field/stdout "robust"
jq -e '.robust | .threshold == 1.345 and (.mean_weights | length) == 33 and .expected_mean_weight > 0.955 and .expected_mean_weight < 0.965' \
  weighted_huber_field/summary.json >/dev/null || fail "robust: $(jq .robust weighted_huber_field/summary.json)"
above "$(jq '.robust.mean_weights | add / length' sound_huber_pointwise/summary.json)" 0.95 "mean weight of sound data"
below "$(jq '.robust.mean_weights | add / length' sound_huber_pointwise/summary.json)" 0.98 "mean weight of sound data"

# Standard deviations come from the weighted Hessian: 95 % intervals of porosity.
covered() {
  mrcalc -quiet -force "$1/porosity.nii.gz" sim/truth/porosity.nii.gz -sub "$1/porosity_std.nii.gz" -div -abs 1.96 -lt covered.nii.gz
  mrstats -quiet covered.nii.gz -mask sim/dwi_mask.nii.gz -output mean
}
command -v mrcalc mrstats >/dev/null || fail "mrcalc or mrstats of MRtrix is absent: scripts/install-deps test"
above "$(covered sound_huber_pointwise)" 0.93 "sound: 95 % intervals that hold the true porosity"
below "$(covered sound_huber_pointwise)" 0.97 "sound: 95 % intervals that hold the true porosity"
above "$(covered weighted_huber_pointwise)" 0.9 "spoiled: 95 % intervals that hold the true porosity"

# What outliers leave is not taken for a noise that must be smoothed away.
alpha() { jq .weights.alpha "$1/summary.json"; }
above "$(ratio "$(alpha weighted_huber_field)" "$(alpha sound_field)")" 0.7 "weight, spoiled and huber over sound"
below "$(ratio "$(alpha weighted_huber_field)" "$(alpha sound_field)")" 1.4 "weight, spoiled and huber over sound"

# A spoiled b0 volume neither sets the noise level nor hides.
fit with_b0 with_b0.nii.gz --pointwise --robust huber
[ "$(low with_b0)" = "[1,12,27]" ] || fail "listed $(low with_b0), expected [1,12,27]"
sigma=$(sed -n 's/.*"Sigma": \([0-9.]*\).*/\1/p' sim/dwi.json)
for from in b0 residual; do
  fit level weighted.nii.gz --pointwise --robust huber --sigma $from --force
  above "$(ratio "$(jq .noise.sigma_signal_units level/summary.json)" "$sigma")" 0.95 "noise level from $from, spoiled data, over the true one"
  below "$(ratio "$(jq .noise.sigma_signal_units level/summary.json)" "$sigma")" 1.15 "noise level from $from, spoiled data, over the true one"
done

# A real brain: nothing is listed as it is, and what is spoiled is, a b0 volume among it.
brain=$SOURCE/examples/brain
"$SPOIL_VOLUMES" "$brain/dwi.nii.gz" brain.nii.gz 0.6 3 9 12
for volume in "$brain/dwi.nii.gz" brain.nii.gz; do
  expect_exit 0 "$FINEGRAIN" fit "$volume" --mask "$brain/dwi_mask.nii.gz" --bval "$brain/dwi.bval" --bvec "$brain/dwi.bvec" -o brain --force \
    --pointwise --robust huber --no-picture
  echo "brain: $(jq -c '.robust.mean_weights | map(. * 100 | round / 100)' brain/summary.json)"
  [ "$(low brain)" = "$([ "$volume" = brain.nii.gz ] && echo "[3,9,12]" || echo "[]")" ] || fail "$volume: listed $(low brain)"
done

# The number of ranks changes nothing, a threshold that nothing reaches is least squares, and the derivatives are right.
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" fit weighted.nii.gz --mask sim/dwi_mask.nii.gz --bval sim/dwi.bval --bvec sim/dwi.bvec -o two \
  --orientation dispersed --no-picture --pointwise --robust huber -q
[ "$(low two)" = "[5,12,27]" ] || fail "2 ranks: listed $(low two)"
[ "$("$COMPARE_MAPS" bitwise two/porosity.nii.gz weighted_huber_pointwise/porosity.nii.gz)" -eq 0 ] || fail "2 ranks: another porosity"
fit high weighted.nii.gz --pointwise --robust huber --huber-threshold 1000 --sigma 50
fit none weighted.nii.gz --pointwise --sigma 50
below "$("$COMPARE_MAPS" rmse high/porosity.nii.gz none/porosity.nii.gz)" 1e-6 "porosity, threshold 1000 against least squares"
expect_exit 0 "$FINEGRAIN" verify weighted.nii.gz --mask sim/dwi_mask.nii.gz --bval sim/dwi.bval --bvec sim/dwi.bvec \
  --orientation dispersed --robust huber --regularizer tv
