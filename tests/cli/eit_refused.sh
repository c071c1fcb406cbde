# Impedance tomography: what a user gets wrong is one line that names it, with the documented exit code, before any work.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

refused() { # CODE TEXT ARGUMENT...
  local code=$1 text=$2
  shift 2
  expect_exit "$code" "$FINEGRAIN" "$@" -q
  one_line stderr
  has stderr "$text"
}

# A box of 10 x 10 x 8 voxels of 4 mm about the origin, six electrodes on it, and voltages of it.
expect_exit 0 "$FINEGRAIN" simulate --phantom borders --size 10,10,8 --spacing 4,4,4 --directions 6 --b0 1 -o box -q
mask=box/dwi_mask.nii.gz map=box/truth/direction_scanner.nii.gz
printf 'name\tx\ty\tz\nE\t20\t0\t0\nN\t0\t20\t0\nW\t-20\t0\t0\nS\t0\t-20\t0\nT\t0\t0\t16\nB\t0\t0\t-16\n' >electrodes.tsv
expect_exit 0 "$FINEGRAIN" simulate --eit --mask $mask --electrodes electrodes.tsv --order 1 -o head.h5
fit() { refused "$1" "$2" fit head.h5 -o out --inverse-crime "${@:3}"; }

# The plan says how large the domain is, so that a wrong unit shows.
expect_exit 0 "$FINEGRAIN" fit head.h5 --mask $mask --inverse-crime --dry-run
has stderr "nodes, 0.04 x 0.04 x 0.032 m"

# Domains.
fit 3 "head.h5: found no domain (tank or mesh), expected one; give --mesh FILE.msh, or --mask FILE.nii.gz, for the positions"
fit 2 "--electrodes: found without --mask" --electrodes electrodes.tsv
fit 2 "--mesh: excludes --mask" --mask $mask --mesh mesh.msh
fit 3 "absent.nii.gz: cannot be opened" --mask absent.nii.gz
fit 3 "dwi.nii.gz: found 7 volumes, expected a mask of one" --mask box/dwi.nii.gz
fit 3 "absent.msh: cannot be opened" --mesh absent.msh
refused 2 "simulate on a mask of smaller voxels" fit head.h5 --mask $mask -o out
sed '/PhysicalNames/,/EndPhysicalNames/d' "$FIXTURES/gmsh/cube41.msh" >unnamed.msh
fit 3 "unnamed.msh: found no physical group of" --mesh unnamed.msh

# Positions: in another unit, elsewhere, missing, in another format.
fit 3 "check the mask, the unit of the positions and their frame" --mask $mask --electrodes electrodes.tsv --electrodes-unit 1
sed 's/^B\t0\t0\t-16/B\t0\t0\t-160/' electrodes.tsv >far.tsv
fit 3 "electrode B" --mask $mask --electrodes far.tsv
sed '/^B/d' electrodes.tsv >short.tsv
fit 3 "short.tsv: found no electrode B" --mask $mask --electrodes short.tsv
tr '\t' ',' <electrodes.tsv >commas.tsv
fit 3 "separated by tabs" --mask $mask --electrodes commas.tsv
head -2 electrodes.tsv >one.tsv
refused 3 "one.tsv: found 1 electrodes with positions" simulate --eit --mask $mask --electrodes one.tsv -o no.h5

# Grids and directions.
expect_exit 0 "$FINEGRAIN" simulate --phantom borders --size 4,4,4 --spacing 0.1,0.1,0.1 --directions 6 --b0 1 -o small -q
fit 2 "--grid: found '64x', expected numbers of voxels" --mask $mask --grid 64x
fit 3 "absent.nii.gz: cannot be opened" --mask $mask --grid absent.nii.gz
fit 2 "expected the 3 of the domain" --mask $mask --grid 64x64
fit 2 "--direction: found '1,2', expected a vector X,Y,Z" --mask $mask --closure hs2d --direction 1,2
fit 3 "dwi_mask.nii.gz: found 1 volumes, expected the 3 of a direction" --mask $mask --closure hs2d --direction $mask
fit 3 "sites of the domain without a direction" --mask $mask --closure hs2d --direction small/truth/direction_scanner.nii.gz
fit 2 "--direction: found with --closure isotropic" --mask $mask --direction $map
fit 2 "--unknowns direction: found with --closure isotropic" --mask $mask --unknowns direction

# A grid beside the domain: that of a box of 4 mm whose affine is moved.
python3 - small/dwi_mask.nii.gz moved.nii.gz <<'PYTHON'
import gzip, struct, sys
data = bytearray(gzip.open(sys.argv[1]).read())
struct.pack_into("h", data, 252, 0)  # by the sform alone
struct.pack_into("4f", data, 280, 0.1, 0, 0, 500)
gzip.open(sys.argv[2], "wb").write(data)
PYTHON
fit 3 "moved.nii.gz: found no voxel in the domain, which spans x -20 to 20, y -20 to 20, z -16 to 16 mm" --mask $mask --grid moved.nii.gz

# Options of the other kind of data are not passed over.
fit 2 "--bval: found with electrode voltages" --mask $mask --bval a --bvec b
fit 2 "--noise: found with electrode voltages" --mask $mask --noise rician
fit 2 "--model dwi: found with electrode voltages" --mask $mask --model dwi
refused 2 "--mesh: found with diffusion data" fit box/dwi.nii.gz -o out --mesh mesh.msh
refused 2 "--model eit: found with diffusion data" fit box/dwi.nii.gz -o out --model eit
refused 2 "--conductivity-range: found with diffusion data" verify box/dwi.nii.gz --conductivity-range 1,2
fit 2 "--conductivity-range: expected LOW < HIGH" --mask $mask --conductivity-range 5,2
fit 2 "--drop-electrodes: found 'X'" --mask $mask --drop-electrodes E,X
fit 2 "each of the 6 current patterns drives a dropped electrode" --mask $mask --drop-electrodes E,N,W,S,T
refused 3 "absent.h5: cannot be opened: No such file or directory; expected a NIfTI volume (.nii, .nii.gz) or electrode voltages (.h5)" fit absent.h5 -o out
empty out

# Simulations and imports say before they compute that the result cannot be written, and what has no effect.
refused 5 "absent/sim.h5: cannot be written" simulate --eit -o absent/sim.h5
refused 5 "absent/tank.h5: cannot be written" import ktc2023 data.mat ref.mat -o absent/tank.h5
expect_exit 0 "$FINEGRAIN" simulate --eit --elements 500 --order 1 --inclusions disc=0.2,0,0.02,3 -o sim.h5
has stderr "--inclusions: the one about 0.2, 0, 0 m holds no element of the domain"
