# Impedance tomography from the command line: simulate, info, fit, import; what is refused; two ranks.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

# Value of a one-slice map of 64 x 64 voxels at x, y [mm], read by the NIfTI standard alone.
value() { # MAP X Y
  python3 - "$@" <<'PYTHON'
import gzip, struct, sys
data = gzip.open(sys.argv[1]).read()
nx, ny = struct.unpack_from("2h", data, 42)
(ax, _, _, ox), (_, ay, _, oy) = struct.unpack_from("4f", data, 280), struct.unpack_from("4f", data, 296)
i, j = round((float(sys.argv[2]) - ox) / ax), round((float(sys.argv[3]) - oy) / ay)
assert (nx, ny) == (64, 64) and ax > 0 and ay > 0, "x to the right, y up"
print(struct.unpack_from("f", data, 352 + 4 * (j * nx + i))[0])
PYTHON
}

refused() { # CODE TEXT COMMAND...: one line with this text
  local code=$1 text=$2
  shift 2
  expect_exit "$code" "$@" -q
  one_line stderr
  has stderr "$text"
}

simulate() { expect_exit 0 "$FINEGRAIN" simulate --eit "$@" -q; }
tank=(--electrode-count 12 --elements 3000 --pattern all-against-first)
simulate "${tank[@]}" --inclusions disc=0.04,0.03,0.025,3 ellipse=-0.04,-0.02,0.03,0.02,30,0.2 --reference --seed 3 -o sim.h5
{ [ -s sim_truth.nii.gz ] && jq -e '.Units == "S/m"' sim_truth.json >/dev/null; } || fail "truth: $(ls)"
refused 2 "sim.h5 exists already" "$FINEGRAIN" simulate --eit -o sim.h5

expect_exit 0 "$FINEGRAIN" info sim.h5 --json info.json
has stdout "11 of current, 11 independent"
jq -e '.Electrodes == 12 and .IndependentPatterns == 11 and .Reference and .MissingVoltages == 0' info.json >/dev/null || fail "$(cat info.json)"

# The calibrated difference is the default where there is a reference; both inclusions are found where they are.
small=(--elements 900 --order 1 --grid 64x64)
expect_exit 0 "$FINEGRAIN" fit sim.h5 -o out "${small[@]}" --model-error 0.02 --json summary.json
has stdout "calibrated"
above "$(value out/conductivity.nii.gz 40 30)" 1.7 "conductive inclusion [S/m]"
below "$(value out/conductivity.nii.gz -40 -20)" 0.45 "resistive inclusion [S/m]"
below "$(value out/conductivity.nii.gz 0 80)" 1.1 "background [S/m]"
above "$(value out/conductivity.nii.gz 0 80)" 0.9 "background [S/m]"
below "$(jq '.background.conductivity_S_per_m' summary.json)" 1.02 "background fitted to the reference [S/m]"
above "$(jq '.background.conductivity_S_per_m' summary.json)" 0.98 "background fitted to the reference [S/m]"
above "$(value out/conductivity_std.nii.gz 40 30)" 0.001 "standard deviation in an inclusion [S/m]"
below "$(value out/conductivity_std.nii.gz 40 30)" 1 "standard deviation in an inclusion [S/m]"
below "$(jq '.fit.reduced_chi2' summary.json)" 1.3 "reduced chi-squared of the chosen weight"
jq -e '.weights.searched and .weights.target_reached and .solver.converged and .data.mode == "calibrated"' summary.json >/dev/null ||
  fail "$(jq '.weights, .solver' summary.json)"
below "$(jq '.counts.factorizations' summary.json)" 26 "factorizations of an inversion"
for map in conductivity conductivity_change conductivity_std status mask; do
  jq -e '.Units and .Description and .Version and .Closure == "isotropic" and (.Sources[0].SHA256 | length == 64)' out/$map.json >/dev/null ||
    fail "$map.json: $(cat out/$map.json)"
done
for file in picture.png result.xdmf result.h5 config.yaml log.txt; do [ -s out/$file ] || fail "$file is missing"; done
jq -e '.Units == "S/m"' out/conductivity.json >/dev/null || fail "unit of conductivity"
refused 2 "exists already" "$FINEGRAIN" fit sim.h5 -o out

# config.yaml repeats the run; two ranks find the same.
expect_exit 0 "$FINEGRAIN" fit --config out/config.yaml -o again -q
cmp out/conductivity.nii.gz again/conductivity.nii.gz
given=(--alpha 2 --tolerance 0.01 "${small[@]}" --no-picture -q)
expect_exit 0 "$FINEGRAIN" fit sim.h5 -o one "${given[@]}"
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" fit sim.h5 -o two "${given[@]}"
below "$("$COMPARE_MAPS" relative one/conductivity.nii.gz two/conductivity.nii.gz)" 0.01 "two ranks against one"
below "$("$COMPARE_MAPS" relative one/conductivity_std.nii.gz two/conductivity_std.nii.gz)" 0.01 "two ranks against one, standard deviations"
[ ! -e one/picture.png ] || fail "--no-picture draws"

