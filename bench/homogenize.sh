#!/usr/bin/env bash
# Cell problems: time, memory and scaling of `finegrain homogenize` as ratios within one run, with their limits. Tables of docs/performance.md.
# Usage: bench/homogenize.sh BUILD_FOLDER [PART,...]     prints Markdown tables; writes homogenize.json in the current folder
# Seconds of solves include plans, assembly and set-up, not the tensors and derivatives from their results.
#   parts: multigrid  FFT-preconditioned solver against conjugate gradients with BoomerAMG on the same matrix, set-up included
#          cost       solve over its own Fourier transforms, memory a voxel, twice the resolution
#          ranks      two ranks against one
#          sweep      20 x 13 table at 128 x 128
#          library    the solver's own conjugate gradients against PETSc's, same operator and preconditioner
#          peer       FANS on the same image, one load (FANS: its program, built by bench/homogenize-install; left out where not given)
#   RESOLUTION  of the cells (default 128; ranks and growth take twice as much); limits are meant for 128
#   REPEAT      runs of which the fastest counts (default 2; BoomerAMG and FANS: 1)
# Cells: equal spheres at random places, fraction 0.3, seed 1; relative residual 1e-6; one rank but for `ranks`.
set -euo pipefail

build=$(realpath "${1:?usage: bench/homogenize.sh BUILD_FOLDER [PART,...]}")
parts=${2:-multigrid,cost,ranks,sweep,library,peer}
n=${RESOLUTION:-128}
repeat=${REPEAT:-2}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
spheres=(--geometry random-spheres --fraction 0.3 --seed 1)
: >"$work/checks"
: >"$work/runs"

wants() { [[ ,$parts, == *,$1,* ]]; }

# run NAME RANKS TIMES OPTION...: runs homogenize TIMES times, keeps the fastest run's JSON with what the system measured in $work/NAME.json
run() {
  local name=$1 ranks=$2 times=$3 program=("$build/finegrain") code best=""
  shift 3
  [ "$ranks" -eq 1 ] || program=(mpiexec --oversubscribe -n "$ranks" "${program[@]}")
  for ((i = 0; i < times; i++)); do
    code=0
    timeout "${MAX_SECONDS:-240}" /usr/bin/time -o "$work/time" -f '{"wall":%e,"user":%U,"peak_kib":%M}' "${program[@]}" homogenize "$@" \
      --tolerance 1e-6 --no-estimate --force -q --json "$work/one.json" 2>"$work/err" || code=$?
    if [ "$code" -ne 0 ]; then
      sed 's/^/bench\/homogenize: /' "$work/err" >&2
      echo "bench/homogenize: $name: exit code $code" >&2
      return 1
    fi
    jq -c --arg name "$name" --argjson ranks "$ranks" --slurpfile system <(tail -n 1 "$work/time") '{name: $name, ranks: $ranks, command,
      system: $system[0], voxels: (.cell.voxels // [0] | .[0] * .[1] * .[2]), physics: [.physics[]? | {name, seconds, bytes_per_voxel, solves,
      effective: [.effective[] | select(.name == "K" or .name == "C") | {name, value}]}]}' "$work/one.json" >"$work/kept.json"
    if [ -z "$best" ] || jq -en --slurpfile a "$work/kept.json" --slurpfile b "$work/$name.json" \
      '$a[0].physics[0].seconds < $b[0].physics[0].seconds' >/dev/null; then
      mv "$work/kept.json" "$work/$name.json"
      best=1
    fi
  done
  cat "$work/$name.json" >>"$work/runs"
}

# of NAME FILTER: a number out of a run
of() { jq -r "$2" "$work/$1.json"; }
first='.physics[0].solves[0].seconds'
all='[.physics[0].solves[].seconds] | add'
whole='.physics[0].seconds'
iterations='[.physics[0].solves[].iterations] | max'

# check WHAT VALUE LIMIT: a row of the table of targets; values at most the limit are met
check() {
  jq -nc --arg what "$1" --arg value "$2" --arg limit "$3" '{what: $what, value: ($value | tonumber), limit: ($limit | tonumber)} |
    .met = (.value <= .limit)' >>"$work/checks"
}
compute() { jq -nr "$1 | if . == 0 then 0 else . end"; }
short() { jq -nr --argjson v "$1" '$v | if . == 0 then 0 else (. as $x | ([$x, -$x] | max | log10 | floor) as $e | pow(10; 2 - $e) as $f |
  ($x * $f | round) / $f) end'; }

