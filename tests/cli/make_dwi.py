#!/usr/bin/env python3
"""Writes a small diffusion-weighted volume NAME.nii.gz with NAME.bval and NAME.bvec, from the NIfTI-1 standard alone and
without finegrain's own code: a ball of fibers along +x (image axes) in one half and +y in the other, S = S0 exp(-b g.Dg).

usage: make_dwi.py NAME [key=value ...]
  size=12x12x8 voxels=2x2x2 [mm] b=1000 [s/mm^2] noise=20 (standard deviation, signal units; S0 is 1000) seed=1 repeats=1
  volumes=N         only the first N: 1 makes a map
  det=-1 or 1       sign of the affine's determinant
  bad=KIND          header faults: magic, dims, datatype, offset, pixdim, slope, sform, truncated, crc
  voxel=VALUE       this value in all volumes of the voxel at the center: nan, inf, 0, -5
"""
import gzip
import math
import random
import struct
import sys


def directions():
    """12 vertices of the icosahedron's half and its dual: 16 directions in all, well spread."""
    golden = (1 + math.sqrt(5)) / 2
    vertices = [(0, 1, golden), (0, 1, -golden), (1, golden, 0), (1, -golden, 0), (golden, 0, 1), (-golden, 0, 1)]
    faces = [(1, 1, 1), (1, 1, -1), (1, -1, 1), (-1, 1, 1)]
    faces += [(0, 1 / golden, golden), (0, 1 / golden, -golden), (1 / golden, golden, 0), (1 / golden, -golden, 0),
              (golden, 0, 1 / golden), (-golden, 0, 1 / golden)]
    return [tuple(x / math.sqrt(sum(y * y for y in v)) for x in v) for v in vertices + faces]


def header(options, dims, spacing, volumes):
    sign = float(options.get("det", "-1"))
    bad = options.get("bad", "")
    dim = [4, *dims, volumes, 1, 1, 1]
    pixdim = [sign, *spacing, 1.0, 0.0, 0.0, 0.0]
    offset, slope, datatype, bitpix, magic = 352.0, 1.0, 16, 32, b"n+1\0"
    srow = [[sign * spacing[0], 0, 0, 0], [0, spacing[1], 0, 0], [0, 0, spacing[2], 0]]
    if bad == "magic":
        magic = b"xyz\0"
    if bad == "dims":
        dim[1] = 0
    if bad == "datatype":
        bitpix = 64
    if bad == "offset":
        offset = float("inf")
    if bad == "pixdim":
        pixdim[2] = float("nan")
    if bad == "slope":
        slope = float("nan")
    if bad == "sform":
        srow[1] = list(srow[0])
    head = struct.pack("<i10s18sihcB", 348, b"", b"", 0, 0, b"r", 0)
    head += struct.pack("<8h3fhhhh8ff", *dim, 0, 0, 0, 0, datatype, bitpix, 0, *pixdim, offset)
    head += struct.pack("<ffhcBffffii", slope, 0, 0, b"\0", 2 + 8, 0, 0, 0, 0, 0, 0)
    head += struct.pack("<80s24shh6f", b"made for a test", b"", 0, 1, 0, 0, 0, 0, 0, 0)
    for row in srow:
        head += struct.pack("<4f", *row)
    head += struct.pack("<16s4s", b"", magic)
    assert len(head) == 348
    return head + b"\0\0\0\0"


def main():
    name, options = sys.argv[1], dict(argument.split("=", 1) for argument in sys.argv[2:])
    dims = [int(x) for x in options.get("size", "12x12x8").split("x")]
    spacing = [float(x) for x in options.get("voxels", "2x2x2").split("x")]
    b, noise = float(options.get("b", 1000)), float(options.get("noise", 20))
    rng = random.Random(int(options.get("seed", 1)))
    table = [(0.0, (0, 0, 0))] * 2 + [(b, g) for g in directions()] * int(options.get("repeats", 1))
    table = table[:int(options.get("volumes", len(table)))]
    axial, radial = 1.6e-3, 0.5e-3  # [mm^2/s]
    values = []
    for weight, g in table:
        signal = [1000 * math.exp(-weight * (radial + (axial - radial) * g[axis] ** 2)) for axis in (0, 1)]
        for k in range(dims[2]):
            for j in range(dims[1]):
                for i in range(dims[0]):
                    place = [(p + 0.5) / n - 0.5 for p, n in zip((i, j, k), dims)]
                    inside = sum(p * p for p in place) < 0.18
                    value = signal[0 if place[0] < 0 else 1] if inside else 5.0
                    values.append(abs(value + rng.gauss(0, noise)))
    if "voxel" in options:
        center = (dims[2] // 2 * dims[1] + dims[1] // 2) * dims[0] + dims[0] // 2
        for v in range(len(table)):
            values[v * dims[0] * dims[1] * dims[2] + center] = float(options["voxel"])
    raw = header(options, dims, spacing, len(table)) + struct.pack("<%df" % len(values), *values)
    if options.get("bad") == "truncated":
        raw = raw[:len(raw) // 2]
    packed = gzip.compress(raw, 1, mtime=0)
    if options.get("bad") == "crc":
        packed = packed[:-8] + bytes(4) + packed[-4:]
    with open(name + ".nii.gz", "wb") as file:
        file.write(packed)
    with open(name + ".bval", "w") as file:
        file.write(" ".join("%g" % weight for weight, _ in table) + "\n")
    # FSL: image axes, x negated where the determinant is positive
    flip = -1 if float(options.get("det", "-1")) > 0 else 1
    with open(name + ".bvec", "w") as file:
        for axis in range(3):
            file.write(" ".join("%.6f" % ((flip if axis == 0 else 1) * g[axis]) for _, g in table) + "\n")


main()
