# Help in all its forms, and that docs/options.md is what the tables say.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

expect_exit 0 "$FINEGRAIN" --version
[ "$(wc -l <stdout)" -eq 1 ] || fail "--version is not one line"
grep -qE '^finegrain [0-9]+\.[0-9]+\.[0-9]+ \(Petsc Release Version 3\.[0-9.]+\)$' stdout || fail "--version: $(cat stdout)"

expect_exit 0 "$FINEGRAIN" --help
has stdout "Usage: finegrain COMMAND"
cp stdout overview
expect_exit 0 "$FINEGRAIN" help
cmp overview stdout

commands=$(sed -n '/^Commands/,/^$/p' overview | awk 'NR > 1 && NF {print $1}')
[ "$(wc -w <<<"$commands")" -ge 2 ] || fail "commands: $commands"
for command in $commands; do
  expect_exit 0 "$FINEGRAIN" "$command" --help
  cp stdout text
  [ ! -s stderr ] || fail "$command --help says on stderr: $(cat stderr)"
  has text "Usage: finegrain $command "
  has text "Examples"
  grep -q "^  .*finegrain $command" text || fail "$command --help has no example"
  [ "$(awk '{ if (length($0) > 130) n++ } END { print n + 0 }' text)" -eq 0 ] || fail "$command --help has long lines"
  expect_exit 0 "$FINEGRAIN" help "$command"
  cmp text stdout
  expect_exit 0 "$FINEGRAIN" "$command" --no-such-option -h # help is given even where the rest is wrong
  cmp text stdout

  expect_exit 0 "$FINEGRAIN" help --man "$command"
  has stdout ".TH FINEGRAIN\\-$command 1"
  if command -v man >/dev/null; then
    man --warnings=all --local-file -Tutf8 ./stdout >page 2>warnings || fail "man cannot read the page: $(cat warnings)"
    [ ! -s warnings ] || fail "man page: $(cat warnings)"
  fi
done

# Every option in the help stands in the docs and in the completion, with its unit.
expect_exit 0 "$FINEGRAIN" help --markdown
cmp stdout "$SOURCE/docs/options.md" || fail "docs/options.md is out of date: finegrain help --markdown > docs/options.md"
expect_exit 0 "$FINEGRAIN" help --completion
bash -n stdout
# shellcheck disable=SC1091
source ./stdout
COMP_WORDS=(finegrain info --js) COMP_CWORD=2
_finegrain
[ "${COMPREPLY[*]}" = "--json" ] || fail "completion of --js: ${COMPREPLY[*]}"
COMP_WORDS=(finegrain he) COMP_CWORD=1
_finegrain
[ "${COMPREPLY[*]}" = "help" ] || fail "completion of he: ${COMPREPLY[*]}"

# One rank speaks for all.
expect_exit 0 "$MPIEXEC" -n 2 "$FINEGRAIN" --version
[ "$(wc -l <stdout)" -eq 1 ] || fail "two ranks print the version: $(cat stdout)"

# A pipe that is closed early is no fault and makes no noise; a full disk is one.
"$FINEGRAIN" help --markdown 2>stderr | head -1 >/dev/null || true
[ ! -s stderr ] || fail "noise after head: $(cat stderr)"
if [ -w /dev/full ]; then
  code=0
  "$FINEGRAIN" --help >/dev/full 2>stderr || code=$?
  [ $code -eq 5 ] || fail "help to a full disk: exit $code"
  one_line stderr
fi
