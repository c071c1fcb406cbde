#!/usr/bin/env python3
"""Reads the maps of a fit by the NIfTI-1 standard alone, without finegrain's own code, and says what is not as docs/formats.md has it.

usage: check_maps.py INPUT.nii.gz FOLDER
Headers: sizes, types, intents, transforms equal to the input's, codes, units, display range, unused bytes zero.
Voxels: directions of unit length and the same in both frames; the tensor's eigenvector and mean; colors.
Sidecars: description, units, version, frame. Prints one line a fault; exit code 1 where there is one.
"""
import gzip
import json
import math
import os
import struct
import sys

FLOAT, UINT8, RGB24 = (16, 32), (2, 8), (128, 24)
# map: type, dims after x y z, intent code, intent name, display range (None: not empty), unit, ReferenceAxes
MAPS = {
    "porosity": (FLOAT, [], 0, "", (0, 1), "1", None),
    "S0": (FLOAT, [], 0, "", None, "signal", None),
    "FA": (FLOAT, [], 0, "", (0, 1), "1", None),
    "MD": (FLOAT, [], 0, "", (0, 3e-3), "mm^2/s", None),
    "chi2": (FLOAT, [], 0, "", (0, 4), "1", None),
    "status": (UINT8, [], 0, "", (0, 63), "bits", None),
    "mask": (UINT8, [], 0, "", (0, 1), "1", None),
    "direction_fsl": (FLOAT, [3], 2003, "V1", (-1, 1), "1", "bvec"),
    "direction_scanner": (FLOAT, [3], 0, "", (-1, 1), "1", "xyz"),
    "dec": (RGB24, [], 0, "", (0, 255), "1", None),
    "dec_float": (FLOAT, [3], 0, "", (0, 1), "1", None),
    "tensor": (FLOAT, [1, 6], 1005, "tensor", None, "mm^2/s", "ijk"),
    "porosity_std": (FLOAT, [], 0, "", (0, 0.25), "1", None),
    "S0_std": (FLOAT, [], 0, "", None, "signal", None),
    "FA_std": (FLOAT, [], 0, "", (0, 0.25), "1", None),
    "MD_std": (FLOAT, [], 0, "", (0, 5e-4), "mm^2/s", None),
    "direction_cone": (FLOAT, [], 0, "", (0, 45), "degree", None),
}
OPTIONAL = {"kappa": MAPS["FA"], "planarity": MAPS["FA"], "kappa_std": MAPS["FA_std"], "planarity_std": MAPS["FA_std"]}
faults = []


def expect(holds, text):
    if not holds:
        faults.append(text)


