# Impedance tomography: the memory that --dry-run announces is within a factor 2 of what the run takes at its peak, and more than the
# limit is refused before any work.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

announced() { # DATA OPTION...: GiB
  expect_exit 0 "$FINEGRAIN" fit "$@" --dry-run
  sed -n 's/^memory *\([0-9.]*\) GiB will be needed$/\1/p' stderr
}

check() { # NAME OPTION...: one step from the start, which holds all that an inversion holds
  local name=$1 said taken code=0
  shift
  said=$(announced "$name.h5" "$@")
  "$FINEGRAIN" fit "$name.h5" -o "$name" "$@" --alpha 1 --max-iterations 1 --no-picture -q 2>stderr || code=$?
  [ "$code" -eq 0 ] || [ "$code" -eq 4 ] || fail "exit $code: $(cat stderr)"
  taken=$(jq '.peak_memory_bytes / 1073741824' "$name/summary.json")
  awk -v a="$said" -v b="$taken" 'BEGIN { printf "announced %.3f GiB, taken %.3f GiB\n", a, b; exit !(a > 0.5 * b && a < 2 * b) }' ||
    fail "$name: announced $said GiB, taken $taken GiB"
}

simulate() { expect_exit 0 "$FINEGRAIN" simulate --eit --order 1 --reference "$@"; }
simulate --elements 2000 --electrode-count 32 -o disc.h5 -q
simulate --elements 4000 --height 0.1 -o cylinder.h5 -q
check disc --elements 20000 --grid 32x32 --fit-background conductivity
check cylinder --elements 30000 --grid 16x16x16 --fit-background conductivity

expect_exit 3 "$FINEGRAIN" fit disc.h5 -o out --memory-limit 0.01 -q
one_line stderr
has stderr "disc.h5: the fit needs"
has stderr "use a coarser mesh, more machines, or raise --memory-limit"
empty out
