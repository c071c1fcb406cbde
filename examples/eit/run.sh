#!/usr/bin/env bash
# A tank with a conductive and a resistive inclusion: simulated, then fitted.
#
# usage: examples/eit/run.sh [FOLDER]     (default: out/eit); $FINEGRAIN names the program
set -euo pipefail
cd "$(dirname "$0")/../.."
finegrain=${FINEGRAIN:-build/release/finegrain}
out=${1:-out/eit}
mkdir -p "$out"

# Two discs [x, y, radius in m, conductivity in S/m] in water of 1 S/m, 16 electrodes, 0.1 % noise, and the same tank without them.
"$finegrain" simulate --eit --radius 0.1 --electrode-count 16 --conductivity 1 --inclusions disc=0.04,0.02,0.02,3 disc=-0.04,-0.01,0.025,0.2 \
  --reference --seed 1 -o "$out/tank.h5" --force

# One command: the reference gives the background, the weight of total variation is chosen from the noise.
"$finegrain" fit "$out/tank.h5" -o "$out/fit" --model-error 0.01 --force
"$finegrain" segment "$out/fit/conductivity.nii.gz" -o "$out/fit/labels.nii.gz" --force
