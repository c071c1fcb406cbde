# Every command of examples/cells/README.md runs, and every file there stands in one.
# shellcheck source=tests/cli/common
source "$SOURCE/tests/cli/common"

mapfile -t commands < <(grep -oE "\`finegrain homogenize --geometry [^\`]*\`" "$SOURCE/examples/cells/README.md" | tr -d "\`")
for file in "$SOURCE"/examples/cells/*.yaml; do
  printf '%s\n' "${commands[@]}" | grep -qF "examples/cells/${file##*/} " || fail "no command for ${file##*/}"
done
for command in "${commands[@]}"; do
  read -ra words <<<"$command"
  words=("${words[@]//examples\/cells/$SOURCE/examples/cells}")
  expect_exit 0 "$FINEGRAIN" "${words[@]:1}" --no-estimate --json out.json --force -q
  jq -e '.physics | length >= 1 and all(.[]; .effective | length >= 1)' out.json >/dev/null || fail "$command: $(cat out.json)"
done
