# How sure a fit says it is, held against phantoms of known truth: 95 % intervals of the pointwise fit cover 92 to 98 % where no bound is
# active, and those of regularized fits at least 85 % over the whole of a phantom with borders. Tables: docs/uncertainty.md.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

# coverage FOLDER TRUTH MAP [DEVIATION]
coverage() { "$COMPARE_MAPS" coverage "$1/$3.nii.gz" "$2/$3.nii.gz" "$1/${4:-$3_std}.nii.gz" "$1/status.nii.gz"; }
# covers LOW HIGH FOLDER TRUTH MAP...
covers() {
  local low=$1 high=$2 folder=$3 truth=$4 map share
  shift 4
  for map; do
    if [ "$map" = direction_scanner ]; then share=$(coverage "$folder" "$truth" "$map" direction_cone); else share=$(coverage "$folder" "$truth" "$map"); fi
    above "$share" "$low" "$folder, coverage of $map"
    below "$share" "$high" "$folder, coverage of $map"
  done
}
median() { jq ".deviations.$2.median" "$1/summary.json"; }

for snr in 20 40; do
  expect_exit 0 "$FINEGRAIN" simulate --phantom bundles --orientation dispersed --snr $snr --seed 3 -o sim$snr -q
  expect_exit 0 "$FINEGRAIN" fit sim$snr/dwi.nii.gz -o p$snr --orientation dispersed --pointwise --no-picture -q
  covers 0.92 0.98 p$snr sim$snr/truth porosity kappa S0 direction_scanner MD FA
done

# A free tensor has the cone of its eigenvector.
expect_exit 0 "$FINEGRAIN" fit sim20/dwi.nii.gz -o dti --model dti --pointwise --no-picture -q
covers 0.92 0.98 dti sim20/truth S0 direction_scanner MD FA

# The maps are in units of the noise that was assumed.
sigma=$(jq .noise.sigma_signal_units p20/summary.json)
expect_exit 0 "$FINEGRAIN" fit sim20/dwi.nii.gz -o twice --sigma "$(jq -n "2 * $sigma")" --orientation dispersed --pointwise --no-picture -q
above "$(jq -n "$(median twice porosity_std) / $(median p20 porosity_std)")" 1.99 "porosity_std at twice the noise"
below "$(jq -n "$(median twice porosity_std) / $(median p20 porosity_std)")" 2.01 "porosity_std at twice the noise"

# Regularized fits are surer, and not by closing their eyes: also where the corner of total variation is hardly smoothed.
expect_exit 0 "$FINEGRAIN" simulate --phantom borders --orientation dispersed --snr 20 -o borders -q
while read -r name options; do
  # shellcheck disable=SC2086
  expect_exit 0 "$FINEGRAIN" fit borders/dwi.nii.gz -o "$name" --orientation dispersed --no-picture -q $options
  covers 0.85 1.0001 "$name" borders/truth porosity kappa S0 direction_scanner
  below "$(median "$name" porosity_std)" "$(median p20 porosity_std)" "$name, porosity_std against the pointwise one"
done <<END
tikhonov --regularizer tikhonov --alpha 0.04
tv --regularizer tv --alpha 0.6
sharp --regularizer tv --alpha 0.6 --tv-epsilon 0.01
END

# What is known of a voxel does not depend on the number of ranks.
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" fit borders/dwi.nii.gz -o two --orientation dispersed --no-picture -q --regularizer tv --alpha 0.6
for map in porosity_std S0_std direction_cone FA_std; do
  below "$("$COMPARE_MAPS" relative two/$map.nii.gz tv/$map.nii.gz)" 1e-3 "$map on two ranks"
done
