# finegrain verify: all checks pass on one and two ranks, for every closure, orientation, regularizer and noise model; what it says is in
# the JSON file too.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --size 10,9,8 --orientation dispersed --noise rician --snr 15 -o sim -q
passes() {
  expect_exit 0 "$@" --json checks.json
  [ "$(grep -c ' PASS$' stdout)" -eq 7 ] || fail "$*: $(cat stdout)"
  jq -e '.passed and (.checks | length == 7) and all(.checks[]; .passed)' checks.json >/dev/null || fail "$*: $(cat checks.json)"
}
passes "$FINEGRAIN" verify sim/dwi.nii.gz
passes "$MPIEXEC" -n 2 "$FINEGRAIN" verify sim/dwi.nii.gz --regularizer tv --noise rician
for closure in series laminate hs2d rayleigh-square rayleigh-hex; do
  passes "$FINEGRAIN" verify sim/dwi.nii.gz --closure $closure --orientation dispersed --fiber-diffusivity 1.2e-3,0.1e-3 \
    --regularizer tv --alpha 0.3
done
for orientation in aligned orthotropic; do
  passes "$FINEGRAIN" verify sim/dwi.nii.gz --orientation $orientation --noise rician --regularizer tikhonov
done

# Electrode voltages: conductivity, a closure's porosity, porosity and direction.
expect_exit 0 "$FINEGRAIN" simulate --eit --elements 1500 -o tank.h5 -q
passes "$FINEGRAIN" verify tank.h5 --elements 1000
passes "$MPIEXEC" -n 2 "$FINEGRAIN" verify tank.h5 --elements 700 --order 2 --closure hs2d --direction 1,0,0 --regularizer tikhonov
passes "$FINEGRAIN" verify tank.h5 --elements 700 --closure hs2d --direction 1,0,0 --unknowns porosity,direction

# Series across insulating fibers (radial 0) jumps from 0 to the matrix value where the last fiber goes: no derivative, and verify says so.
expect_exit 0 "$FINEGRAIN" simulate --phantom mixed --size 10,10,8 -o fluid -q
expect_exit 4 "$FINEGRAIN" verify fluid/dwi.nii.gz --closure series --orientation aligned --fiber-diffusivity 1.2e-3,0
has stdout "FAIL"
has stdout "do not trust"

expect_exit 3 "$FINEGRAIN" verify nothing.nii.gz -q
one_line stderr
has stderr "nothing.nii.gz"
