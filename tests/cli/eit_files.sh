# EIT measurements made by others: the example of docs/formats.md is read as it stands; what is missing, inconsistent, of another unit or cut
# off is one line with exit code 3 that names the file and the part; MATLAB files likewise.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

python=""
for candidate in python3 /usr/bin/python3; do # another Python may come before Debian's
  if [ -z "$python" ] && "$candidate" -c 'import h5py, numpy' 2>/dev/null; then python=$candidate; fi
done
[ -n "$python" ] || { echo "skipped: python3-h5py is not installed"; exit 77; }

# shellcheck disable=SC2016
sed -n '/^### EIT measurements/,/^### /{/^```python/,/^```/p}' "$SOURCE/docs/formats.md" | grep -v '^```' >example.py
"$python" example.py
expect_exit 0 "$FINEGRAIN" info tank.h5
grep -q 16 stdout || fail "info: $(cat stdout)"
mv stdout old
sed 's/"w")/"w", libver="latest")/; s/= "\(finegrain-eit\|V\)"/= numpy.bytes_("\1")/' example.py | "$python" - # the newer format, texts of fixed length
expect_exit 0 "$FINEGRAIN" info tank.h5
cmp old stdout || fail "info of the newer format: $(cat stdout)"

# spoiled STATEMENT TEXT: the example, then the statement on the open file; the message names the file and holds the text.
spoiled() {
  "$python" example.py
  "$python" -c "import h5py, numpy
with h5py.File('tank.h5', 'a') as file:
    $1"
  expect_exit 3 "$FINEGRAIN" info tank.h5
  one_line stderr
  has stderr "tank.h5: "
  has stderr "$2"
}
spoiled 'del file["current"]' 'dataset current is missing'
expect_exit 3 "$FINEGRAIN" fit tank.h5 -o out
has stderr 'tank.h5: dataset current is missing'
empty out
spoiled 'del file["voltage"]; file["voltage"] = numpy.ones((16, 15))' 'dataset voltage: found 16 x 15 values, expected 16 x 16'
spoiled 'file["current"][2, 0] = 1e-3' 'current pattern 3 sums to 0.001 A'
spoiled 'file["voltage"][...] = numpy.nan' 'found no voltage'
spoiled 'file["voltage"].attrs["unit"] = numpy.bytes_("mV")' 'found the unit mV, expected V'
spoiled 'file["tank/angle"][5] = file["tank/angle"][4]' 'electrodes 5 and 6 have the same place'
spoiled 'file["electrode_name"] = numpy.array(["a"] * 16, "S31")' 'both called a'
spoiled 'file["depth"] = -1.0' 'depth of -1 m'
spoiled 'file.attrs["version"] = 2' 'version 2'
spoiled 'del file["contact_impedance"]; file["contact_impedance"] = numpy.zeros(16)' 'contact impedance of 0 ohm m^2'
spoiled 'del file["current"]; file.create_dataset("current", data=numpy.ones((16, 16)), compression="gzip")' 'compressed, chunked'

"$python" example.py
head -c 3000 tank.h5 >cut.h5
expect_exit 3 "$FINEGRAIN" info cut.h5
grep -qF "cut.h5" stderr || fail "cut off: $(cat stderr)"

printf 'no MATLAB file' >data1.mat
expect_exit 3 "$FINEGRAIN" import ktc2023 data1.mat data1.mat -o new.h5
grep -qF "data1.mat: is no MATLAB file" stderr || fail "import: $(cat stderr)"
[ ! -e new.h5 ] || fail "a refused import left new.h5"
