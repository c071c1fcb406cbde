# finegrain simulate, and what regularization is worth: with the weight chosen from the data alone, the field's porosity and direction
# are at least twice as near to the truth as those of the voxel by voxel fit, at SNR 20 and 10. Numbers of this run: docs/weights.md.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

rmse() { "$COMPARE_MAPS" rmse "$1/$2.nii.gz" "$3/truth/$2.nii.gz" "$3/truth/mask.nii.gz"; }
angle() { "$COMPARE_MAPS" angle "$1/direction_scanner.nii.gz" "$2/truth/direction_scanner.nii.gz" "$2/truth/mask.nii.gz"; }
# at_most NUMBER FACTOR REFERENCE WHAT
at_most() { awk "BEGIN { exit !($1 <= $2 * $3) }" || fail "$4: $1, expected at most $2 x $3"; }

# The result does not depend on the number of ranks, the seed decides on the noise, and nothing is overwritten.
expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --size 24,24,16 --directions 30 --b0 3 --orientation dispersed --snr 20 -o sim20
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" simulate --phantom mixed --orientation dispersed --snr 20 -o again -q
cmp sim20/dwi.nii.gz again/dwi.nii.gz
cmp sim20/truth/tensor.nii.gz again/truth/tensor.nii.gz
expect_exit 2 "$FINEGRAIN" simulate --phantom mixed -o sim20 -q
has stderr "--force"
expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --orientation dispersed --snr 20 --seed 2 -o again --force -q
[ "$("$COMPARE_MAPS" bitwise sim20/dwi.nii.gz again/dwi.nii.gz sim20/dwi_mask.nii.gz)" -gt 200000 ] || fail "the seed does not change the noise"

# The noise has the size asked for: the difference of two seeds has twice its variance.
sigma=$(sed -n 's/.*"Sigma": \([0-9.]*\).*/\1/p' sim20/dwi.json)
difference=$("$COMPARE_MAPS" rmse sim20/dwi.nii.gz again/dwi.nii.gz sim20/dwi_mask.nii.gz)
awk "BEGIN { r = $difference / ($sigma * sqrt(2)); exit !(r > 0.99 && r < 1.01) }" || fail "sigma $sigma, difference of seeds $difference"

# Rician noise never makes a signal negative, and lifts what is small.
expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --noise rician --snr 5 -o rician -q
jq -e '.Range[0] >= 0' rician/dwi.json >/dev/null || fail "Rician signal below 0"

# Maps as truth give back the signal that they came from, with the frames and the orientation model that they hold.
for orientation in aligned dispersed orthotropic; do
  expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --noise none --orientation $orientation -o one --force -q
  rm -rf two
  expect_exit 0 "$FINEGRAIN" simulate --truth one/truth --bval one/dwi.bval --bvec one/dwi.bvec --noise none -o two -q
  at_most "$("$COMPARE_MAPS" relative two/dwi.nii.gz one/dwi.nii.gz)" 1 1e-6 "signal of maps, $orientation"
  rm -r one
done

# Truths that cannot be used.
expect_exit 3 "$FINEGRAIN" simulate --truth nowhere -o x -q
one_line stderr
has stderr "nowhere/mask.nii.gz"
cp -r sim20/truth bad
cp bad/S0.nii.gz bad/porosity.nii.gz
expect_exit 3 "$FINEGRAIN" simulate --truth bad -o x -q
one_line stderr
has stderr "bad/porosity.nii.gz"
has stderr "0 to 1 [1]"
empty x

expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --orientation dispersed --snr 10 -o sim10 -q
for snr in 20 10; do
  expect_exit 0 "$FINEGRAIN" fit sim$snr/dwi.nii.gz -o p$snr --orientation dispersed --pointwise --no-picture -q
  expect_exit 0 "$FINEGRAIN" fit sim$snr/dwi.nii.gz -o f$snr --orientation dispersed --regularizer tv --alpha auto --no-picture -q
  at_most "$(rmse f$snr porosity sim$snr)" 0.5 "$(rmse p$snr porosity sim$snr)" "porosity error, tv, SNR $snr"
  at_most "$(angle f$snr sim$snr)" 0.5 "$(angle p$snr sim$snr)" "direction error, tv, SNR $snr"
  # Borders in common: a third.
  expect_exit 0 "$FINEGRAIN" fit sim$snr/dwi.nii.gz -o j$snr --orientation dispersed --regularizer joint --alpha auto --no-picture -q
  at_most "$(rmse j$snr porosity sim$snr)" 0.35 "$(rmse p$snr porosity sim$snr)" "porosity error, joint, SNR $snr"
  at_most "$(angle j$snr sim$snr)" 0.35 "$(angle p$snr sim$snr)" "direction error, joint, SNR $snr"
  # Tikhonov smooths across borders: better than voxel by voxel, but not twice.
  expect_exit 0 "$FINEGRAIN" fit sim$snr/dwi.nii.gz -o t$snr --orientation dispersed --regularizer tikhonov --alpha auto --no-picture -q
  at_most "$(rmse t$snr porosity sim$snr)" 0.95 "$(rmse p$snr porosity sim$snr)" "porosity error, tikhonov, SNR $snr"
  at_most "$(angle t$snr sim$snr)" 0.95 "$(angle p$snr sim$snr)" "direction error, tikhonov, SNR $snr"
done

# As few samples as the default orientation model has unknowns: the next simpler one is taken, unless one is asked for.
expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --size 10,10,8 --directions 6 --b0 1 --orientation dispersed -o few -q
expect_exit 0 "$FINEGRAIN" fit few/dwi.nii.gz -o few_fit --pointwise
has stdout "dispersed"
expect_exit 3 "$FINEGRAIN" fit few/dwi.nii.gz -o few_fit --force --pointwise --orientation orthotropic -q
one_line stderr
