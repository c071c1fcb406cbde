# finegrain homogenize: the command lines that a user has, on small cells; outputs, bad input with its exit code, and that the number of
# ranks does not matter.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

# value FILE PHYSICS NAME INDEX...: one number of an effective quantity.
value() {
  local file=$1 physics=$2 name=$3
  shift 3
  jq -r --arg p "$physics" --arg n "$name" "[.physics[] | select(.name == \$p).effective[] | select(.name == \$n).value][0]$(printf '[%s]' "$@")" "$file"
}

# near VALUE EXPECTED RELATIVE WHAT
near() {
  below "$(awk "BEGIN { d = $1 / $2 - 1; print d < 0 ? -d : d }")" "$3" "$4"
}

# same FILE FILE: all effective quantities, to 1e-8 of the largest number of each; a self check is round-off.
same() {
  jq -n -e --slurpfile a "$1" --slurpfile b "$2" 'def numbers_of: [.. | numbers];
    [$a[0], $b[0]] | map([.physics[] | .name as $p | .effective[] | select(.name | test("_self_check$|_asymmetry$") | not) |
      {key: ($p + " " + .name), value: (.value | numbers_of)}] | from_entries) | .[0] as $x | .[1] as $y |
    ($x | keys) == ($y | keys) and all($x | keys[]; . as $k | ([$x[$k][] | fabs] | max) as $m |
      [$x[$k], $y[$k]] | transpose | all((.[0] - .[1] | fabs) <= 1e-8 * $m))' >/dev/null || fail "$1 and $2 differ"
}

# Generators: closed forms of docs/physics/conduction.md. The laminate is exact, cylinders to their voxels.
expect_exit 0 "$FINEGRAIN" homogenize --geometry laminate --fraction 0.5 --resolution 16 --contrast 10 --json laminate.json
has stdout "K [S/m]: effective conductivity, energy form | flux form | bounds of the diagonal"
has stdout "discretization: about 0.0001 % or less"
near "$(value laminate.json conduction K 2 2)" 1.8181818181818 1e-9 "across layers"
near "$(value laminate.json conduction K 0 0)" 5.5 1e-9 "along layers"
expect_exit 0 "$FINEGRAIN" homogenize --geometry hex-cylinders --fraction 0.6 --resolution 128 --contrast 10 --physics conduction -o hex.json
has stdout "discretization: about"
has stdout "(Hashin and Shtrikman)"
near "$(value hex.json conduction K 0 0)" 2.9375511 0.005 "hexagonal cylinders"
jq -e '.schema_version == 1 and .finegrain_version and (.command | startswith("finegrain homogenize")) and .ranks == 1 and
  (.cell.voxels == [74, 128, 1]) and (.cell.phases | length == 2) and .cell.phases[1].exact_fraction == 0.6 and
  (.physics[0] | .bytes_per_voxel > 0 and .seconds > 0 and (.solves | length == 2) and all(.solves[]; .iterations > 0 and .residual <= 1e-8)) and
  (.physics[0].effective[0] | .name == "K" and .unit == "S/m" and (.value | length == 3) and .discretization_estimate > 0 and
     .bounds.lower[0][0] <= .value[0][0] and .value[0][0] <= .bounds.upper[0][0])' hex.json >/dev/null || fail "hex.json: $(cat hex.json)"
expect_exit 2 "$FINEGRAIN" homogenize --geometry hex-cylinders -o hex.json
one_line stderr
has stderr "hex.json exists already"
expect_exit 0 "$FINEGRAIN" homogenize --geometry hex-cylinders --resolution 16 -o hex.json --force -q
[ ! -s stdout ] || fail "-q says: $(cat stdout)"
expect_exit 0 "$FINEGRAIN" homogenize --geometry square-cylinders --fraction 0.5 --resolution 64 --contrast 10 --subsample 8 --json fine.json
has stdout "extrapolated from both resolutions"
near "$(jq '.physics[0].effective[0].extrapolated[0][0]' fine.json)" 2.4154674 0.001 "square cylinders, extrapolated"
for geometry in square-cylinders cubic-spheres random-spheres checkerboard plane-channels round-channels crossed-fibers dispersed-fibers; do
  expect_exit 0 "$FINEGRAIN" homogenize --geometry $geometry --resolution 16 --no-estimate
  has stdout "K [S/m]"
  has stdout "exact"
