/* import.c: `finegrain import`: measurements in other programs' formats become finegrain's own (docs/formats.md, "EIT measurements"). */
#include "record.h"

#include "finegrain/eit.h"

#include <stdio.h>
#include <string.h>

typedef struct {
  FgCommonSettings common;
  FgText           format, data, reference, output;
  PetscBool        force;
} ImportSettings;

#define MEMBER(member) .offset = offsetof(ImportSettings, member)

/* clang-format off */
static const FgOption options[] = {
  {.section = "Input", .name = "format", .type = FG_OPTION_CHOICE, MEMBER(format), .value = "FORMAT", .choices = "ktc2023", .positional = PETSC_TRUE,
   .summary = "what the files are: ktc2023, MATLAB files of the Kuopio Tomography Challenge 2023"},
  {.name = "data", .type = FG_OPTION_PATH, MEMBER(data), .value = "DATA", .positional = PETSC_TRUE, .summary = "the measurement: data1.mat"},
  {.name = "reference", .type = FG_OPTION_PATH, MEMBER(reference), .value = "REFERENCE", .positional = PETSC_TRUE,
   .summary = "the empty tank: ref.mat"},
  {.section = "Output", .name = "output", .letter = 'o', .type = FG_OPTION_PATH, MEMBER(output), .value = "FILE",
   .summary = "the measurement for fit, HDF5: NAME.h5"},
  {.name = "force", .type = FG_OPTION_FLAG, MEMBER(force), .summary = "overwrite the output"},
  {0}};
/* clang-format on */

/* Rank 0. */
static PetscErrorCode Import(const ImportSettings *s, FgLog *log)
{
  FgEit          eit = NULL;
  PetscErrorCode code;

  PetscFunctionBegin;
  PetscCall(FgRecordMayWrite(s->output, s->force));
  PetscCall(FgEitReadKtc(s->data, s->reference, &eit));
  code = FgEitCheck(eit);
  if (!code) code = FgEitWrite(s->output, eit);
  if (!code) {
    FgLogResult(log, "data     %s: %d electrodes, %d current patterns, %d measurements each%s", s->data, (int)eit->nelectrodes,
                (int)eit->npatterns, (int)eit->nmeasurements, eit->reference ? ", and a reference" : "");
    if (eit->ndropped) FgLogResult(log, "         %d voltages are missing", (int)eit->ndropped);
    FgLogResult(log, "results  %s", s->output);
  }
  PetscCall(FgEitDestroy(&eit));
  PetscCall(code);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(const void *settings, FgLog *log)
{
  PetscErrorCode code = PETSC_SUCCESS;
  PetscMPIInt    rank;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (!rank) code = Import(settings, log);
  PetscCall(FgAgree(PETSC_COMM_WORLD, code));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool Check(const void *context, char message[FG_MESSAGE_LENGTH])
{
  const ImportSettings *s      = context;
  const size_t          length = strlen(s->output);

  if (length >= 4 && !strcmp(s->output + length - 3, ".h5")) return PETSC_TRUE;
  snprintf(message, FG_MESSAGE_LENGTH, "--output: found '%.200s', expected a file -o NAME.h5", s->output);
  return PETSC_FALSE;
}

const FgCommand FgCommandImport = {
    .name    = "import",
    .summary = "measurements of other programs as finegrain's own files",
    .usage   = "FORMAT DATA REFERENCE -o FILE [options]",
    .description =
        "Reads a measurement in the format of another program, checks it, and writes it as an HDF5 file that fit takes.",
    .example       = "finegrain import ktc2023 data1.mat ref.mat -o tank.h5\nfinegrain fit tank.h5 -o out",
    .options       = {options},
    .settings_size = sizeof(ImportSettings),
    .check         = Check,
    .run           = Run};
