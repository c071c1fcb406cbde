#!/usr/bin/env bash
# Prints the table of docs/solvers.md: every field solver on the same phantom and weight, to the same projected gradient.
# Usage: bench/solvers.sh BUILD_FOLDER [X,Y,Z]
set -euo pipefail

build=$(realpath "${1:?usage: bench/solvers.sh BUILD_FOLDER [X,Y,Z]}")
size=${2:-32,32,20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$build/finegrain" simulate --phantom mixed --size "$size" --orientation dispersed --snr 20 -o "$work/sim" -q

echo "| regularizer | solver | objective | projected gradient [1] | sweeps | TAO iterations | CPU, field [s] | ended by |"
echo "|---|---|---|---|---|---|---|---|"
for regularizer in "tikhonov 0.04" "tv 0.5" "joint 2"; do
  read -r name alpha <<<"$regularizer"
  for solver in sweep blmvm bqnls bncg bnls bntr; do
    code=0
    timeout 120 "$build/finegrain" fit "$work/sim/dwi.nii.gz" -o "$work/out" --force -q --no-picture --orientation dispersed --regularizer "$name" \
      --alpha "$alpha" --solver "$solver" --tolerance 0.01 --max-iterations 300 2>"$work/err" || code=$?
    if [ "$code" -ne 0 ] && [ "$code" -ne 4 ]; then
      echo "| $name | $solver | | | | | | exit code $code |"
      continue
    fi
    jq -r --arg name "$name" --arg solver "$solver" '"| \($name) | \($solver) | \(.solver.objective | . * 10 | round / 10) | \(.solver.projected_gradient_rms_whitened * 1e4 | round / 1e4) | \(.solver.sweeps) | \(.solver.iterations) | \(.seconds.cpu_rank_0.field * 10 | round / 10) | \(.solver.reason) |"' \
      "$work/out/summary.json"
  done
done