done

# Images, with phases from a file.
cat >phases.yaml <<'END'
phases:
  - {label: 0, name: matrix, conductivity: 1, diffusivity: 2, intracellular-conductivity: 0, extracellular-conductivity: 1, motility: 1,
     sensitivity: 2, youngs-modulus: 1, poissons-ratio: 0.3}
  - {label: 7, name: sphere, conductivity: 10, diffusivity: 0, intracellular-conductivity: 1, extracellular-conductivity: 0, motility: 0.1,
     sensitivity: 0.3, youngs-modulus: 10, poissons-ratio: 0.2}
END
python3 - <<'END'
import struct
n = 16
with open("cell.raw", "wb") as out:
    for z in range(n):
        for y in range(n):
            for x in range(n):
                inside = (x - 7.5) ** 2 + (y - 7.5) ** 2 + (z - 7.5) ** 2 < 6.5 ** 2
                out.write(struct.pack("B", 7 if inside else 0))
END
raw=(cell.raw --size "16,16,16" --voxel-size 1e-6)
expect_exit 0 "$FINEGRAIN" homogenize "${raw[@]}" --phases phases.yaml --physics conduction --fields fields --picture cell.png -o raw.json
for file in fields/labels.nii.gz fields/conduction_K_corrector_x.nii.gz cell.png; do [ -s "$file" ] || fail "no $file"; done
expect_exit 0 "$FINEGRAIN" homogenize fields/labels.nii.gz --phases phases.yaml --physics conduction --fields cell.xdmf -o nifti.json
for file in cell.xdmf cell.h5; do [ -s $file ] || fail "no $file"; done
same raw.json nifti.json
jq -e '(.sources | length == 2) and all(.sources[]; .sha256 | length == 64)' nifti.json >/dev/null || fail "no hashes of sources"
expect_exit 0 "$FINEGRAIN" homogenize fields/labels.nii.gz --phases phases.yaml --physics bidomain,elasticity,chemotaxis -o out.json
jq -e '[.physics[].name] == ["bidomain", "elasticity", "chemotaxis"]' out.json >/dev/null || fail "physics: $(jq -c '[.physics[].name]' out.json)"
expect_exit 0 "$FINEGRAIN" homogenize --dry-run "${raw[@]}" --phases phases.yaml -o dry.json
has stdout "MiB will be needed"
[ ! -e dry.json ] || fail "a dry run wrote"

# A given velocity: periodic shear U sin(2 pi y/H) has the dispersion D (1 + Pe^2/(8 pi^2)), Pe = U H/D, 1.35135 here (docs/physics/advection.md).
python3 - <<'END'
import math, struct
n, edge = (4, 64, 1), 1 / 64  # voxels, m
header = bytearray(352)
struct.pack_into("<i", header, 0, 348)
struct.pack_into("<8h", header, 40, 4, *n, 3, 1, 1, 1)
struct.pack_into("<hh", header, 70, 16, 32)
struct.pack_into("<8f", header, 76, 1, 1000 * edge, 1000 * edge, 1000 * edge, 1, 1, 1, 1)
struct.pack_into("<ff", header, 108, 352, 1)
struct.pack_into("<b", header, 123, 2)
struct.pack_into("<h", header, 254, 1)
for row in range(3):
    struct.pack_into("<f", header, 280 + 20 * row, 1000 * edge)
header[344:348] = b"n+1\0"
with open("shear.nii", "wb") as out:
    out.write(header)
    for component in range(3):
        for y in range(n[1]):
            value = 6 * math.sin(2 * math.pi * (y + 0.5) / n[1]) if component == 0 else 0
            out.write(struct.pack("<4f", *[value] * n[0]))
open("uniform.raw", "wb").write(bytes(n[0] * n[1]))
END
printf 'phases:\n  - {label: 0, name: fluid, diffusivity: 0.7, fluid: 1}\n' >fluid.yaml
expect_exit 0 "$FINEGRAIN" homogenize uniform.raw --size 4x64x1 --voxel-size 0.015625 --phases fluid.yaml --physics dispersion \
  --velocity shear.nii -o shear.json
