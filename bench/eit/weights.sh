#!/usr/bin/env bash
# Impedance tomography: error of the map against the weight, what the automatic choice takes, solvers at equal objective, and
# how often the truth lies within the standard deviations.
# usage: bench/eit/weights.sh BUILD_FOLDER [weights|solvers|coverage]      (ninja -C BUILD_FOLDER bench_eit_weights first)
set -euo pipefail
program=${1:?usage: bench/eit/weights.sh BUILD_FOLDER [weights|solvers|coverage]}/bench/bench_eit_weights
what=${2:-weights}
export OPENBLAS_NUM_THREADS=1

# HEAD LAST...: every case, its name as HEAD (of printf) says, with the program's last arguments
cases() {
  local head=$1 unknown regularizer seed elements
  for unknown in porosity porosity-3d isotropic; do
    elements=2000
    if [ "$unknown" = porosity-3d ]; then elements=8000; fi
    for regularizer in tv tikhonov; do
      for seed in 1 2; do
        # shellcheck disable=SC2059
        printf "$head" "$unknown" "$regularizer" "$seed"
        "$program" "$unknown" "$regularizer" 1e-3 "$seed" "$elements" "${@:2}"
      done
    done
  done
}

case $what in
weights)
  cases '\n%s, %s, seed %s\n\n| alpha | chi2/N | p | chi2/(N - p) | RMSE | factorizations | CPU [s] |\n|---|---|---|---|---|---|---|\n' scan discrepancy ;;
solvers)
  for regularizer in tikhonov tv; do
    printf '\n%s\n\n' "$regularizer"
    echo '| solver | tolerance | objective | RMSE of porosity [1] | factorizations | products | CPU [s] | ended by |'
    echo '|---|---|---|---|---|---|---|---|'
    "$program" porosity "$regularizer" 1e-3 1 2000 solvers 1
  done ;;
coverage)
  echo '| unknown, regularizer, seed | alpha | interior | at borders | median standard deviation | RMSE |'
  echo '|---|---|---|---|---|---|'
  cases '| %s, %s, %s ' coverage 200 ;;
*) echo "weights.sh: '$what' is not weights, solvers or coverage" >&2; exit 2 ;;
esac
