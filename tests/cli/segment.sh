# finegrain segment: labels of a map, their sidecar, what is refused.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

# A map of 40 x 30 pixels: background 0.5, a square of 2.0, one of 0.1, a speck of 5, one column outside (0).
python3 - <<'PY'
import struct
nx, ny = 40, 30
value = [0.5] * (nx * ny)
def fill(x0, x1, y0, y1, v):
    for y in range(y0, y1):
        for x in range(x0, x1):
            value[y * nx + x] = v
fill(5, 15, 5, 15, 2.0)
fill(20, 32, 10, 22, 0.1)
fill(36, 37, 4, 5, 5.0)
fill(39, 40, 0, 30, 0.0)
header = bytearray(352)
struct.pack_into("<i", header, 0, 348)
struct.pack_into("<8h", header, 40, 3, nx, ny, 1, 1, 1, 1, 1)
struct.pack_into("<2h", header, 70, 16, 32)
struct.pack_into("<8f", header, 76, 1, 2, 2, 2, 0, 0, 0, 0)
struct.pack_into("<f", header, 108, 352)
struct.pack_into("<2h", header, 252, 0, 1)
struct.pack_into("<12f", header, 280, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0)
header[344:348] = b"n+1\0"
for name, values in (("map", value), ("nothing", [0.0] * len(value))):
    with open(name + ".nii", "wb") as file:
        file.write(bytes(header) + struct.pack("<%df" % len(values), *values))
PY

expect_exit 0 "$FINEGRAIN" segment map.nii -o labels.nii.gz
has stdout "map.nii: background 0.5, 2 regions"
jq -e '.Background == 0.5 and (.Regions | length) == 2' labels.json >/dev/null || fail "$(cat labels.json)"
jq -e '.Regions[0] | .Label == 1 and .Voxels == 144 and .Volume_mm3 == 1152 and .PeakRatio > 0.199 and .PeakRatio < 0.201' labels.json \
  >/dev/null || fail "resistive: $(cat labels.json)"
jq -e '.Regions[1] | .Label == 2 and .Voxels == 100 and .PeakRatio > 3.99 and .PeakRatio < 4.01' labels.json >/dev/null ||
  fail "conductive: $(cat labels.json)"
python3 - <<'PY'
import gzip, struct
data = gzip.open("labels.nii.gz").read()
labels = data[int(struct.unpack_from("<f", data, 108)[0]):]
assert struct.unpack_from("<h", data, 70)[0] == 2, "not stored as uint8"
assert len(labels) == 1200 and labels.count(1) == 144 and labels.count(2) == 100, (labels.count(1), labels.count(2))
assert labels[10 * 40 + 10] == 2 and labels[15 * 40 + 25] == 1
PY

# Nothing is overwritten unasked; two ranks do the same; a small share brings the speck.
expect_exit 2 "$FINEGRAIN" segment map.nii -o labels.nii.gz
one_line stderr
has stderr "--force"
cp labels.json first.json
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" segment map.nii -o labels.nii.gz --force
cmp first.json labels.json || fail "two ranks differ"
expect_exit 0 "$FINEGRAIN" segment map.nii -o three.nii.gz --share 0
has stdout "3 regions"
expect_exit 0 "$FINEGRAIN" segment map.nii -o background.nii.gz --background 2
jq -e '[.Regions[].Label] | index(2) == null' background.json >/dev/null || fail "background 2: $(cat background.json)"

expect_exit 3 "$FINEGRAIN" segment nothing.nii -o none.nii.gz
one_line stderr
has stderr "no positive value"
expect_exit 3 "$FINEGRAIN" segment absent.nii -o none.nii.gz
one_line stderr
expect_exit 2 "$FINEGRAIN" segment map.nii -o labels.png
has stderr ".nii.gz"
expect_exit 2 "$FINEGRAIN" segment map.nii --level 1.5
[ ! -e none.nii.gz ] || fail "a refused map left an output"
