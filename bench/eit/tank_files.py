"""Kuopio tank phantoms as files for finegrain: tank1.h5 ... and truth1.nii.gz ..., from one HDF5 file of the challenge's training data.

Usage: python3 tank_files.py TRAINING.h5 FOLDER

TRAINING.h5 holds injection [32 x 76, mA per metre depth], measurement_pattern [32 x 31], reference_voltage [76 x 31, V] and
training/N/{voltage [76 x 31, V], truth [256 x 256: 0 water, 1 resistive, 2 conductive]}. The tank is a disc of 0.115 m, electrodes are
5.625 degrees wide, the first at 12 o'clock, the others counter-clockwise; rows of a truth run from the top down. Noise and contact
impedance: as `finegrain import ktc2023` sets them.
"""
import gzip
import struct
import sys

import h5py
import numpy

RADIUS = 0.115  # [m]


def write_measurement(path, data, voltage):
    current = 1e-3 * data["injection"][:].T
    electrodes = current.shape[1]
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["format"] = numpy.bytes_("finegrain-eit")
        file.attrs["version"] = 1
        file.attrs["relative_noise"] = 5e-4
        file.attrs["absolute_noise"] = 1e-4 * numpy.abs(voltage).max()

        def put(name, values, unit):
            file[name] = values
            file[name].attrs["unit"] = numpy.bytes_(unit)

        put("contact_impedance", numpy.full(electrodes, 1e-3), "ohm m^2")
        put("current", current, "A")
        put("measurement_pattern", data["measurement_pattern"][:].T, "1")
        put("voltage", voltage, "V")
        put("reference_voltage", data["reference_voltage"][:], "V")
        put("tank/radius", RADIUS, "m")
        put("tank/angle", numpy.pi / 2 + 2 * numpy.pi / electrodes * numpy.arange(electrodes), "rad")
        put("tank/width", numpy.full(electrodes, RADIUS * numpy.radians(5.625)), "m")


def write_labels(path, labels):
    """NIfTI over the square around the disc, x to the right, y up, mm."""
    rows, columns = labels.shape
    step = 2e3 * RADIUS / columns
    corner = -1e3 * RADIUS + step / 2
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, columns, rows, 1, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, 1, step, step, step, 0, 0, 0, 0)
    struct.pack_into("<f", header, 108, 352)
    header[123] = 2
    struct.pack_into("<2h", header, 252, 0, 1)
    struct.pack_into("<12f", header, 280, step, 0, 0, corner, 0, step, 0, corner, 0, 0, step, 0)
    header[344:348] = b"n+1\0"
    with gzip.open(path, "wb") as file:
        file.write(bytes(header) + labels[::-1].astype("u1").tobytes())


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with h5py.File(sys.argv[1]) as data:
        for name, sample in data["training"].items():
            write_measurement(f"{sys.argv[2]}/tank{name}.h5", data, sample["voltage"][:])
            write_labels(f"{sys.argv[2]}/truth{name}.nii.gz", sample["truth"][:])


main()
