# finegrain info: what it finds in volumes and gradient tables that another program wrote.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"
make_dwi() { python3 "$SOURCE/tests/cli/make_dwi.py" "$@"; }

make_dwi dwi noise=20 size=24x24x16
expect_exit 0 "$FINEGRAIN" info dwi.nii.gz --json found.json
has stdout "24 x 24 x 16 voxels of 2 x 2 x 2 mm, 18 volumes"
has stdout "axes LAS, determinant negative"
has stdout "2 at b = 0, 16 at b = 1000 s/mm^2"
has stdout "rank 6 of 6"
has stdout "sform 1 (scanner), qform 0"
[ "$(jq -c '.Dimensions' found.json)" = "[24,24,16,18]" ] || fail "Dimensions: $(cat found.json)"
[ "$(jq -c '[.Shells[].Volumes]' found.json)" = "[2,16]" ] || fail "Shells: $(cat found.json)"
# S0 is 1000 and the noise 20: SNR 50; the ball of radius sqrt(0.18) fills 32 % of the box
jq -e '.NoiseSigma > 19 and .NoiseSigma < 21' found.json >/dev/null || fail "NoiseSigma: $(jq .NoiseSigma found.json)"
jq -e '.SNR > 47 and .SNR < 53' found.json >/dev/null || fail "SNR: $(jq .SNR found.json)"
jq -e '.MaskVoxels > 0.29 * 9216 and .MaskVoxels < 0.35 * 9216' found.json >/dev/null || fail "MaskVoxels: $(jq .MaskVoxels found.json)"

# The frame follows the determinant, and the answer is the same on two ranks.
make_dwi flipped det=1 size=24x24x16
expect_exit 0 "$FINEGRAIN" info flipped.nii.gz
has stdout "axes RAS, determinant positive: FSL directions have x negated"
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" info dwi.nii.gz --json two.json
jq -e --slurpfile one found.json '.NoiseSigma == $one[0].NoiseSigma and .MaskVoxels == $one[0].MaskVoxels' two.json >/dev/null ||
  fail "two ranks: $(cat two.json)"

# Gradient tables alone, in both forms.
expect_exit 0 "$FINEGRAIN" info dwi.bval
has stdout "2 at b = 0, 16 at b = 1000 s/mm^2"
has stdout "rank 6 of 6"
expect_exit 0 "$FINEGRAIN" info dwi.bvec
has stdout "read with    dwi.bval"
printf '# x y z b\n0 0 0 0\n1 0 0 700\n0 1 0 700\n0 0 1 1400\n' >table.b
expect_exit 0 "$FINEGRAIN" info table.b
has stdout "1 at b = 0, 2 at b = 700, 1 at b = 1400 s/mm^2"
has stdout "rank 3 of 6: the directions do not determine a tensor"

# A mesh for voltages.
expect_exit 0 "$FINEGRAIN" info "$FIXTURES/gmsh/cube41.msh" --json mesh.json
has stdout "tetrahedra"
has stdout "x 0 to "
jq -e '.Format == "Gmsh" and .Dimension == 3 and (.Electrodes | length) >= 2 and .High[0] > .Low[0]' mesh.json >/dev/null || fail "$(cat mesh.json)"

# A map, a volume without gradients, and what is no image.
expect_exit 0 "$FINEGRAIN" info dwi.nii.gz --quiet
[ ! -s stdout ] || fail "--quiet speaks"
mkdir alone && cp dwi.nii.gz alone/
expect_exit 0 "$FINEGRAIN" info alone/dwi.nii.gz
has stdout "give --bval and --bvec or --grad"
cp dwi.bval alone/
expect_exit 3 "$FINEGRAIN" info alone/dwi.bval
one_line stderr
has stderr "alone/dwi.bvec"
echo text >note.md
expect_exit 3 "$FINEGRAIN" info note.md
one_line stderr
has stderr "note.md: unknown ending"
expect_exit 3 "$FINEGRAIN" info absent.nii
one_line stderr
has stderr "absent.nii: cannot be opened"
