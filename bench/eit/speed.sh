#!/usr/bin/env bash
# What the complete electrode model costs: forward evaluation, gradient, Gauss-Newton action, dense Jacobian, memory, against EIDORS on the
# same meshes in the same run. Table of docs/performance.md.
# Usage: bench/eit/speed.sh BUILD_FOLDER [EIDORS_FOLDER]     prints Markdown tables; writes eit_speed.json in the current folder
#   EIDORS_FOLDER  where bench/eit/install-eidors put it; without it no ratios
#   LARGEST        tetrahedra of the largest mesh for conjugate gradients (default 2000000, some 4 GiB)
# First: ninja -C BUILD_FOLDER bench_eit. CPU seconds of one rank, the least of three runs (EIDORS: one).
set -euo pipefail

build=$(realpath "${1:?usage: bench/eit/speed.sh BUILD_FOLDER [EIDORS_FOLDER]}")
eidors=${2:+$(realpath "$2")}
largest=${LARGEST:-2000000}
here=$(realpath "$(dirname "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
program="$build/bench/bench_eit"
[ -x "$program" ] || { echo "bench/eit/speed.sh: $program is missing; ninja -C $build bench_eit" >&2; exit 2; }
: >"$work/runs"

# ours SHAPE ELEMENTS ELECTRODES SOLVER REPEAT [FOLDER]
ours() {
  timeout "${MAX_SECONDS:-600}" "$program" "$1" "$2" "$3" 1 "$4" "$5" "${@:6}" |
    jq -c --arg shape "$1" --argjson electrodes "$3" --arg solver "$4" '{shape: $shape, electrodes: $electrodes, solver: $solver} + .' |
    tee -a "$work/runs"
}

if [ -n "$eidors" ]; then
  echo "| mesh | what | finegrain | EIDORS | ratio | limit | |"
  echo "|---|---|---|---|---|---|---|"
  for case in disc,50000,32 cylinder,238000,16; do
    IFS=, read -r shape elements electrodes <<<"$case"
    mkdir "$work/$shape"
    one=$(ours "$shape" "$elements" "$electrodes" auto 3 "$work/$shape")
    peer=$(cd "$work/$shape" && octave-cli --no-gui --eval "run('$eidors/eidors/eidors/startup.m'); cd('$work/$shape'); source('$here/eidors.m')" \
      2>/dev/null | grep '^{')
    jq -c '{peer: "EIDORS"} + .' <<<"$peer" >>"$work/runs"
    jq -rn --argjson a "$one" --argjson b "$peer" --arg mesh "$shape, $elements elements, $electrodes electrodes" '
      def row($what; $x; $y; $limit): "| \($mesh) | \($what) | \($x) | \($y) | \($x / $y * 1000 | round / 1000) | \($limit) | \(if $x / $y <= $limit then "met" else "missed" end) |";
      row("forward [s]"; $a.forward; $b.forward; 0.333), row("dense Jacobian [s]"; $a.jacobian; $b.jacobian; 0.2), row("peak memory [bytes]"; $a.peak; $b.peak; 1)'
    paste "$work/$shape/voltages.txt" "$work/$shape/voltages_eidors.txt" |
      awk '{d = $1 - $2; s += d * d; n += $2 * $2} END {printf "Voltages of both programs differ by %.2g of their norm.\n", sqrt(s / n)}' >>"$work/agree"
  done
  # The same inversion at a like misfit: 3,400 elements, smooth prior: homogeneous start and field [wall s], as EIDORS' inv_solve [CPU s], and the whole program
  # [CPU s], with mesh, files and start-up. EIDORS' weight is the one of three with the least chi-squared above ours
  mkdir "$work/inverse"
  "$build/finegrain" simulate --eit --radius 1 --amplitude 1 --impedance 0.01 --electrode-count 32 --inclusions disc=0.4,0,0.25,2 \
    -o "$work/inverse/measured.h5" -q
  "$program" disc 3400 32 1 auto 1 "$work/inverse" >/dev/null
  TIMEFORMAT=%U
  { time "$build/finegrain" fit "$work/inverse/measured.h5" --elements 3400 --order 1 --regularizer tikhonov --alpha 1 --no-picture \
    -o "$work/inverse/out" -q; } 2>"$work/seconds"
  one=$(jq -c --argjson seconds "$(tail -n 1 "$work/seconds")" '{seconds: $seconds, fit: (.seconds.wall.background + .seconds.wall.field), chi2: .fit.chi2, factorizations: .counts.factorizations}' \
    "$work/inverse/out/summary.json")
  (cd "$work/inverse" && octave-cli --no-gui --eval "run('$eidors/eidors/eidors/startup.m'); cd('$work/inverse'); background = 1.0;
    weights = [3 10 30]; source('$here/eidors_inverse.m')" 2>/dev/null | grep -o '{.*}') >"$work/peer"
  jq -c '{case: "inverse"} + .' <<<"$one" >>"$work/runs"
  jq -c '{case: "inverse", peer: "EIDORS"} + .' "$work/peer" >>"$work/runs"
  jq -rn --argjson a "$one" --slurpfile b "$work/peer" '($b | map(select(.chi2 >= $a.chi2)) | min_by(.chi2)) // ($b | max_by(.chi2)) |
    def row($what; $x): "| disc, 3400 elements, 32 electrodes | \($what), chi-squared \($a.chi2 | round) and \(.chi2 | round) [s] | \($x * 100 | round / 100) | \(.seconds) | \($x / .seconds * 1000 | round / 1000) | 0.1 | \(if $x / .seconds <= 0.1 then "met" else "missed" end) |";
    row("Gauss-Newton inversion"; $a.fit), row("the same, whole program"; $a.seconds),
    "| | its factorizations | \($a.factorizations) | | | 25 | \(if $a.factorizations <= 25 then "met" else "missed" end) |"'
  echo
  cat "$work/agree"
  echo
fi

echo "| mesh | solver | forward [s] | action over forward (limit 0.5) | action, one of many [s] | gradient [s] | iterations | peak [bytes/element] |"
echo "|---|---|---|---|---|---|---|---|"
for case in disc,10000,32,auto disc,50000,32,auto disc,200000,32,auto cylinder,50000,16,auto cylinder,238000,16,auto cylinder,50000,16,cg cylinder,238000,16,cg \
  cylinder,1000000,16,cg cylinder,2000000,16,cg; do
  IFS=, read -r shape elements electrodes solver <<<"$case"
  [ "$elements" -le "$largest" ] || continue
  ours "$shape" "$elements" "$electrodes" "$solver" 2 | jq -r '["\(.shape), \(.elements)", .solver, .forward, (.action / .forward * 1000 | round / 1000), .many, .gradient,
    .iterations, .bytes_per_element] | map(tostring) | "| " + join(" | ") + " |"'
done

echo
echo "| mesh, conjugate gradients | matrix [MB] | hierarchy over matrix | read in an iteration over matrix | one pass [ms] | product over pass | iteration over pass |"
echo "|---|---|---|---|---|---|---|"
jq -r 'select(.solver == "cg") | [.elements, .matrix / 1e6, .hierarchy / .matrix, .read / .matrix, .pass * 1e3, .multiply / .pass, .iteration / .pass] |
  map(. * 10 | round / 10 | tostring) | "| " + join(" | ") + " |"' "$work/runs"
jq -s . "$work/runs" >eit_speed.json