# largest difference of the tensors of two runs over the largest entry
difference() {
  jq -nr --slurpfile a "$work/$1.json" --slurpfile b "$work/$2.json" '[$a[0], $b[0] | .physics[0].effective[0].value | flatten] |
    ([transpose[] | .[0] - .[1] | fabs] | max) / (.[0] | map(fabs) | max)'
}

if wants multigrid; then
  echo "FFT-preconditioned solver against CG with BoomerAMG, $n^3 voxels:"
  echo
  echo "| contrast | direction | FFT [s] | its iterations | BoomerAMG with set-up [s] | its iterations | FFT over BoomerAMG | tensors differ by |"
  echo "|---|---|---|---|---|---|---|---|"
  for contrast in 10 1000 0.001 0; do
    run "fft $contrast" 1 "$repeat" "${spheres[@]}" --resolution "$n" --contrast $contrast --solver spectral
    if ! run "amg $contrast" 1 1 "${spheres[@]}" --resolution "$n" --contrast $contrast --solver algebraic; then
      echo "| $contrast | x | $(short "$(of "fft $contrast" "$first")") | $(of "fft $contrast" "$iterations") | failed | | | |"
      continue
    fi
    unlike=$(difference "fft $contrast" "amg $contrast")
    for what in "x $first" "all $all"; do
      filter=${what#* }
      ratio=$(compute "$(of "fft $contrast" "$filter") / $(of "amg $contrast" "$filter")")
      echo "| ${contrast/#0.001/1/1000} | ${what%% *} | $(short "$(of "fft $contrast" "$filter")") | $(of "fft $contrast" "$iterations") | $(
        short "$(of "amg $contrast" "$filter")") | $(of "amg $contrast" "$iterations") | $(short "$ratio") | $(printf %.1e "$unlike") |"
      case $contrast in
        10) check "contrast 10, ${what%% *}: FFT over BoomerAMG [1]" "$ratio" 0.125 ;;
        1000) check "contrast 1000, ${what%% *}: FFT over BoomerAMG [1]" "$ratio" 0.25 ;;
      esac
    done
    check "contrast ${contrast/#0.001/1/1000}: tensors of both solvers differ, relative [1]" "$unlike" 1e-6
  done
  echo
fi

elastic() { # RESOLUTION
  cat >"$work/phases.yaml" <<'YAML'
phases:
  - {label: 0, name: matrix, youngs-modulus: 1, poissons-ratio: 0.3}
  - {label: 1, name: sphere, youngs-modulus: 10, poissons-ratio: 0.3}
YAML
  run "elasticity $1" 1 "$repeat" "${spheres[@]}" --resolution "$1" --phases "$work/phases.yaml" --physics elasticity
}
over_fft='[.physics[0].solves[1:][] | .seconds / .fft_seconds] | min'

if wants cost; then
  echo "Cost of a solve, contrast 10:"
  echo
  echo "| physics | voxels | all directions [s] | iterations | solve over its transforms | bytes a voxel, solver | bytes a voxel, process |"
  echo "|---|---|---|---|---|---|---|"
  for size in $n $((2 * n)); do
    run "conduction $size" 1 "$repeat" "${spheres[@]}" --resolution "$size" --contrast 10 --solver spectral
  done
  for size in $((n / 2)) "$n"; do elastic "$size"; done
  grown() { # PHYSICS SMALL LARGE: bytes a voxel by which the process grows
    compute "1024 * ($(of "$1 $3" .system.peak_kib) - $(of "$1 $2" .system.peak_kib)) / ($(of "$1 $3" .voxels) - $(of "$1 $2" .voxels))"
  }
  for row in "conduction $n $n $((2 * n))" "conduction $((2 * n)) $n $((2 * n))" "elasticity $((n / 2)) $((n / 2)) $n" "elasticity $n $((n / 2)) $n"; do
    read -r physics size small large <<<"$row"
    echo "| $physics | $size^3 | $(short "$(of "$physics $size" "$all")") | $(of "$physics $size" "$iterations") | $(
      short "$(of "$physics $size" "$over_fft")") | $(short "$(of "$physics $size" '.physics[0].bytes_per_voxel')") | $(
      short "$(grown "$physics" "$small" "$large")") |"
  done
  echo
  check "conduction $n^3: solve over its own transforms [1]" "$(of "conduction $n" "$over_fft")" 2
  check "conduction: memory, solver [bytes/voxel]" "$(of "conduction $n" '.physics[0].bytes_per_voxel')" 64
  check "conduction: memory, growth of the process [bytes/voxel]" "$(grown conduction "$n" $((2 * n)))" 64
  check "elasticity: memory, solver [bytes/voxel]" "$(of "elasticity $n" '.physics[0].bytes_per_voxel')" 250
  check "elasticity: memory, growth of the process [bytes/voxel]" "$(grown elasticity $((n / 2)) "$n")" 250
  check "conduction: $((2 * n))^3 over $n^3, seconds [1]" \
    "$(compute "$(of "conduction $((2 * n))" "$all") / $(of "conduction $n" "$all")")" 8.5
  check "conduction: $((2 * n))^3 less $n^3, iterations [1]" \
    "$(compute "$(of "conduction $((2 * n))" "$iterations") - $(of "conduction $n" "$iterations") | fabs")" 2
