#!/usr/bin/env python3
"""Rewrites a tensor volume as NIfTI stores it (1005: xx xy yy xz yz zz, image axes) in another program's order and frame, from the
documents of those programs and without finegrain's code.

usage: reorder_tensor.py IN.nii.gz fsl|mrtrix OUT.nii.gz
  fsl     4-D: xx xy xz yy yz zz; image axes with x negated where the affine's determinant is positive
  mrtrix  4-D: xx yy zz xy xz yz; scanner axes
"""
import gzip
import struct
import sys
from array import array

source, order, target = sys.argv[1:]
raw = gzip.open(source).read()
dim = list(struct.unpack_from("<8h", raw, 40))
n = dim[1] * dim[2] * dim[3]
assert dim[0] == 5 and dim[5] == 6 and struct.unpack_from("<h", raw, 70)[0] == 16
values = array("f", raw[352:352 + 4 * 6 * n])
affine = [struct.unpack_from("<4f", raw, 280 + 16 * row)[:3] for row in range(3)]
lengths = [sum(affine[i][j] ** 2 for i in range(3)) ** 0.5 for j in range(3)]
R = [[affine[i][j] / lengths[j] for j in range(3)] for i in range(3)]
det = sum(R[0][i] * (R[1][(i + 1) % 3] * R[2][(i + 2) % 3] - R[1][(i + 2) % 3] * R[2][(i + 1) % 3]) for i in range(3))
place = {(0, 0): 0, (0, 1): 1, (1, 1): 2, (0, 2): 3, (1, 2): 4, (2, 2): 5}
if order == "fsl":
    frame = [[-1 if det > 0 else 1, 0, 0], [0, 1, 0], [0, 0, 1]]
    wanted = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
else:
    frame = R
    wanted = [(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)]
out = array("f", bytes(4 * 6 * n))
for v in range(n):
    T = [[values[place[min(a, b), max(a, b)] * n + v] for b in range(3)] for a in range(3)]
    for k, (a, b) in enumerate(wanted):
        out[k * n + v] = sum(frame[a][i] * T[i][j] * frame[b][j] for i in range(3) for j in range(3))
head = bytearray(raw[:352])
struct.pack_into("<8h", head, 40, 4, dim[1], dim[2], dim[3], 6, 1, 1, 1)
struct.pack_into("<f", head, 56, 0.0)  # intent_p1
struct.pack_into("<h", head, 68, 0)    # intent_code
with open(target, "wb") as file:
    file.write(gzip.compress(bytes(head) + out.tobytes(), 1, mtime=0))
