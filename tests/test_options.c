/* test_options.c: the option table on a command of its own: defaults, every type, every way to be wrong, the YAML round trip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/app/command.h"

typedef struct {
  FgCommonSettings common;
  FgText           input, output, kind, list, pairs;
  PetscBool        fast;
  PetscInt         count;
  double           rate;
  FgReals          pair;
} Settings;

#define MEMBER(member) .offset = offsetof(Settings, member)

/* clang-format off */
static const FgOption options[] = {
  {.section = "All", .name = "input", .type = FG_OPTION_PATH, MEMBER(input), .value = "INPUT", .positional = PETSC_TRUE,
   .summary = "input"},
  {.name = "output", .letter = 'o', .type = FG_OPTION_PATH, MEMBER(output), .summary = "output"},
  {.name = "kind", .type = FG_OPTION_CHOICE, MEMBER(kind), .choices = "plain|fancy", .summary = "kind"},
  {.name = "fast", .type = FG_OPTION_FLAG, MEMBER(fast), .summary = "fast"},
  {.name = "count", .type = FG_OPTION_INTEGER, MEMBER(count), .fallback = "3", .lower = 1, .upper = 10, .summary = "count"},
  {.name = "matrix-rate", .type = FG_OPTION_REAL, MEMBER(rate), .unit = "1/s", .word = "auto", .lower = FG_POSITIVE,
   .upper = INFINITY,
   .summary = "rate"},
  {.name = "pair", .type = FG_OPTION_REALS, MEMBER(pair), .unit = "mm", .word = "preset", .lower = -5, .upper = 5, .least = 1,
   .most = 2,
   .summary = "pair"},
  {.name = "list", .type = FG_OPTION_LIST, MEMBER(list), .word = "none", .choices = "one|two|three", .summary = "list"},
  {.name = "pairs", .type = FG_OPTION_PAIRS, MEMBER(pairs), .word = "none", .summary = "pairs"},
  {0}};
/* clang-format on */

static const FgCommand command = {.name          = "try",
                                  .summary       = "a command for tests",
                                  .usage         = "INPUT",
                                  .description   = "",
                                  .example       = "",
                                  .options       = {options},
                                  .settings_size = sizeof(Settings)};

static PetscBool Parse(Settings *settings, char message[FG_MESSAGE_LENGTH], int argc, const char *const argv[])
{
  FgOptionsDefaults(&command, settings);
  message[0] = '\0';
  return FgOptionsParse(&command, argc, (char *const *)(uintptr_t)argv, settings, message);
}

#define PARSE(...) \
  Parse(&s, message, (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)), (const char *const[]){__VA_ARGS__})

static void TestDefaults(void **state)
{
  Settings s;

  FgOptionsDefaults(&command, &s);
  assert_string_equal(s.kind, "plain"); /* a choice without default or word: the first */
  assert_int_equal(s.count, 3);
  assert_true(isnan(s.rate));
  assert_int_equal(s.pair.n, 0);
  assert_false(s.fast);
  assert_string_equal(s.input, "");
}

static void TestValues(void **state)
{
  Settings s;
  char     message[FG_MESSAGE_LENGTH];

  assert_true(
      PARSE("in.nii", "-o", "out", "--kind=fancy", "--fast", "--count", "10", "--matrix-rate=2.5e-3", "--pair", "-1,2", "-q"));
  assert_string_equal(s.input, "in.nii");
  assert_string_equal(s.output, "out");
  assert_string_equal(s.kind, "fancy");
  assert_true(s.fast && s.common.quiet && !s.common.verbose);
  assert_int_equal(s.count, 10);
  assert_true(s.rate == 2.5e-3);
  assert_int_equal(s.pair.n, 2);
  assert_true(s.pair.value[0] == -1 && s.pair.value[1] == 2);

  assert_true(PARSE("--fast", "--fast=false", "--pair=4", "--", "--strange-name"));
  assert_false(s.fast);
  assert_int_equal(s.pair.n, 1);
  assert_string_equal(s.input, "--strange-name");

  assert_true(
      PARSE("in", "--matrix-rate", "3", "--matrix-rate", "auto", "--pair", "1", "--pair=preset", "--petsc", "-tao_monitor"));
  assert_true(isnan(s.rate));
  assert_int_equal(s.pair.n, 0);
  assert_string_equal(s.common.petsc, "-tao_monitor");
}

/* Lists of choices, and options that take as many words as have the form NAME=VALUE. */
static void TestWords(void **state)
{
  Settings s;
  char     message[FG_MESSAGE_LENGTH];

  assert_true(PARSE("--list", "three,one", "--pairs", "a=1:2:3", "b-c=4,5", "in"));
  assert_string_equal(s.list, "three,one");
  assert_string_equal(s.pairs, "a=1:2:3 b-c=4,5");
  assert_string_equal(s.input, "in");
  assert_true(PARSE("--pairs=a=1", "b=2", "--fast", "in=put"));
  assert_string_equal(s.pairs, "a=1 b=2");
  assert_string_equal(s.input, "in=put");
  assert_true(PARSE("in", "--pairs", "a=1", "--pairs", "b=2"));
  assert_string_equal(s.pairs, "b=2");
  assert_true(PARSE("in", "--pairs", "a=1", "--pairs", "none", "--list", "one", "--list=none"));
  assert_string_equal(s.pairs, "");
  assert_string_equal(s.list, "");
}

