# finegrain fit: inputs that cannot be used, outputs that cannot be written, runs that are stopped.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"
make_dwi() { python3 "$SOURCE/tests/cli/make_dwi.py" "$@"; }

# Exit 3, one line with the file's name and this text, and nothing in the output folder.
bad_input() { # FILE TEXT ARGUMENT...
  local file=$1 text=$2
  shift 2
  expect_exit 3 "$FINEGRAIN" fit "$@" -o out -q
  one_line stderr
  has stderr "$file"
  has stderr "$text"
  empty out
}

for kind in magic dims datatype offset pixdim slope sform truncated crc; do
  make_dwi bad_$kind bad=$kind
  bad_input "bad_$kind.nii.gz" "" bad_$kind.nii.gz
done
make_dwi dwi
bad_input "absent.nii.gz" "cannot be opened" absent.nii.gz
bad_input "dwi.bval" "" dwi.bval

# Gradient tables that do not belong to the volume.
cut -d' ' -f1-17 dwi.bval >short.bval
bad_input "short.bval" "17" dwi.nii.gz --bval short.bval --bvec dwi.bvec
cut -d' ' -f1-17 dwi.bvec >short.bvec
bad_input "short.bvec" "17" dwi.nii.gz --bval dwi.bval --bvec short.bvec
sed 's/1000/nan/' dwi.bval >nan.bval
bad_input "nan.bval" "" dwi.nii.gz --bval nan.bval --bvec dwi.bvec
awk '{ for (i = 1; i <= NF; i++) $i = $i == 0 ? 0 : 1; print }' dwi.bvec >parallel.bvec
bad_input "parallel.bvec" "plane" dwi.nii.gz --bval dwi.bval --bvec parallel.bvec
mkdir alone && cp dwi.nii.gz alone/
bad_input "alone/dwi.nii.gz" "--bval" alone/dwi.nii.gz

# A mask of several volumes, on other grids, and one with nothing in it.
bad_input "dwi.nii.gz" "18 volumes" dwi.nii.gz --mask dwi.nii.gz
make_dwi other size=10x12x8 volumes=1
bad_input "other.nii.gz" "10 x 12 x 8" dwi.nii.gz --mask other.nii.gz
make_dwi moved voxels=2x2x2.1 volumes=1
bad_input "moved.nii.gz" "voxel" dwi.nii.gz --mask moved.nii.gz
make_dwi nothing voxel=0 size=1x1x1 volumes=1 # a grid of one voxel, which is 0
make_dwi single size=1x1x1
bad_input "nothing.nii.gz" "" single.nii.gz --mask nothing.nii.gz

# More memory than allowed.
bad_input "dwi.nii.gz" "--memory-limit" dwi.nii.gz --memory-limit 1e-6

# --dry-run says what would be done and writes nothing.
expect_exit 0 "$FINEGRAIN" fit dwi.nii.gz --dry-run
cat stdout stderr >said
has said "voxels"
has said "memory"
expect_exit 0 "$FINEGRAIN" fit dwi.nii.gz -o out --dry-run -q
empty out

# Results are not overwritten unless --force says so.
expect_exit 0 "$FINEGRAIN" fit dwi.nii.gz -o out --pointwise
before=$(sha256sum out/porosity.nii.gz)
expect_exit 2 "$FINEGRAIN" fit dwi.nii.gz -o out --pointwise -q
one_line stderr
has stderr "--force"
[ "$(sha256sum out/porosity.nii.gz)" = "$before" ] || fail "overwritten without --force"
expect_exit 0 "$FINEGRAIN" fit dwi.nii.gz -o out --pointwise --force
rm -r out

# Nowhere to write: exit 5.
echo >file
expect_exit 5 "$FINEGRAIN" fit dwi.nii.gz -o file/out --pointwise -q
one_line stderr
has stderr "file"

# A disk that is full before the first map is whole: exit 5, and no part of the results is left.
# (Open MPI keeps files of its own: PMIX_MCA_gds=hash holds them in memory, and its daemon mentions the signal.)
(
  ulimit -f 2
  export PMIX_MCA_gds=hash
  expect_exit 5 timeout 60 "$FINEGRAIN" fit dwi.nii.gz -o full --pointwise -q
)
sed -i '/Forwarding signal/d' stderr
one_line stderr
has stderr "full/"
[ -z "$(find full -type f)" ] || fail "a part of the results is left behind: $(ls full)"

# One bad voxel never ends a run: its flag stands in the status map.
for value in nan inf 0 -5; do
  make_dwi voxel voxel=$value
  expect_exit 0 "$FINEGRAIN" fit voxel.nii.gz -o voxel_$value --pointwise
done

# Stopped by a signal: 128 + its number, one line, no unfinished file.
make_dwi long size=32x32x16 repeats=2
for signal in INT TERM; do
  number=$(kill -l $signal)
  expect_exit $((128 + number)) timeout --preserve-status -s $signal 1.5 "$FINEGRAIN" fit long.nii.gz -o stopped \
    --alpha 1 --solver blmvm --tolerance 1e-300 --max-iterations 100000 -q
  one_line stderr
  has stderr "stopped by SIG$signal"
  [ -z "$(find . -name '*.partial')" ] || fail "unfinished files: $(find . -name '*.partial')"
done