class Image:
    def __init__(self, path):
        self.bytes = gzip.open(path).read()
        self.dim = self.get("8h", 40)
        self.pixdim = self.get("8f", 76)
        self.type = self.get("2h", 70)
        self.qcode, self.scode = self.get("2h", 252)
        self.affine = [self.get("4f", 280 + 16 * row) for row in range(3)]
        self.n = self.dim[1] * self.dim[2] * self.dim[3]

    def get(self, form, offset):
        return struct.unpack_from("<" + form, self.bytes, offset)

    def determinant(self):
        (a, b, c, _), (d, e, f, _), (g, h, i, _) = self.affine
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)

    def rotation(self):
        lengths = [math.sqrt(sum(row[j] ** 2 for row in self.affine)) for j in range(3)]
        return [[row[j] / lengths[j] for j in range(3)] for row in self.affine]

    def voxel(self, v):
        """All values of voxel v."""
        if self.type == RGB24:
            return self.get("3B", 352 + 3 * v)
        form, size = ("f", 4) if self.type == FLOAT else ("B", 1)
        return [self.get(form, 352 + size * (c * self.n + v))[0] for c in range((len(self.bytes) - 352) // (size * self.n))]


def quaternion_affine(image):
    """The qform as a matrix: nifti1.h, METHOD 2."""
    b, c, d, x, y, z = image.get("6f", 256)
    a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
    factor = -1 if image.pixdim[0] < 0 else 1
    scale = [image.pixdim[1], image.pixdim[2], factor * image.pixdim[3]]
    R = [[a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
         [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
         [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c]]
    return [[R[i][j] * scale[j] for j in range(3)] + [(x, y, z)[i]] for i in range(3)]


def distance(one, other):
    return max(abs(p - q) for rows in zip(one, other) for p, q in zip(*rows))


def check_header(name, image, source, known):
    kind, more, intent, intent_name, shown, _, _ = known
    expect(image.get("i", 0)[0] == 348, f"{name}: sizeof_hdr")
    dim = [3 + len(more), *source.dim[1:4], *more]
    expect(list(image.dim) == dim + [1] * (8 - len(dim)), f"{name}: dim {image.dim}, expected {dim}")
    expect(image.type == kind, f"{name}: datatype and bitpix {image.type}, expected {kind}")
    values = math.prod(dim[1:])
    expect(len(image.bytes) == 352 + values * kind[1] // 8, f"{name}: {len(image.bytes)} bytes")
    expect(image.pixdim[0] == math.copysign(1, source.determinant()), f"{name}: pixdim[0] {image.pixdim[0]}")
    expect(all(abs(p - q) < 1e-5 * q for p, q in zip(image.pixdim[1:4], source.pixdim[1:4])), f"{name}: pixdim {image.pixdim}")
    expect(image.get("f", 108)[0] == 352, f"{name}: vox_offset")
    expect(image.get("2f", 112) == (1, 0), f"{name}: scl_slope, scl_inter {image.get('2f', 112)}")
    expect(image.bytes[123] == 2 + 8, f"{name}: xyzt_units {image.bytes[123]}, expected mm and s")
    high, low = image.get("2f", 124)
    expect(low < high if shown is None else max(abs(low - shown[0]), abs(high - shown[1])) < 1e-9, f"{name}: display {low} {high}")
    expect(image.get("h", 68)[0] == intent, f"{name}: intent {image.get('h', 68)[0]}, expected {intent}")
    expect(image.get("3f", 56) == (3.0 if intent == 1005 else 0, 0, 0), f"{name}: intent parameters {image.get('3f', 56)}")
    expect(image.bytes[328:344] == intent_name.encode().ljust(16, b"\0"), f"{name}: intent name {image.bytes[328:344]}")
    description = image.bytes[148:228].rstrip(b"\0")
    expect(description.startswith(b"finegrain ") and description.endswith(b" " + name.encode()) and b"\0" not in description,
           f"{name}: descrip {description}")
    codes = (source.qcode or source.scode, source.scode or source.qcode)
    expect((image.qcode, image.scode) == codes and 0 not in codes, f"{name}: codes {image.qcode} {image.scode}, expected {codes}")
    expect(distance(image.affine, source.affine) < 1e-5, f"{name}: sform {image.affine}")
    expect(distance(quaternion_affine(image), source.affine) < 1e-3, f"{name}: qform {quaternion_affine(image)}")
    expect(image.bytes[344:348] == b"n+1\0", f"{name}: magic")
    unused = image.bytes[4:38] + image.bytes[39:40] + image.bytes[74:76] + image.bytes[120:123] + image.bytes[132:148] \
        + image.bytes[228:252] + image.bytes[348:352]
    expect(not any(unused), f"{name}: unused bytes {unused}")
    expect(image.bytes[38:39] in (b"\0", b"r"), f"{name}: regular {image.bytes[38:39]}")  # ANALYZE's mark


def check_sidecar(name, folder, known):
    with open(f"{folder}/{name}.json") as file:
        sidecar = json.load(file)
    for key in ("Description", "Units", "Range", "GeneratedBy", "Version", "Model", "Sources", "Noise"):
        expect(key in sidecar, f"{name}.json: {key} is absent")
    expect(sidecar.get("Units") == known[5], f"{name}.json: Units {sidecar.get('Units')}, expected {known[5]}")
    expect(sidecar.get("ReferenceAxes") == known[6], f"{name}.json: ReferenceAxes {sidecar.get('ReferenceAxes')}")
    expect(all(len(source["SHA256"]) == 64 for source in sidecar.get("Sources", [])), f"{name}.json: SHA256")


def times(matrix, vector):
    return [sum(m * x for m, x in zip(row, vector)) for row in matrix]


def norm(vector):
    return math.sqrt(sum(x * x for x in vector))


def check_voxel(v, images, to_scanner, fsl_to_image):
    fsl, scanner = images["direction_fsl"].voxel(v), images["direction_scanner"].voxel(v)
    image = times(fsl_to_image, fsl)
    xx, xy, yy, xz, yz, zz = images["tensor"].voxel(v)
    D = [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]
    Dn = times(D, image)
    eigenvalue = sum(p * q for p, q in zip(Dn, image))
    fa, md = images["FA"].voxel(v)[0], images["MD"].voxel(v)[0]
    square = sum(x * x for row in D for x in row)
    anisotropy = math.sqrt(max(0.0, 1.5 * (1 - (xx + yy + zz) ** 2 / 3 / square)))
    expect(abs(norm(scanner) - 1) < 1e-5 and abs(norm(fsl) - 1) < 1e-5, f"voxel {v}: |direction| {norm(scanner)} {norm(fsl)}")
    expect(norm([p - q for p, q in zip(times(to_scanner, image), scanner)]) < 1e-5, f"voxel {v}: frames {fsl} {scanner}")
    expect(abs(md - (xx + yy + zz) / 3) < 1e-8, f"voxel {v}: MD {md}, trace {(xx + yy + zz)}")
    expect(abs(fa - anisotropy) < 1e-3, f"voxel {v}: FA {fa}, of the tensor {anisotropy}")
    expect(norm([p - eigenvalue * q for p, q in zip(Dn, image)]) < 1e-3 * eigenvalue, f"voxel {v}: D n {Dn}, n {image}")
    expect(eigenvalue > md * (1 - 1e-5), f"voxel {v}: the direction is not the tensor's largest axis")
    color = [fa * abs(x) for x in scanner]
    expect(norm([p - q for p, q in zip(images["dec_float"].voxel(v), color)]) < 1e-5, f"voxel {v}: dec_float")
    expect(max(abs(p - 255 * q) for p, q in zip(images["dec"].voxel(v), color)) <= 0.501, f"voxel {v}: dec")


def main():
    source, folder = Image(sys.argv[1]), sys.argv[2]
    known = dict(MAPS)
    known.update({name: spec for name, spec in OPTIONAL.items() if os.path.exists(f"{folder}/{name}.nii.gz")})
    images = {}
    for name, spec in known.items():
        images[name] = Image(f"{folder}/{name}.nii.gz")
        check_header(name, images[name], source, spec)
        check_sidecar(name, folder, spec)
    to_scanner = source.rotation()
    fsl_to_image = [[-1 if source.determinant() > 0 else 1, 0, 0], [0, 1, 0], [0, 0, 1]]
    checked = 0
    for v in range(0, source.n, max(1, source.n // 20000)):
        usable = images["mask"].voxel(v)[0] and not images["status"].voxel(v)[0] & 2
        if usable and not faults:
            check_voxel(v, images, to_scanner, fsl_to_image)
            checked += 1
        if not images["mask"].voxel(v)[0]:
            expect(not any(any(image.voxel(v)) for image in images.values()), f"voxel {v}: values outside the mask")
    expect(checked > 100, f"only {checked} voxels to check")
    for fault in faults[:20]:
        print(fault)
    sys.exit(1 if faults else 0)


main()
