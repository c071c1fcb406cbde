# One and two ranks: voxel by voxel maps equal to the bit, regularized ones to 1e-6 of their size.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

maps="porosity kappa S0 FA MD chi2 tensor"

expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --size 14,12,10 --orientation dispersed --snr 20 -o sim -q
fits() { # NAME OPTION...
  local name=$1
  shift
  expect_exit 0 "$FINEGRAIN" fit sim/dwi.nii.gz -o "$name"1 --orientation dispersed --no-picture -q "$@"
  expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" fit sim/dwi.nii.gz -o "$name"2 --orientation dispersed --no-picture -q "$@"
}

fits pointwise --pointwise
for map in $maps status direction_scanner direction_fsl; do
  found=$("$COMPARE_MAPS" bitwise "pointwise1/$map.nii.gz" "pointwise2/$map.nii.gz")
  [ "$found" = 0 ] || fail "pointwise $map: $found values differ between 1 and 2 ranks"
done

for case in "tikhonov 0.1" "tv 0.3" "tikhonov auto" "tv auto"; do
  read -r regularizer alpha <<<"$case"
  fits "$regularizer$alpha" --regularizer "$regularizer" --alpha "$alpha"
  for map in $maps; do
    found=$("$COMPARE_MAPS" relative "$regularizer${alpha}1/$map.nii.gz" "$regularizer${alpha}2/$map.nii.gz")
    awk "BEGIN { exit !($found <= 1e-6) }" || fail "$case: $map differs by $found of its size between 1 and 2 ranks"
  done
done
