# Bad usage: exit 2, one line that says what to do, nothing on stdout, nothing written.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

bad_usage() { # TEXT ARGUMENT...
  local text=$1
  shift
  expect_exit 2 "$FINEGRAIN" "$@"
  one_line stderr
  has stderr "$text"
  [ ! -s stdout ] || fail "said something on stdout: $*"
  rm stdout stderr
  empty .
}

bad_usage "a command is missing, see finegrain --help"
bad_usage "hepl: no such command, did you mean help?" hepl
bad_usage "unheard-of-thing: no such command, see finegrain --help" unheard-of-thing
bad_usage "FILE is missing, usage: finegrain info FILE" info
bad_usage "'b.nii': one argument too many" info a.nii b.nii
bad_usage "--jsn: unknown option, did you mean --json?" info a.nii --jsn x
bad_usage "--json: a value must follow" info a.nii --json
bad_usage "--b0-threshold: expected a number between 0 and 1000 [s/mm^2], found -1" info a.nii --b0-threshold=-1
bad_usage "-z: unknown option" info a.nii -z
bad_usage "expected one of" help --man nothing

# An experiment file is read after the program has started; it is usage all the same.
printf 'jsn: x\n' >experiment.yaml
expect_exit 2 "$FINEGRAIN" info --config experiment.yaml
one_line stderr
has stderr "experiment.yaml:1: jsn: unknown option, did you mean --json?"
printf 'b0-threshold: 10\n' >experiment.yaml
expect_exit 2 "$FINEGRAIN" info --config experiment.yaml
one_line stderr
has stderr "FILE is missing"
printf 'a: [b\n' >experiment.yaml
expect_exit 2 "$FINEGRAIN" info --config experiment.yaml
one_line stderr
has stderr "experiment.yaml"
expect_exit 3 "$FINEGRAIN" info --config missing.yaml
one_line stderr
has stderr "missing.yaml"

# Several ranks say it once. The launcher adds words of its own.
expect_exit 2 "$MPIEXEC" -n 2 "$FINEGRAIN" info a.nii --jsn x
[ "$(grep -c '^finegrain: ' stderr)" -eq 1 ] || fail "ranks did not agree on one line: $(cat stderr)"
expect_exit 3 "$MPIEXEC" -n 2 "$FINEGRAIN" info missing.nii
[ "$(grep -c '^finegrain: ' stderr)" -eq 1 ] || fail "ranks did not agree on one line: $(cat stderr)"
lacks stderr "MPI_ABORT"
