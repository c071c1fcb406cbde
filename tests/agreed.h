/* agreed.h: assertions on several ranks: all ranks fail together, so that none waits for one that has given up. */
#ifndef FINEGRAIN_TESTS_AGREED_H
#define FINEGRAIN_TESTS_AGREED_H

#include "recorder.h"
#include "scratch.h"

static inline PetscMPIInt Rank(void)
{
  PetscMPIInt rank;

  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  return rank;
}

/* Collective: true where it is true on every rank. */
static inline int Agreed(int mine)
{
  int all = 0;

  mine = !!mine;
  MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, PETSC_COMM_WORLD);
  return all;
}

/* Whether n bytes are the same; a rank without any may hold NULL. */
static inline int SameBytes(const void *a, const void *b, size_t n)
{
  return !n || !memcmp(a, b, n);
}

#define AgreedTrue(condition) assert_true(Agreed(condition))

#define AgreedSuccess(call) \
  do { \
    PetscErrorCode code_; \
    FgRecorderClear(); \
    code_ = (call); \
    if (code_) print_error("code %d: %s\n", (int)code_, recorded_message); \
    assert_true(Agreed(!code_)); \
  } while (0)

/* The same code on every rank; the message, which must hold `text`, on rank 0. */
#define AgreedFailure(call, code, text) \
  do { \
    PetscErrorCode code_; \
    int            good_; \
    FgRecorderClear(); \
    code_ = (call); \
    good_ = code_ == (code) && (Rank() || (strstr(recorded_message, text) && !strchr(recorded_message, '\n'))); \
    if (!good_) print_error("code %d: \"%s\"; expected %d and \"%s\"\n", (int)code_, recorded_message, (int)(code), text); \
    assert_true(Agreed(good_)); \
  } while (0)

/* One folder for all ranks. */
static inline void AgreedScratchOpen(void)
{
  if (!Rank()) ScratchOpen();
  MPI_Bcast(scratch_folder, (int)sizeof scratch_folder, MPI_CHAR, 0, PETSC_COMM_WORLD);
}

static inline void AgreedScratchClose(void)
{
  MPI_Barrier(PETSC_COMM_WORLD);
  if (!Rank()) ScratchClose();
}

#endif
