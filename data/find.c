/* find.c: the files that belong to a volume, found beside it by the names of FSL, MRtrix and BIDS. */
#include "finegrain/measurement.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "folder/" and "name" of folder/name.nii.gz; folder is empty for the working folder. */
typedef struct {
  char folder[PETSC_MAX_PATH_LEN], name[PETSC_MAX_PATH_LEN];
} Stem;

static void SplitPath(const char *path, Stem *stem)
{
  const char *slash = strrchr(path, '/');
  size_t      length;

  snprintf(stem->folder, sizeof stem->folder, "%.*s", slash ? (int)(slash + 1 - path) : 0, path);
  snprintf(stem->name, sizeof stem->name, "%s", slash ? slash + 1 : path);
  length = strlen(stem->name);
  if (length > 3 && !strcmp(stem->name + length - 3, ".gz")) stem->name[length -= 3] = 0;
  if (length > 4 && !strcmp(stem->name + length - 4, ".nii")) stem->name[length - 4] = 0;
}

/* Sets found to <folder><name><ending> for the first ending for which it exists; leaves it empty otherwise. */
static void FindFirst(const char *folder, const char *name, const char *const endings[], char found[PETSC_MAX_PATH_LEN])
{
  for (int k = 0; endings[k] && !found[0]; k++) {
    const int length = snprintf(found, PETSC_MAX_PATH_LEN, "%s%s%s", folder, name, endings[k]);

    if (length < 0 || length >= PETSC_MAX_PATH_LEN || access(found, F_OK)) found[0] = 0;
  }
}

/* BIDS: sub-01_dir-AP_dwi goes with sub-01_dir-AP_desc-brain_mask, or with the only sub-01*_desc-brain_mask there is. */
static void FindBidsMask(const Stem *stem, char found[PETSC_MAX_PATH_LEN])
{
  static const char *const endings[] = {"_desc-brain_mask.nii.gz", "_desc-brain_mask.nii", NULL};
  char                     name[PETSC_MAX_PATH_LEN], pattern[2 * PETSC_MAX_PATH_LEN];
  const size_t             length = strlen(stem->name);
  glob_t                   matches;

  if (length < 4 || strcmp(stem->name + length - 4, "_dwi") || strpbrk(stem->folder, "*?[\\")) return;
  snprintf(name, sizeof name, "%.*s", (int)length - 4, stem->name);
  FindFirst(stem->folder, name, endings, found);
  if (found[0]) return;
  snprintf(pattern, sizeof pattern, "%s%.*s*_desc-brain_mask.nii*", stem->folder, (int)strcspn(name, "_*?[\\"), name);
  if (glob(pattern, 0, NULL, &matches)) return;
  if (matches.gl_pathc == 1 && strlen(matches.gl_pathv[0]) < PETSC_MAX_PATH_LEN) strcpy(found, matches.gl_pathv[0]);
  globfree(&matches);
}

static void FindGradients(const Stem *stem, FgMeasurementFiles *files)
{
  static const char *const bval[] = {".bval", ".bvals", NULL}, *const bvec[] = {".bvec", ".bvecs", NULL};
  static const char *const bval_folder[] = {"bvals", "bval", NULL}, *const bvec_folder[] = {"bvecs", "bvec", NULL};
  static const char *const mrtrix[] = {".b", "_grad.b", NULL}, *const mrtrix_folder[] = {"grad.b", NULL};
  const PetscBool neither = !files->bval[0] && !files->bvec[0] ? PETSC_TRUE : PETSC_FALSE;

  if (!files->bval[0]) {
    FindFirst(stem->folder, stem->name, bval, files->bval);
    FindFirst(stem->folder, "", bval_folder, files->bval);
  } else if (!files->bvec[0]) {
    /* A lone --bval x.bval has its x.bvec; any other lone table is MRtrix's. */
    Stem         other;
    const size_t length = strlen(files->bval);

    if (length < 5 || (strcmp(files->bval + length - 5, ".bval") && strcmp(files->bval + length - 5, "bvals"))) return;
    SplitPath(files->bval, &other);
    other.name[strlen(other.name) - (files->bval[length - 1] == 's' ? 5 : 4)] = 0;
    FindFirst(other.folder, other.name, bvec_folder, files->bvec);
  }
  if (!files->bvec[0]) {
    FindFirst(stem->folder, stem->name, bvec, files->bvec);
    FindFirst(stem->folder, "", bvec_folder, files->bvec);
  }
  if (neither && (!files->bval[0] || !files->bvec[0])) {
    char table[PETSC_MAX_PATH_LEN] = "";

    FindFirst(stem->folder, stem->name, mrtrix, table);
    FindFirst(stem->folder, "", mrtrix_folder, table);
    if (table[0]) {
      strcpy(files->bval, table);
      files->bvec[0] = 0;
    }
  }
}

PetscErrorCode FgMeasurementFind(FgMeasurementFiles *files)
{
  static const char *const mask[]        = {"_mask.nii.gz", "_mask.nii", "_brain_mask.nii.gz", "_brain_mask.nii", NULL};
  static const char *const mask_folder[] = {"nodif_brain_mask.nii.gz", "nodif_brain_mask.nii", "mask.nii.gz", "mask.nii", NULL};
  Stem                     stem;

  PetscFunctionBegin;
  SplitPath(files->dwi, &stem);
  FindGradients(&stem, files);
  if (!files->mask[0]) {
    FindFirst(stem.folder, stem.name, mask, files->mask);
    if (!files->mask[0]) FindBidsMask(&stem, files->mask);
    FindFirst(stem.folder, "", mask_folder, files->mask);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}