near "$(value shear.json dispersion D 0 0)" 1.3513504662721711 0.001 "shear dispersion"
expect_exit 3 "$FINEGRAIN" homogenize "${raw[@]}" --phases phases.yaml --physics dispersion --velocity shear.nii
one_line stderr
has stderr "shear.nii: found 4 x 64 x 1 voxels in 3 volumes"

# Sweeps: the same on one and two ranks; K = 1 at contrast 1; contrast 0 is impermeable.
sweep=(--geometry square-cylinders --resolution 32 --sweep fraction=0.1:0.5:3 "contrast=0,1e-2:1e2:5")
expect_exit 0 "$FINEGRAIN" homogenize "${sweep[@]}" --physics conduction -o table.h5 --json sweep1.json
has stdout "18 points"
[ -s table.h5 ] || fail "no table.h5"
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" homogenize "${sweep[@]}" --physics conduction --json sweep2.json
points='[.points[] | del(.seconds)]'
[ "$(jq -c "$points" sweep1.json)" = "$(jq -c "$points" sweep2.json)" ] || fail "a sweep depends on the number of ranks"
jq -e '(.points | length == 18) and ([.points[] | select(.contrast == 1).conduction.K[0][0]] | length == 3 and all(. == 1)) and
  all(.points[] | select(.contrast == 0); .conduction.K[2][2] == .phase_fractions[0])' sweep1.json >/dev/null || fail "sweep: $(jq -c . sweep1.json)"
expect_exit 2 "$FINEGRAIN" homogenize "${raw[@]}" --phases phases.yaml --sweep fraction=0.1,0.2
has stderr "an image is one cell"

# The square array's published values, at resolutions 128 and 64 extrapolated: within half a percent (docs/physics/conduction.md).
expect_exit 0 "$FINEGRAIN" homogenize --geometry square-cylinders --resolution 128 --sweep fraction=0.3,0.5,0.7 contrast=0.1,10,50 --json rows.json
has stdout "each extrapolated from two resolutions"
row=0
for expected in 0.6053137 1.6520360 1.8125290 0.4139986 2.4154674 2.9145940 0.2462019 4.0617074 6.3359209; do
  near "$(jq ".points[$row].conduction.K[0][0]" rows.json)" $expected 0.005 "square array, row $row"
  row=$((row + 1))
done

# Cylinders about to touch: voxels do not resolve the gap, so that the extrapolation holds back and the table stays sound.
expect_exit 0 "$FINEGRAIN" homogenize --geometry square-cylinders --sweep fraction=0.7,0.78 contrast=0,1,300,1e3 -o touching.h5 --json touching.json
jq -e 'all(.points[].conduction.K; . as $k | all(0, 1, 2; $k[.][.] > 0))' touching.json >/dev/null || fail "extrapolated too far: $(jq -c . touching.json)"

# One cell on one and two ranks: equal to the tolerance of the solve.
physics=conduction,bidomain,diffusion,chemotaxis,elasticity
expect_exit 0 "$FINEGRAIN" homogenize "${raw[@]}" --phases phases.yaml --physics $physics -o one.json
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" homogenize "${raw[@]}" --phases phases.yaml --physics $physics -o two.json
same one.json two.json
expect_exit 0 "$FINEGRAIN" homogenize --geometry square-cylinders --resolution 32 -o one.json --force
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" homogenize --geometry square-cylinders --resolution 32 -o two.json --force --fields two --picture two.png
same one.json two.json
for file in two/labels.nii.gz two.png; do [ -s $file ] || fail "no $file"; done