static void TestErrors(void **state)
{
  static const struct {
    const char *argument[3], *message;
  } cases[] = {
      {{"--matrix-rat=1"}, "--matrix-rat: unknown option, did you mean --matrix-rate?"},
      {{"--rate=1"}, "--rate: unknown option, did you mean --matrix-rate?"},
      {{"--cuont", "1"}, "--cuont: unknown option, did you mean --count?"},
      {{"--zzzzzzzzzzzz"}, "--zzzzzzzzzzzz: unknown option, see finegrain try --help"},
      {{"-x"}, "-x: unknown option"},
      {{"-oout"}, "short options stand alone"},
      {{"--input", "a"}, "--input: unknown option"},
      {{"--count"}, "--count: a value must follow"},
      {{"-o", "--fast"}, "-o: a value must follow"},
      {{"-o", "-q"}, "-o: a value must follow"},
      {{"--count", "11"}, "--count: expected a number between 1 and 10, found 11"},
      {{"--count", "2.5"}, "--count: expected a whole number, found '2.5'"},
      {{"--count", "two"}, "--count: expected a number, found 'two'"},
      {{"--count="}, "--count: expected a number, found ''"},
      {{"--matrix-rate", "0"}, "--matrix-rate: expected a number greater than 0 [1/s], found 0"},
      {{"--matrix-rate", "nan"}, "--matrix-rate: expected a number [1/s] or auto, found 'nan'"},
      {{"--matrix-rate", "inf"}, "--matrix-rate: expected a number [1/s] or auto, found 'inf'"},
      {{"--matrix-rate", "1x"}, "found '1x'"},
      {{"--matrix-rate", "1,2"}, "--matrix-rate: expected one number, found a list"},
      {{"--pair", "1,2,3"}, "--pair: expected at most 2 numbers"},
      {{"--pair", "1,"}, "--pair: expected a number [mm]"},
      {{"--pair", "1,6"}, "--pair: expected a number between -5 and 5 [mm], found 6"},
      {{"--kind", "odd"}, "--kind: expected one of plain, fancy, found 'odd'"},
      {{"--fast=maybe"}, "--fast: expected true or false, found 'maybe'"},
      {{"--output="}, "--output: expected a path, found nothing"},
      {{"--list", "one,four"}, "--list: expected one of none, one, two, three, found 'four'"},
      {{"--list", "one,"}, "--list: expected one of none, one, two, three, found ''"},
      {{"--list", "two,two"}, "--list: 'two' stands there twice"},
      {{"--pairs"}, "--pairs: a value must follow"},
      {{"--pairs", "a"}, "--pairs: expected NAME=VALUES, found 'a'"},
      {{"--pairs", "a="}, "--pairs: expected NAME=VALUES, found 'a='"},
      {{"--pairs="}, "--pairs: expected NAME=VALUES, found ''"},
      {{"--pairs=a=1 b"}, "--pairs: expected NAME=VALUES, found 'b'"},
      {{"one", "two"}, "'two': one argument too many"},
  };

  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    Settings s;
    char     message[FG_MESSAGE_LENGTH];

    assert_false(Parse(&s, message, cases[i].argument[1] ? 2 : 1, cases[i].argument));
    if (!strstr(message, cases[i].message)) fail_msg("case %zu: expected '%s', found '%s'", i, cases[i].message, message);
    assert_null(strchr(message, '\n'));
  }
}

static void TestLongArguments(void **state)
{
  Settings  s;
  char      message[FG_MESSAGE_LENGTH];
  const int n    = 3 * PETSC_MAX_PATH_LEN;
  char     *text = malloc((size_t)n + 1);

  memset(text, 'a', (size_t)n);
  text[n] = '\0';
  assert_false(PARSE("-o", text));
  assert_non_null(strstr(message, "too long"));
  memcpy(text, "--", 2);
  assert_false(PARSE(text));
  assert_non_null(strstr(message, "unknown option"));
  assert_false(PARSE("--kind", text + 2));
  assert_false(PARSE("--count", text + 2));
  free(text);
}

static void TestComplete(void **state)
{
  Settings s;
  char     message[FG_MESSAGE_LENGTH];

  assert_true(PARSE("--fast"));
  assert_false(FgOptionsComplete(&command, &s, message));
  assert_string_equal(message, "INPUT is missing, usage: finegrain try INPUT");
  assert_true(PARSE("in"));
  assert_true(FgOptionsComplete(&command, &s, message));
}

