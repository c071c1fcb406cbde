"""Score of labels against the truth, as the Kuopio Tomography Challenge 2023 defines it: 1 is perfect.

Usage: python3 score.py LABELS.nii.gz TRUTH.nii.gz

Labels 0 background, 1 resistive, 2 conductive. The score is the mean of two structural similarity indices (Wang et al., IEEE Trans. Image
Process. 13 (2004) 600), of the masks of label 1 and of label 2, each the mean over all pixels, with c1 = 1e-4, c2 = 9e-4 and Gaussian
weights of standard deviation 80 pixels, cut at 160 and normalized over the pixels that are inside the image.
"""
import gzip
import struct
import sys

import numpy


def read(path):
    data = (gzip.open if path.endswith(".gz") else open)(path, "rb").read()
    dims = struct.unpack_from("<8h", data, 40)
    kind = {2: "u1", 4: "<i2", 16: "<f4"}[struct.unpack_from("<h", data, 70)[0]]
    start = int(struct.unpack_from("<f", data, 108)[0])
    return numpy.frombuffer(data, kind, dims[1] * dims[2], start).reshape(dims[2], dims[1])


def weights(n):
    distance = numpy.abs(numpy.subtract.outer(numpy.arange(n), numpy.arange(n)))
    return numpy.exp(-0.5 * (distance / 80.0) ** 2) * (distance <= 160)


def similarity(a, b):
    left, right = weights(a.shape[0]), weights(a.shape[1])
    inside = left @ numpy.ones(a.shape) @ right

    def mean(values):
        return left @ values @ right / inside

    mean_a, mean_b = mean(a), mean(b)
    variance_a, variance_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    above = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
    return numpy.mean(above / ((mean_a**2 + mean_b**2 + 1e-4) * (variance_a + variance_b + 9e-4)))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    labels, truth = read(sys.argv[1]), read(sys.argv[2])
    if labels.shape != truth.shape:
        sys.exit(f"score: {sys.argv[1]} is {labels.shape}, {sys.argv[2]} is {truth.shape}: expected one grid")
    print(f"{numpy.mean([similarity(1.0 * (labels == k), 1.0 * (truth == k)) for k in (1, 2)]):.4f}")


main()
