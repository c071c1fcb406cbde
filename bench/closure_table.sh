#!/usr/bin/env bash
# Prints the table of docs/closures.md for `--closure table:FILE`: a table of 20 x 13 cell problems on 128 x 128 and 256 x 256 voxels, what it
# took to solve, and how far its interpolation is from cell problems that were solved between its points.
# Usage: bench/closure_table.sh BUILD_FOLDER
set -euo pipefail

build=$(realpath "${1:?usage: bench/closure_table.sh BUILD_FOLDER}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --build "$build" --target finegrain compare_tables >&2
cd "$work"

sweep() { # FILE RESOLUTION AXIS...
  "$build/finegrain" homogenize --geometry square-cylinders --resolution "$2" --physics conduction --sweep "${@:3}" -o "$1" | tail -1
}
for resolution in 128 256; do
  echo "$resolution x $resolution voxels:"
  sweep "table$resolution.h5" "$resolution" fraction=0.02:0.78:20 contrast=1e-3:1e3:13
  sweep "between$resolution.h5" "$resolution" fraction=0.04:0.76:19 contrast=0.0017,0.02,0.1,2,10,50,177,1000 >&2
  printf '\n| contrast | f up to 0.5 | up to 0.7 | up to 0.78 |\n|---|---|---|---|\n'
  for most in 0.51 0.705 0.78; do "$build/tests/compare_tables" "table$resolution.h5" "between$resolution.h5" "$most" >"deviation.$most"; done
  paste -d' ' deviation.0.51 deviation.0.705 deviation.0.78 | awk '{ print "| " $1 " | " $2 " | " $4 " | " $6 " |" }'
  echo
done