static void WriteFile(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");

  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* Every value survives being written and read, whatever is in the strings, and numbers to the last bit. */
static void TestYamlRoundTrip(void **state)
{
  Settings s, back;
  char     message[FG_MESSAGE_LENGTH], *yaml;
  char     path[] = "test_options_XXXXXX";
  int      fd     = mkstemp(path);

  assert_true(fd >= 0);
  assert_true(PARSE("a \"b\" \\ : # ä\t.nii", "-o", "true", "--kind=fancy", "--fast", "--matrix-rate=0.1",
                    "--pair=0.30000000000000004x-2", "--list=two,one", "--pairs", "a=1", "b=2"));
  assert_int_equal(FgOptionsYaml(&command, &s, &yaml), 0);
  assert_non_null(strstr(yaml, "matrix-rate: 0.1 # [1/s]\n"));
  WriteFile(path, yaml);
  assert_int_equal(PetscFree(yaml), 0);
  FgOptionsDefaults(&command, &back);
  assert_int_equal(FgOptionsReadYaml(&command, path, &back), 0);
  assert_string_equal(back.input, s.input);
  assert_string_equal(back.output, "true");
  assert_string_equal(back.list, "two,one");
  assert_string_equal(back.pairs, "a=1 b=2");
  assert_string_equal(back.kind, "fancy");
  assert_true(back.fast);
  assert_true(back.rate == 0.1);
  assert_int_equal(back.pair.n, 2);
  assert_true(back.pair.value[0] == 0.30000000000000004 && back.pair.value[1] == -2);
  assert_int_equal(remove(path), 0);
}

static PetscErrorCode KeepMessage(MPI_Comm comm, int line, const char *function, const char *file, PetscErrorCode code,
                                  PetscErrorType type, const char *message, void *context)
{
  if (type == PETSC_ERROR_INITIAL) snprintf(context, FG_MESSAGE_LENGTH, "%s", message);
  return code;
}

static void TestYamlErrors(void **state)
{
  static const char *const cases[][2] = {
      {"matrix-rate: 1\ncuont: 4\n", ":2: cuont: unknown option, did you mean --count?"},
      {"count: eleven\n", ":1: count: expected a number, found 'eleven'"},
      {"kind: odd\n", ":1: kind: expected one of plain, fancy"},
  };
  char path[] = "test_options_XXXXXX", message[FG_MESSAGE_LENGTH];
  int  fd     = mkstemp(path);

  assert_true(fd >= 0);
  assert_int_equal(PetscPushErrorHandler(KeepMessage, message), 0);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    Settings s;

    FgOptionsDefaults(&command, &s);
    WriteFile(path, cases[i][0]);
    message[0] = '\0';
    assert_int_equal(FgOptionsReadYaml(&command, path, &s), PETSC_ERR_USER);
    if (!strstr(message, cases[i][1])) fail_msg("expected '%s', found '%s'", cases[i][1], message);
    assert_non_null(strstr(message, path));
  }
  assert_int_equal(PetscPopErrorHandler(), 0);
  assert_int_equal(remove(path), 0);
}

static void TestNearest(void **state)
{
  static const char *const names[] = {"simulate", "fit", "verify", "info"};

  assert_string_equal(FgNearest("simluate", 4, names), "simulate");
  assert_string_equal(FgNearest("fti", 4, names), "fit");
  assert_string_equal(FgNearest("infos", 4, names), "info");
  assert_null(FgNearest("reconstruct", 4, names));
}

/* Tables are written by hand: names unique, letters unique, defaults valid, sections first, sentences without a full stop. */
static void TestTables(void **state)
{
  for (PetscInt c = 0; FgCommands[c]; c++) {
    const FgCommand *tested   = FgCommands[c];
    void            *settings = calloc(1, tested->settings_size);
    const FgOption  *option, *other;

    assert_non_null(tested->run);
    assert_true(strlen(tested->example) > 0);
    assert_non_null(tested->options[0]->section);
    FgOptionsDefaults(tested, settings);
    for (PetscInt i = 0; (option = FgOptionAt(tested, i)); i++) {
      char message[FG_MESSAGE_LENGTH];

      assert_true(option->offset < tested->settings_size);
      assert_true(option->summary[strlen(option->summary) - 1] != '.');
      if (option->fallback && !FgOptionsSet(tested, option->name, option->fallback, option->name, settings, message))
        fail_msg("%s", message);
      if (option->type == FG_OPTION_REALS) assert_true(option->least >= 1 && option->most <= 4);
      for (PetscInt j = 0; j < i; j++) {
        other = FgOptionAt(tested, j);
        assert_string_not_equal(option->name, other->name);
        if (option->letter) assert_int_not_equal(option->letter, other->letter);
      }
    }
    free(settings);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestDefaults),      cmocka_unit_test(TestValues),
                                     cmocka_unit_test(TestWords),         cmocka_unit_test(TestErrors),
                                     cmocka_unit_test(TestLongArguments), cmocka_unit_test(TestComplete),
                                     cmocka_unit_test(TestYamlRoundTrip), cmocka_unit_test(TestYamlErrors),
                                     cmocka_unit_test(TestNearest),       cmocka_unit_test(TestTables)};
  int                     failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