fi

if wants ranks; then
  [ -f "$work/conduction $((2 * n)).json" ] || run "conduction $((2 * n))" 1 "$repeat" "${spheres[@]}" --resolution $((2 * n)) --contrast 10 --solver spectral
  run "two ranks" 2 "$repeat" "${spheres[@]}" --resolution $((2 * n)) --contrast 10 --solver spectral
  echo "Ranks, $((2 * n))^3 voxels, contrast 10, conduction in all directions:"
  echo
  echo "| ranks | cell problems [s] | whole process [s] |"
  echo "|---|---|---|"
  for name in "conduction $((2 * n))" "two ranks"; do
    echo "| $(of "$name" .ranks) | $(short "$(of "$name" "$whole")") | $(of "$name" .system.wall) |"
  done
  echo
  check "2 ranks over 1 at $((2 * n))^3, cell problems [1]" "$(compute "$(of "two ranks" "$whole") / $(of "conduction $((2 * n))" "$whole")")" 0.65
  check "2 ranks over 1 at $((2 * n))^3, whole process [1]" "$(compute "$(of "two ranks" .system.wall) / $(of "conduction $((2 * n))" .system.wall)")" 0.65
fi

if wants sweep; then
  /usr/bin/time -o "$work/time" -f %e "$build/finegrain" homogenize --geometry square-cylinders --resolution "$n" --physics conduction \
    --sweep fraction=0.02:0.78:20 contrast=1e-3:1e3:13 -o "$work/table.h5" -q --force
  seconds=$(tail -n 1 "$work/time")
  echo "Table of 20 fractions x 13 contrasts, square cylinders, $n x $n voxels, relative residual 1e-8, one rank: $seconds s"
  echo
  check "20 x 13 table at $n x $n [s]" "$seconds" 60
fi

if wants library; then
  [ -x "$build/bench/bench_conjugate" ] || cmake --build "$build" --target bench_conjugate >&2
  echo "Conjugate gradients of this program and of PETSc, same operator and preconditioner, conduction, $n^3, direction x:"
  echo
  echo "| contrast | own [s] | its iterations | KSPCG [s] | its iterations | own over KSPCG | seconds in transforms |"
  echo "|---|---|---|---|---|---|---|"
  for contrast in 10 1000; do
    "$build/bench/bench_conjugate" "$n" $contrast "$repeat" >"$work/line"
    jq -r --argjson contrast $contrast '"| \($contrast) | \(.own) | \(.own_iterations) | \(.library) | \(.library_iterations) | \(.own / .library * 1000 |
      round / 1000) | \(.transforms) |"' "$work/line"
    jq -c --argjson contrast $contrast '{name: "conjugate gradients", contrast: $contrast} + .' "$work/line" >>"$work/runs"
  done
  echo
fi

