# Voltages of electrodes on a real brain: fiber directions from its diffusion data, porosity from voltages, on masks of larger voxels.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"
brain=$SOURCE/examples/brain

# Coarser masks and electrodes spread over the surface, by the NIfTI standard and geometry alone.
cat >head.py <<'PYTHON'
import gzip, math, struct, sys

def read(path):
    data = gzip.open(path).read()
    offset, kind = int(struct.unpack_from("f", data, 108)[0]), struct.unpack_from("h", data, 70)[0]
    dims = struct.unpack_from("3h", data, 42)
    values = struct.unpack_from({2: "%dB", 16: "%df"}[kind] % (dims[0] * dims[1] * dims[2]), data, offset)
    return data[:offset], dims, [struct.unpack_from("4f", data, 280 + 16 * x) for x in range(3)], values

def place(affine, index):
    return [row[3] + sum(row[a] * index[a] for a in range(3)) for row in affine]

def indices(dims, values):
    return [(v % dims[0], v // dims[0] % dims[1], v // dims[0] // dims[1]) for v, value in enumerate(values) if value]

def coarsen(source, target, factor):  # voxels of which at least half are in the mask; one far from the rest
    head, dims, affine, values = read(source)
    count = {}
    for index in indices(dims, values):
        key = tuple(i // factor for i in index)
        count[key] = count.get(key, 0) + 1
    small = [n // factor for n in dims]
    out = bytearray(small[0] * small[1] * small[2])
    for (i, j, k), n in count.items():
        if i < small[0] and j < small[1] and k < small[2] and 2 * n >= factor**3:
            out[i + small[0] * (j + small[1] * k)] = 1
    out[0] = 1
    head = bytearray(head)
    struct.pack_into("3h", head, 42, *small)
    struct.pack_into("2h", head, 70, 2, 8)
    struct.pack_into("3f", head, 80, *(factor * math.hypot(*(row[a] for row in affine)) for a in range(3)))
    struct.pack_into("h", head, 252, 0)
    corner = place(affine, [0.5 * (factor - 1)] * 3)
    for x, row in enumerate(affine):
        struct.pack_into("4f", head, 280 + 16 * x, *(factor * value for value in row[:3]), corner[x])
    with gzip.open(target, "wb") as file:
        file.write(bytes(head) + bytes(out))

def electrodes(source, target, count, away):  # mm outward of the outermost voxels near directions of a spiral; the first one `away`
    head, dims, affine, values = read(source)
    points = [place(affine, index) for index in indices(dims, values) if index != (0, 0, 0)]
    center = [sum(p[x] for p in points) / len(points) for x in range(3)]
    with open(target, "w") as file:
        file.write("name\tx\ty\tz\n")
        for l in range(count):
            z, angle = 0.85 - 1.7 * (l + 0.5) / count, 2.399963 * l
            along = [math.sqrt(1 - z * z) * math.cos(angle), math.sqrt(1 - z * z) * math.sin(angle), z]
            reach = 0.0
            for p in points:
                d = [p[x] - center[x] for x in range(3)]
                if sum(d[x] * along[x] for x in range(3)) > 0.98 * math.hypot(*d): reach = max(reach, math.hypot(*d))
            reach += away if l == 0 else 2.0
            file.write("E%d\t%.2f\t%.2f\t%.2f\n" % (l + 1, *(center[x] + reach * along[x] for x in range(3))))

def mean(source, low, high, ball):  # of voxels whose centers are from low to high mm from a point
    head, dims, affine, values = read(source)
    near = [values[i + dims[0] * (j + dims[1] * k)] for i, j, k in indices(dims, values)
            if low <= math.dist(place(affine, (i, j, k)), ball) < high]
    print(sum(near) / len(near))

if sys.argv[1] == "coarsen": coarsen(sys.argv[2], sys.argv[3], int(sys.argv[4]))
elif sys.argv[1] == "electrodes": electrodes(sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5]))
elif sys.argv[1] == "mean": mean(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), [float(x) for x in sys.argv[5:8]])
PYTHON
python3 head.py coarsen "$brain/dwi_mask.nii.gz" mask6.nii.gz 3
python3 head.py coarsen "$brain/dwi_mask.nii.gz" mask8.nii.gz 4
python3 head.py electrodes mask8.nii.gz electrodes.tsv 20 2
python3 head.py electrodes mask8.nii.gz far.tsv 20 200

expect_exit 0 "$FINEGRAIN" fit "$brain/dwi.nii.gz" -o dti --pointwise --no-picture -q
tissue=(--closure hs2d --direction dti/direction_scanner.nii.gz --electrodes electrodes.tsv --electrode-radius 0.008)
expect_exit 0 "$FINEGRAIN" simulate --eit --mask mask6.nii.gz "${tissue[@]}" --order 1 --porosity 0.3 \
  --inclusions ball=0.03,0.04,0.085,0.025,0.7 --reference -o head.h5
has stderr "1 voxels are not connected"
expect_exit 0 "$FINEGRAIN" fit head.h5 --mask mask8.nii.gz "${tissue[@]}" -o out --json summary.json
has stderr "1 voxels are not connected"
jq -e '.weights.target_reached and .solver.converged' summary.json >/dev/null || fail "$(jq '.weights, .solver' summary.json)"
above "$(python3 head.py mean out/porosity.nii.gz 0 15 30 40 85)" 0.4 "mean porosity of an inclusion of 0.7 [1]"
below "$(python3 head.py mean out/porosity.nii.gz 45 200 30 40 85)" 0.33 "mean porosity far from it, 0.3 in truth [1]"
above "$(python3 head.py mean out/porosity.nii.gz 45 200 30 40 85)" 0.27 "mean porosity far from it, 0.3 in truth [1]"
cmp <(gzip -dc mask8.nii.gz | head -c 348 | tail -c 68) <(gzip -dc out/porosity.nii.gz | head -c 348 | tail -c 68) ||
  fail "porosity is not on the mask's grid"
for file in picture.png result.xdmf result.h5 direction_scanner.nii.gz conductivity.nii.gz status.nii.gz; do
  [ -s out/$file ] || fail "$file is missing"
done

expect_exit 3 "$FINEGRAIN" fit head.h5 --mask mask8.nii.gz "${tissue[@]}" --electrodes far.tsv -o no -q
one_line stderr
has stderr "electrode E1"
has stderr "mm from the mask's surface"
empty no
