/* main.c: finds the command, answers help and usage errors before PETSc and MPI start (which takes half a second), runs
   the command, and turns its error into one line and an exit code. */
#include "command.h"
#include "failure.h"
#include "options_docs.h"
#include "stop.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rank within a job that an MPI launcher has started, before MPI says so: one rank answers for all. */
static PetscBool Speaks(void)
{
  const char *names[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};

  for (int i = 0; i < 3; i++) {
    const char *rank = getenv(names[i]);

    if (rank) return atoi(rank) == 0 ? PETSC_TRUE : PETSC_FALSE;
  }
  return PETSC_TRUE;
}

static int UsageError(const char *message)
{
  if (Speaks()) fprintf(stderr, "finegrain: %s\n", message);
  return FG_EXIT_USAGE;
}

static int Version(void)
{
  char petsc[256] = "";

  PetscGetVersion(petsc, sizeof(petsc));
  petsc[strcspn(petsc, ",")] = '\0'; /* "Petsc Release Version 3.18.5, ..." */
  if (Speaks()) printf("finegrain %s (%s)\n", FG_VERSION, petsc);
  return FG_EXIT_DONE;
}

/* Calls a function of a library by name, where there is such a library. */
static void CallWith(const char *name, int value)
{
  void *symbol = dlsym(RTLD_DEFAULT, name);
  void (*function)(int);

  if (!symbol) return;
  memcpy(&function, &symbol, sizeof(function));
  function(value);
}

/* A rank is one thread: OpenBLAS would start one a core in every rank, CHOLMOD four by way of OpenMP whatever OMP_NUM_THREADS says. OpenBLAS
   reads OPENBLAS_NUM_THREADS when it is loaded, before main, so that only its own function helps here; other BLAS libraries do not
   have it. With no active level every parallel region of OpenMP runs on the thread that meets it. */
static void LimitThreads(void)
{
  if (!getenv("OPENBLAS_NUM_THREADS")) CallWith("openblas_set_num_threads", 1);
  CallWith("omp_set_max_active_levels", 0);
}