# fans PROBLEM MATERIAL ELEMENT LOAD IMAGE: FANS's result and its seconds of the solve
fans() {
  jq -n --arg file "$5" --arg problem "$1" --argjson material "$2" --arg element "$3" --argjson load "$4" '{microstructure: {filepath: $file,
    datasetname: "/labels", L: [1, 1, 1]}, problem_type: $problem, strain_type: "small", materials: [$material + {phases: [0, 1]}],
    FE_type: $element, method: "cg", error_parameters: {measure: "L2", type: "relative", tolerance: 1e-6}, n_it: 500,
    macroscale_loading: [[$load]], results: ["stress_average"]}' >"$work/fans.json"
  /usr/bin/time -o "$work/time" -f '{"wall":%e,"user":%U,"peak_kib":%M}' "$FANS" "$work/fans.json" "$work/fans.h5" >"$work/fans.txt"
  jq -nc --slurpfile system <(tail -n 1 "$work/time") --argjson seconds "$(awk '/^# Total Time \./ {print $(NF - 1)}' "$work/fans.txt")" \
    --argjson iterations "$(grep -c '^it ' "$work/fans.txt")" --arg problem "$1" \
    --argjson stress "[$(sed -n 's/^# Effective Stress .. (\(.*\)) *$/\1/p' "$work/fans.txt" | tr -s ' ' '\n' | sed '/^$/d; s/^+//' | paste -sd,)]" \
    '{name: ("FANS, " + $problem), seconds: $seconds, iterations: $iterations, stress: $stress, system: $system[0]}' | tee -a "$work/runs" >"$work/fans $1.json"
}

if wants peer; then
  if [ ! -x "${FANS:-}" ]; then
    echo "bench/homogenize: peer: set FANS to the program that bench/homogenize-install built" >&2
  else
    "$build/finegrain" homogenize "${spheres[@]}" --resolution "$n" --contrast 10 --no-estimate --tolerance 0.1 -q --force --fields "$work/image.xdmf"
    # Load along y: its solve comes after those that make plans, which FANS does not count either.
    fans thermal '{"matmodel": "LinearThermalIsotropic", "material_properties": {"conductivity": [1, 10]}}' HEX8 '[0, 1, 0]' "$work/image.h5"
    fans mechanical '{"matmodel": "LinearElasticIsotropic", "material_properties": {"bulk_modulus": [0.833333333333333333, 8.33333333333333333],
      "shear_modulus": [0.384615384615384615, 3.84615384615384615]}}' BBAR '[0, 1, 0, 0, 0, 0]' "$work/image.h5"
    [ -f "$work/conduction $n.json" ] || run "conduction $n" 1 "$repeat" "${spheres[@]}" --resolution "$n" --contrast 10 --solver spectral
    [ -f "$work/elasticity $n.json" ] || elastic "$n"
    echo "FANS on the same image, $n^3 voxels, contrast 10 (elasticity: Young's modulus, Poisson's ratio 0.3), load along y, one rank:"
    echo
    echo "| problem | program | elements | solve [s] | iterations | seconds an iteration | effective value |"
    echo "|---|---|---|---|---|---|---|"
    for row in "thermal conduction volumes hexahedra" "mechanical elasticity B-bar B-bar"; do
      read -r problem physics ours theirs <<<"$row"
      solve='.physics[0].solves | map(select(.name | endswith(" y") or endswith(" yy")))[0]'
      seconds=$(of "$physics $n" "$solve | .seconds")
      count=$(of "$physics $n" "$solve | .iterations")
      peer=$(of "fans $problem" .seconds)
      peers=$(of "fans $problem" .iterations)
      echo "| $physics | finegrain | $ours | $(short "$seconds") | $count | $(short "$(compute "$seconds / $count")") | $(
        of "$physics $n" '.physics[0].effective[0].value[1][1]') |"
      echo "| $physics | FANS | $theirs | $(short "$peer") | $peers | $(short "$(compute "$peer / $peers")") | $(of "fans $problem" '.stress[1]') |"
      check "$physics at $n^3, one load: finegrain over FANS, seconds of the solve [1]" "$(compute "$seconds / $peer")" 1
    done
    check "elasticity at $n^3: effective value of both programs differs, relative [1]" \
      "$(compute "$(of "elasticity $n" '.physics[0].effective[0].value[1][1]') / $(of "fans mechanical" '.stress[1]') - 1 | fabs")" 1e-6
    echo
  fi
fi

echo "| target | measured | limit | |"
echo "|---|---|---|---|"
jq -r '[.what, (.value | if . == 0 then 0 else (. as $x | pow(10; 2 - ([$x, -$x] | max | log10 | floor)) as $f | ($x * $f | round) / $f) end), .limit,
  (if .met then "met" else "missed" end)] | map(tostring) | "| " + join(" | ") + " |"' "$work/checks"
jq -n --slurpfile targets "$work/checks" --slurpfile runs "$work/runs" --arg resolution "$n" '{resolution: ($resolution | tonumber),
  targets: $targets, runs: $runs}' >homogenize.json
