# --closure table:FILE: a table of cell problems in simulate, fit and verify, on one and two ranks; the fit is that of the formula for the same
# array; the results name the table and its hash, and repeat the run; what the table does not hold is refused in one line.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

"$MAKE_TABLE" table.h5
"$MAKE_TABLE" zero.h5 zero
muscle=(--tissue muscle)

# The simulation's own signal is fitted, by the table and by Rayleigh's formula for the square array, which is exact to 0.7 % at most.
expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --size 10,9,8 "${muscle[@]}" --closure table:table.h5 --snr 50 -o sim -q
has sim/dwi.json '"table:table.h5"'
has sim/dwi.json "$(sha256sum table.h5 | cut -d' ' -f1)"
expect_exit 0 "$FINEGRAIN" fit sim/dwi.nii.gz "${muscle[@]}" --closure table:table.h5 --alpha 0.3 -o out -q --no-picture
expect_exit 0 "$FINEGRAIN" fit sim/dwi.nii.gz "${muscle[@]}" --closure rayleigh-square --alpha 0.3 -o formula -q --no-picture
expect_exit 0 "$COMPARE_MAPS" rmse out/porosity.nii.gz sim/truth/porosity.nii.gz sim/dwi_mask.nii.gz
below "$(cat stdout)" 0.05 "porosity error of the table's fit"
expect_exit 0 "$COMPARE_MAPS" rmse out/porosity.nii.gz formula/porosity.nii.gz sim/dwi_mask.nii.gz
below "$(cat stdout)" 0.01 "table against formula"

# Provenance, and the run again from its configuration, on two ranks.
jq -e --arg hash "$(sha256sum table.h5 | cut -d' ' -f1)" \
  '.Tissue.ClosureTable | .File == "table.h5" and .SHA256 == $hash and .LargestFiberFraction == 0.78' out/porosity.json >/dev/null ||
  fail "sidecar: $(cat out/porosity.json)"
jq -e '.provenance.Tissue.Closure == "table:table.h5" and .settings.closure == "table:table.h5"' out/summary.json >/dev/null || fail "summary.json"
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" fit --config out/config.yaml -o again -q
expect_exit 0 "$COMPARE_MAPS" rmse out/porosity.nii.gz again/porosity.nii.gz sim/dwi_mask.nii.gz
below "$(cat stdout)" 1e-5 "repeated on two ranks"

# Fiber fraction ends where the table does: 1 - 0.78.
jq -e '.parameters.porosity | .. | numbers | select(. < 0.2199)' out/summary.json >/dev/null && fail "porosity below the table's end"

# Derivatives, also for impermeable fibers near touching.
for options in "--tissue muscle --closure table:table.h5" "--closure table:zero.h5" "--closure table:zero.h5 --orientation aligned --noise rician"; do
  # shellcheck disable=SC2086
  expect_exit 0 "$FINEGRAIN" verify sim/dwi.nii.gz $options
  [ "$(grep -c ' PASS$' stdout)" -eq 7 ] || fail "$options: $(cat stdout)"
done

# The brain preset has impermeable fibers: contrast 0.
expect_exit 2 "$FINEGRAIN" fit sim/dwi.nii.gz --closure table:table.h5 -o never -q
one_line stderr
has stderr "table.h5: has the contrasts 0.001 to 1000, found 0"
has stderr "--sweep contrast=0,0.001:1000:13"
expect_exit 3 "$MPIEXEC" -n 2 "$FINEGRAIN" fit sim/dwi.nii.gz --closure table:none.h5 -o never -q
has stderr "none.h5"
head -c 5000 table.h5 >short.h5
expect_exit 3 "$FINEGRAIN" fit sim/dwi.nii.gz --closure table:short.h5 -o never -q
one_line stderr
has stderr "short.h5"
expect_exit 3 "$FINEGRAIN" fit sim/dwi.nii.gz --closure table:sim/dwi.nii.gz -o never -q
one_line stderr
has stderr "no HDF5 file"
expect_exit 2 "$FINEGRAIN" fit sim/dwi.nii.gz --closure table: -o never -q
one_line stderr
has stderr "table:FILE"
empty never

# Cell problems that were solved: the interpolation against others, solved between its points, away from where the voxels touch.
expect_exit 0 "$FINEGRAIN" homogenize --geometry square-cylinders --resolution 128 --sweep fraction=0.02:0.7:18 contrast=0.01:100:9 \
  --physics conduction -o solved.h5 -q
expect_exit 0 "$FINEGRAIN" homogenize --geometry square-cylinders --resolution 128 --sweep fraction=0.04:0.64:6 contrast=0.02,0.6,2,50 \
  --physics conduction -o between.h5 -q
expect_exit 0 "$COMPARE_TABLES" solved.h5 between.h5 0.7
[ "$(wc -l <stdout)" -eq 4 ] || fail "contrasts: $(cat stdout)"
while read -r contrast deviation; do below "$deviation" 0.005 "contrast $contrast: interpolated against solved"; done <stdout
expect_exit 0 "$FINEGRAIN" verify sim/dwi.nii.gz --tissue muscle --closure table:solved.h5
