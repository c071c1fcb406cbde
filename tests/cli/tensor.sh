# A tensor volume in the orders of the NIfTI standard, FSL and MRtrix is one tensor: fits of all three give the porosity and
# direction that made it.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

expect_exit 0 "$FINEGRAIN" simulate --phantom bundles --size 10,9,8 --spacing 2,2,3 --orientation dispersed --noise none -o sim -q
expect_exit 0 "$FINEGRAIN" fit sim/dwi.nii.gz -o dwi --orientation dispersed --pointwise --no-picture -q --sigma 1

fit() { # VOLUME OUT OPTION...
  local volume=$1 out=$2
  shift 2
  expect_exit 0 "$FINEGRAIN" fit "$volume" -o "$out" --mask dwi/mask.nii.gz --orientation dispersed --pointwise --no-picture \
    --sigma 1e-6 -q "$@"
  for map in porosity kappa; do
    found=$("$COMPARE_MAPS" rmse "$out/$map.nii.gz" sim/truth/$map.nii.gz dwi/mask.nii.gz)
    awk "BEGIN { exit !($found < 1e-4) }" || fail "$volume: $map is $found away from the truth"
  done
  found=$("$COMPARE_MAPS" angle "$out/direction_scanner.nii.gz" sim/truth/direction_scanner.nii.gz dwi/mask.nii.gz)
  awk "BEGIN { exit !($found < 0.05) }" || fail "$volume: directions are $found degrees away from the truth"
}

fit dwi/tensor.nii.gz nifti # its header says what it is
for order in fsl mrtrix; do
  python3 "$SOURCE/tests/cli/reorder_tensor.py" dwi/tensor.nii.gz $order $order.nii.gz
  fit $order.nii.gz fit_$order --tensor-order $order
done

# An order that nothing tells is asked for, and a wrong one gives another answer.
expect_exit 2 "$FINEGRAIN" fit fsl.nii.gz -o x --mask dwi/mask.nii.gz --model tensor --pointwise -q
one_line stderr
has stderr "--tensor-order"
expect_exit 0 "$FINEGRAIN" fit fsl.nii.gz -o wrong --mask dwi/mask.nii.gz --tensor-order mrtrix --pointwise --no-picture -q --orientation dispersed --sigma 1e-6
found=$("$COMPARE_MAPS" angle wrong/direction_scanner.nii.gz sim/truth/direction_scanner.nii.gz dwi/mask.nii.gz)
awk "BEGIN { exit !($found > 5) }" || fail "the wrong order makes no difference"
