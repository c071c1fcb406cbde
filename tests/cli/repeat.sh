# config.yaml in the output folder repeats the run: the same maps to the bit, for fit and for simulate.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

expect_exit 0 "$FINEGRAIN" simulate --phantom borders --size 12,10,8 --spacing 2,2,3 --orientation dispersed --noise rician --snr 15 --seed 7 -o sim -q
expect_exit 0 "$FINEGRAIN" simulate --config sim/config.yaml -o sim_again -q
cmp sim/dwi.nii.gz sim_again/dwi.nii.gz

expect_exit 0 "$FINEGRAIN" fit sim/dwi.nii.gz -o out --orientation dispersed --noise rician --regularizer tv --fiber-diffusivity 1.2e-3,0.05e-3 -q
expect_exit 0 "$FINEGRAIN" fit --config out/config.yaml -o again -q
for map in out/*.nii.gz; do
  cmp "$map" "again/$(basename "$map")"
done
cmp out/picture.png again/picture.png

# What is given on the command line wins.
expect_exit 0 "$FINEGRAIN" fit --config out/config.yaml -o other --pointwise -q
[ "$("$COMPARE_MAPS" bitwise out/porosity.nii.gz other/porosity.nii.gz)" -gt 0 ] || fail "--pointwise did not win over config.yaml"