/* Starts PETSc with its options empty: neither argv, nor PETSC_OPTIONS, nor .petscrc files change a run unseen. */
static PetscErrorCode StartPetsc(void)
{
  char *arguments[] = {"finegrain", "-skip_petscrc", NULL}, **argv = arguments;
  int   argc = 2;

  PetscFunctionBegin;
  unsetenv("PETSC_OPTIONS");
  unsetenv("PETSC_OPTIONS_YAML");
  /* Without mpiexec Open MPI would start a daemon, only to be able to spawn further processes, which we never do. */
  setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCall(PetscOptionsClearValue(NULL, "-skip_petscrc"));
  /* PETSc's handler prints pages on SIGPIPE and SIGSEGV. */
  PetscCall(PetscPopSignalHandler());
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* PETSc options that nobody asked for are most likely misspelt. */
static PetscErrorCode WarnOfUnused(FgLog *log)
{
  PetscInt n;
  char   **names, **values;

  PetscFunctionBegin;
  PetscCall(PetscOptionsLeftGet(NULL, &n, &names, &values));
  for (PetscInt i = 0; i < n; i++) FgLogWarning(log, "--petsc: -%s was not used by PETSc in this run", names[i]);
  PetscCall(PetscOptionsLeftRestore(NULL, &n, &names, &values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Unfinished files are looked for in the folder that --output names, should the run be stopped. */
static void WatchOutput(const FgCommand *command, const void *settings)
{
  const FgOption *option;

  for (PetscInt i = 0; (option = FgOptionAt(command, i)); i++) {
    if (option->type == FG_OPTION_PATH && !strcmp(option->name, "output"))
      FgStopSetFolder((const char *)settings + option->offset);
  }
}

/* Reads the experiment file below the command line, and runs the command. */
static PetscErrorCode RunCommand(const FgCommand *command, int argc, char *const argv[], void *settings, FgLog *log)
{
  const FgCommonSettings *common = settings;
  char                    message[FG_MESSAGE_LENGTH];

  PetscFunctionBegin;
  if (common->config[0]) {
    FgText path;

    strcpy(path, common->config);
    FgOptionsDefaults(command, settings);
    PetscCall(FgOptionsReadYaml(command, path, settings));
    PetscCheck(FgOptionsParse(command, argc, argv, settings, message), PETSC_COMM_SELF, PETSC_ERR_USER, "%s", message);
  }
  PetscCheck(FgOptionsComplete(command, settings, message), PETSC_COMM_SELF, PETSC_ERR_USER, "%s", message);
  PetscCheck(!command->check || command->check(settings, message), PETSC_COMM_SELF, PETSC_ERR_USER, "%s", message);
  WatchOutput(command, settings);
  log->quiet   = common->quiet;
  log->verbose = common->verbose;
  if (common->petsc[0]) PetscCall(PetscOptionsInsertString(NULL, common->petsc));
  PetscCall(command->run(settings, log));
  if (common->petsc[0]) PetscCall(WarnOfUnused(log));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Not PETSc's `main`: an error in a function of that name ends the job with MPI_Abort. */
static int RunWithPetsc(const FgCommand *command, int argc, char *const argv[], void *settings)
{
  const FgCommonSettings *common = settings;
  static FgFailure        failure;
  FgLog                   log;
  PetscErrorCode          code;
  PetscMPIInt             rank;
  int                     exit_code;

  signal(SIGXFSZ, SIG_IGN); /* a file that grows beyond its limit is a failed write, not the end of the process */
  LimitThreads();
  if (!FgStopWatch()) return UsageError("cannot start a thread that watches for signals");
  if (StartPetsc() || FgFailureRecord(&failure) || MPI_Comm_rank(PETSC_COMM_WORLD, &rank)) {
    fprintf(stderr, "finegrain: PETSc or MPI does not start\n");
    return FG_EXIT_DEFECT;
  }
  FgLogCreate(&log, rank == 0 ? PETSC_TRUE : PETSC_FALSE, common->quiet, common->verbose);
  code      = RunCommand(command, argc, argv, settings, &log);
  exit_code = code ? FgFailureReport(&failure, code, log.verbose, 10.0) : log.exit_code;
  FgStopSetFolder(NULL);
  FgLogDestroy(&log);
  if (PetscFinalize() && !exit_code) exit_code = FG_EXIT_DEFECT;
  if (code) { /* what an error has left behind goes with the process: leave without asking for leaks */
    fflush(stdout);
    _exit(exit_code);
  }
  return exit_code;
}

static int Answer(int argc, char *argv[])
{
  const FgCommand *command;
  const char      *nearest;
  void            *settings;
  char             message[FG_MESSAGE_LENGTH];
  int              exit_code = FG_EXIT_DONE;

  if (argc < 2) return UsageError("a command is missing, see finegrain --help");
  if (!strcmp(argv[1], "--version")) return Version();
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
    if (Speaks()) FgHelpOverview(stdout);
    return FG_EXIT_DONE;
  }
  command = FgCommandFind(argv[1], &nearest);
  if (!command) {
    snprintf(message, sizeof(message), "%.200s: no such command, %s%s%s", argv[1],
             nearest ? "did you mean " : "see finegrain --help", nearest ? nearest : "", nearest ? "?" : "");
    return UsageError(message);
  }
  for (int i = 2; i < argc && strcmp(argv[i], "--"); i++) { /* help is given even where the rest is wrong */
    if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
      if (Speaks()) FgHelpCommand(stdout, command);
      return FG_EXIT_DONE;
    }
  }
  settings = calloc(1, command->settings_size);
  if (!settings) return FG_EXIT_INPUT;
  FgOptionsDefaults(command, settings);
  if (!FgOptionsParse(command, argc - 2, argv + 2, settings, message)) exit_code = UsageError(message);
  else if (!((const FgCommonSettings *)settings)->config[0] &&
           (!FgOptionsComplete(command, settings, message) || (command->check && !command->check(settings, message)))) {
    exit_code = UsageError(message);
  } else if (command->plain) {
    if (Speaks()) exit_code = FgExitCode(command->run(settings, NULL));
  } else exit_code = RunWithPetsc(command, argc - 2, argv + 2, settings);
  free(settings);
  return exit_code;
}

int main(int argc, char *argv[])
{
  const int exit_code = Answer(argc, argv);

  if ((fflush(stdout) || ferror(stdout)) && !exit_code) {
    fprintf(stderr, "finegrain: standard output: cannot be written\n");
    return FG_EXIT_OUTPUT;
  }
  return exit_code;
}