# Usage: exit 2, one line.
usage() { # TEXT ARGUMENT...
  local text=$1
  shift
  expect_exit 2 "$FINEGRAIN" homogenize "$@"
  one_line stderr
  has stderr "$text"
}
usage "CELL, --geometry: give one of them, found neither"
usage "found both" cell.raw --geometry laminate
usage "--phases: is missing" cell.raw
usage "--physics: expected one of" --geometry laminate --physics magic
usage "--contrast, --phases" --geometry laminate --contrast 2 --phases phases.yaml
usage "--subsample: elasticity does not take" --geometry laminate --physics conduction,elasticity --subsample 4
usage "--subsample: expected 1 or an even number" --geometry laminate --subsample 3
usage "--size: is for images" --geometry laminate --size 2,2,2
usage "--sweep: expected numbers and ranges" --geometry laminate --sweep fraction=0.1:0.2
usage "--sweep: seeds cannot be swept" --geometry laminate --sweep seeds=1,2
usage "--sweep: fraction has the value 0.1 twice" --geometry laminate --sweep fraction=0.1,0.1
usage "--sweep: resolution: expected a whole number" --geometry laminate --sweep resolution=2.5
usage ".h5 holds the table of a sweep" --geometry laminate -o table.h5
usage "ends in .json or .h5" --geometry laminate -o table.txt
usage "it can be packed no tighter" --geometry square-cylinders --fraction 0.8

# Input that is wrong: exit 3, one line that names file and fault.
input() { # TEXT ARGUMENT...
  local text=$1
  shift
  expect_exit 3 "$FINEGRAIN" homogenize "$@"
  one_line stderr
  has stderr "$text"
}
phases() { # LINE: a phases file whose second phase is this.
  printf 'phases:\n  - {label: 0, name: matrix, conductivity: 1}\n  - {%s}\n' "$1" >wrong.yaml
}
input "missing.nii" missing.nii --phases phases.yaml
input "missing.yaml" "${raw[@]}" --phases missing.yaml
phases "label: 1, name: sphere, conductivity: 2"
input "label 7" "${raw[@]}" --phases wrong.yaml
for wrong in "-1" ".nan" "nan" "[1, 1, 1, 0, 0, 2]" "[1, 2]" "x"; do
  phases "label: 7, name: sphere, conductivity: $wrong"
  input "wrong.yaml" "${raw[@]}" --phases wrong.yaml
done
phases "label: 7, name: sphere, stiffness: [$(seq -s, 36)]"
input "not symmetric" "${raw[@]}" --phases wrong.yaml
phases "label: 7, name: sphere, diffusivity: 1"
input "has no 'conductivity' [S/m]" "${raw[@]}" --phases wrong.yaml --physics conduction
phases "label: 7, name: sphere, magic: 1"
input "magic" "${raw[@]}" --phases wrong.yaml
printf '\0' >one.raw
: >empty.raw
input "one voxel" one.raw --size 1,1,1 --voxel-size 1e-6 --phases phases.yaml
input "empty.raw" empty.raw --size 1,1,2 --voxel-size 1e-6 --phases phases.yaml
input "cell.raw" cell.raw --size 16,16,17 --voxel-size 1e-6 --phases phases.yaml
input "GiB" --geometry random-spheres --resolution 1200 --memory-limit 8
input "voxels" --geometry random-spheres --resolution 10000
input "found 4096 bytes" cell.raw --size 3000,3000,3000 --voxel-size 1e-6 --phases phases.yaml
input "GiB" "${raw[@]}" --phases phases.yaml --memory-limit 1e-6
expect_exit 3 "$MPIEXEC" -n 2 "$FINEGRAIN" homogenize "${raw[@]}" --phases wrong.yaml
[ "$(grep -c '^finegrain: ' stderr)" -eq 1 ] || fail "ranks did not agree on one line: $(cat stderr)"

# No convergence: exit 4, the residual history, no file.
expect_exit 4 "$FINEGRAIN" homogenize --geometry square-cylinders --contrast 1000 --max-iterations 3 --solver spectral -o never.json
one_line stderr
has stderr "did not converge: relative residual"
[ ! -e never.json ] || fail "a number from a solve that did not converge"
expect_exit 4 "$FINEGRAIN" homogenize --geometry square-cylinders --sweep contrast=1,1000 --max-iterations 3 --solver spectral -o never.h5
has stderr "contrast 1000"
[ ! -e never.h5 ] || fail "a table from a solve that did not converge"

# Output that cannot be written: exit 5 before the work.
expect_exit 5 "$FINEGRAIN" homogenize --geometry laminate -o nowhere/cell.json
one_line stderr
has stderr "nowhere/cell.json"
