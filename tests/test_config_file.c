/* test_config_file.c: flat YAML in, flat YAML out, and refusals that name file and line. */
#include "recorder.h"
#include "scratch.h"

#include "finegrain/config.h"

static PetscErrorCode Read(const char *text, FgConfig *config)
{
  ScratchWrite(ScratchPath("x.yaml"), text, strlen(text));
  return FgConfigRead(ScratchPath("x.yaml"), config);
}

static void ReadsScalarsAndLists(void **state)
{
  FgConfig config;

  ExpectSuccess(
      Read("# an experiment\nclosure: hs2d\nmatrix-diffusivity: 2.8e-3   # mm^2/s\n\nfiber-diffusivity: [1.7e-3, 0.2e-3]\n"
           "names:\n  - a b\n  - 'c'\nempty:\nnothing: ~\nquoted: \"~\"\n",
           &config));
  assert_int_equal(config.n, 7);
  assert_string_equal(config.entries[0].key, "closure");
  assert_int_equal(config.entries[0].line, 2);
  assert_string_equal(FgConfigValue(&config, "matrix-diffusivity"), "2.8e-3");
  assert_string_equal(FgConfigValue(&config, "fiber-diffusivity"), "1.7e-3,0.2e-3");
  assert_string_equal(FgConfigValue(&config, "names"), "a b,c");
  assert_string_equal(FgConfigValue(&config, "empty"), "");
  assert_string_equal(FgConfigValue(&config, "nothing"), "");
  assert_string_equal(FgConfigValue(&config, "quoted"), "~");
  assert_null(FgConfigValue(&config, "absent"));
  assert_int_equal(config.entries[3].line, 6);
  ExpectSuccess(FgConfigDestroy(&config));
  ExpectSuccess(Read("", &config)); /* an empty file sets nothing */
  assert_int_equal(config.n, 0);
  ExpectSuccess(FgConfigDestroy(&config));
}

static void ExpectRefusal(const char *text, const char *message)
{
  FgConfig config;

  ExpectFailure(Read(text, &config), PETSC_ERR_USER, message);
  if (!strstr(recorded_message, "x.yaml")) fail_msg("\"%s\" names no file", recorded_message);
}

static void RefusesWhatIsNotFlat(void **state)
{
  ExpectRefusal("a: 1\nb: [1, 2\nc: 3\n", "line 3");
  ExpectRefusal("a: 1\na: 2\n", "line 2: found \"a\" again, first on line 1");
  ExpectRefusal("a:\n  b: 1\n", "line 2: found a mapping below \"a\"");
  ExpectRefusal("a: [[1, 2], 3]\n", "line 1: found a list");
  ExpectRefusal("a: [{b: 1}]\n", "line 1: found a mapping");
  ExpectRefusal("- a\n- b\n", "line 1: found a list");
  ExpectRefusal("just a text\n", "line 1: found \"just a text\" alone");
  ExpectRefusal("a: 1\n---\nb: 2\n", "line 3");
  ExpectRefusal("a: &x 1\nb: *x\n", "line 2: found an alias");
  ExpectRefusal("a: \"unfinished\n", "x.yaml: line");
  ExpectRefusal("\ta: 1\n", "x.yaml: line 1");
  ExpectRefusal("? \"two\\nlines\"\n: 1\n", "line 1: found a key");
  ExpectRefusal("a: \xff\xfe\n", "x.yaml: line");
}

static void RefusesWhatCannotBeRead(void **state)
{
  FgConfig config;

  ExpectFailure(FgConfigRead(ScratchPath("missing.yaml"), &config), PETSC_ERR_FILE_OPEN, "missing.yaml: cannot be opened");
  ExpectFailure(FgConfigRead(scratch_folder, &config), PETSC_ERR_FILE_OPEN, "directory");
}

static void ValuesSurviveWriting(void **state)
{
  static const char *const values[] = {
      "hs2d",
      "1e-3",
      "",
      "~",
      "null",
      "yes",
      "a: b",
      "# no comment",
      "- x",
      "  blanks  ",
      "two\nlines",
      "\"q\"",
      "it's",
      "*alias",
      "&anchor",
      "[1, 2]",
      "{a: 1}",
      "µm²",
      "%d",
      "C:\\x",
      "true",
      "a very long value that must not be folded "
      "because folding would put line breaks where there are blanks in it, and nobody wants that in a path"};
  const int n      = sizeof values / sizeof *values;
  FgConfig  config = {0}, found;
  char      text[4096];

  for (int i = 0; i < n; i++) {
    char key[16];

    snprintf(key, sizeof key, "key-%d", i);
    ExpectSuccess(FgConfigAdd(&config, key, values[i], 0));
  }
  ExpectSuccess(FgConfigWrite(ScratchPath("y.yaml"), "# written by a test\n", &config));
  text[ScratchRead(ScratchPath("y.yaml"), text, sizeof text - 1)] = 0;
  assert_memory_equal(text, "# written by a test\n", 20);
  ExpectSuccess(FgConfigRead(ScratchPath("y.yaml"), &found));
  assert_int_equal(found.n, n);
  for (int i = 0; i < n; i++) {
    assert_string_equal(found.entries[i].key, config.entries[i].key);
    assert_string_equal(found.entries[i].value, values[i]);
  }
  ExpectSuccess(FgConfigDestroy(&config));
  ExpectSuccess(FgConfigDestroy(&found));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ReadsScalarsAndLists),
      cmocka_unit_test(RefusesWhatIsNotFlat),
      cmocka_unit_test(RefusesWhatCannotBeRead),
      cmocka_unit_test(ValuesSurviveWriting),
  };
  int failed;

  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  FgRecorderStart();
  ScratchOpen();
  failed = cmocka_run_group_tests(tests, NULL, NULL);
  ScratchClose();
  FgRecorderStop();
  return PetscFinalize() || failed;
}