# Other ways to take the data; electrodes that are not connected.
expect_exit 0 "$FINEGRAIN" fit sim.h5 -o absolute --data absolute "${given[@]}"
[ ! -e absolute/conductivity_change.nii.gz ] || fail "a change without a reference"
above "$(value absolute/conductivity.nii.gz 40 30)" 1.5 "conductive inclusion from the voltages themselves [S/m]"
expect_exit 0 "$FINEGRAIN" fit sim.h5 -o difference --data difference "${given[@]}"
below "$(value difference/conductivity_change.nii.gz -40 -20)" -0.5 "log change of the resistive inclusion [1]"
expect_exit 0 "$FINEGRAIN" fit sim.h5 -o drop --drop-electrodes 5,6 "${given[@]}" --json drop.json
[ "$(jq '.data.fitted' drop.json)" -lt "$(jq '.data.fitted' summary.json)" ] || fail "dropped electrodes still measure"
refused 2 "--drop-electrodes: found '13'" "$FINEGRAIN" fit sim.h5 -o no --drop-electrodes 13

# A closure: porosity with the fiber direction held, by a constant or by a map.
simulate "${tank[@]}" --closure hs2d --direction 1,1,0 --porosity 0.6 --inclusions disc=0.04,0.03,0.025,0.9 --noise none -o porous.h5
tissue=(--closure hs2d --direction "1,1,0" --noise-relative 1e-3 --noise-absolute 1e-6)
expect_exit 0 "$FINEGRAIN" fit porous.h5 -o porous "${tissue[@]}" "${given[@]}" --alpha 0.5 --json porous.json
above "$(value porous/porosity.nii.gz 40 30)" 0.7 "porosity of the inclusion [1]"
below "$(value porous/porosity.nii.gz -50 0)" 0.63 "porosity beside it [1]"
above "$(value porous/porosity.nii.gz -50 0)" 0.57 "porosity beside it [1]"
expect_exit 0 "$FINEGRAIN" fit porous.h5 -o mapped --closure hs2d --direction porous/direction_scanner.nii.gz --noise-relative 1e-3 \
  --noise-absolute 1e-6 "${given[@]}" --grid 80x80
[ -s mapped/porosity.nii.gz ] || fail "no porosity with a map of directions"
expect_exit 0 "$FINEGRAIN" fit porous.h5 --dry-run "${tissue[@]}" --unknowns porosity,direction
has stderr "not determined by voltages at the boundary"
refused 2 "--direction: is missing" "$FINEGRAIN" fit porous.h5 -o no --closure hs2d
refused 3 "across the plane" "$FINEGRAIN" fit porous.h5 -o no --closure hs2d --direction 0,0,1
refused 2 "--closure isotropic: found with diffusion data" "$FINEGRAIN" simulate --phantom mixed --closure isotropic -o no

# Gmsh meshes, whose physical groups are the electrodes.
mesh=$FIXTURES/gmsh/square41.msh
simulate --mesh "$mesh" -o square.h5
expect_exit 0 "$FINEGRAIN" fit square.h5 --mesh "$mesh" -o square --alpha 1 --inverse-crime -q
refused 3 "electrodes in the mesh, expected the 4" "$FINEGRAIN" fit square.h5 --mesh "$FIXTURES/gmsh/cube41.msh" -o no

# Fitting on the mesh that simulated is refused unless asked for.
simulate --electrode-count 8 --elements 800 --order 1 -o crime.h5
refused 2 "simulated on this very mesh" "$FINEGRAIN" fit crime.h5 -o no --elements 800
expect_exit 0 "$FINEGRAIN" fit crime.h5 --elements 800 --inverse-crime --dry-run
empty no

# What voltages do not have, and files that are not what they should be.
refused 2 "--data calibrated: found no reference voltages" "$FINEGRAIN" fit crime.h5 -o no --data calibrated
refused 2 "--pointwise" "$FINEGRAIN" fit crime.h5 -o no --pointwise
refused 2 "--solver sweep" "$FINEGRAIN" fit crime.h5 -o no --solver sweep
refused 2 "--criterion risk" "$FINEGRAIN" fit crime.h5 -o no --criterion risk
refused 2 "expected the 2 of the domain" "$FINEGRAIN" fit crime.h5 -o no --grid 8x8x8
refused 2 "--inclusions: found 'disc=1,2'" "$FINEGRAIN" simulate --eit --inclusions disc=1,2 -o no.h5
refused 2 "expected a file NAME.h5" "$FINEGRAIN" simulate --eit -o no
refused 2 "--eit: excludes" "$FINEGRAIN" simulate --eit --phantom mixed -o no.h5
refused 2 "expected a file -o NAME.h5" "$FINEGRAIN" import ktc2023 data.mat ref.mat -o no
refused 3 "ref.mat" "$FINEGRAIN" import ktc2023 data.mat ref.mat -o no.h5
head -c 300 sim.h5 >cut.h5
refused 3 "cut.h5" "$FINEGRAIN" fit cut.h5 -o no
refused 3 "cut.h5" "$FINEGRAIN" info cut.h5
empty no
[ ! -e no.h5 ] || fail "a file of a refused run"

# The example finds one inclusion of each kind.
expect_exit 0 env FINEGRAIN="$FINEGRAIN" "$SOURCE/examples/eit/run.sh" "$PWD/example"
has stdout "2 regions"
has stdout "resistive   peak 0."
has stdout "conductive  peak "
