/* segment.c: regions of a conductivity map around its peaks, each down to a fraction of its own peak.

     x = log(value/background);  region of a peak p of s x, s = -1 or 1:  the connected set around it of s x > level p,
     where that set holds no higher peak;  mass = sum of |x| over the region.

   A regularized image blurs the edge of an inclusion, symmetrically to first order, so that the edge stands near half the contrast:
   each region has its own threshold, for contrasts differ from inclusion to inclusion. Artifacts reach contrasts of true regions, but
   they are small: mass tells them apart. Voxels are visited from the highest down and joined to their visited neighbors, sets of voxels
   being trees of a forest (Tarjan, J. ACM 22 (1975) 215; component trees: Najman and Couprie, IEEE Trans. Image Process. 15 (2006) 3531). */
#include "finegrain/segment.h"

#include <math.h>
#include <stdlib.h>

typedef struct {
  double   height; /* s x */
  PetscInt voxel;
} Visit;

/* The highest first; among equals the lower index, so that the order is the same everywhere. */
static int CompareVisits(const void *a, const void *b)
{
  const Visit *p = a, *q = b;

  if (p->height != q->height) return p->height > q->height ? -1 : 1;
  return (p->voxel > q->voxel) - (p->voxel < q->voxel);
}

static int CompareMasses(const void *a, const void *b)
{
  const FgSegmentRegion *p = a, *q = b;

  if (p->mass != q->mass) return p->mass > q->mass ? -1 : 1;
  return (p->peak_voxel > q->peak_voxel) - (p->peak_voxel < q->peak_voxel);
}

/* Voxels are known by their rank in the order of visits, so that the root of a set, its smallest rank, is its peak. */
typedef struct {
  PetscInt  n;
  Visit    *visit;  /* [n] */
  PetscInt *rank;   /* [voxels] of a visited voxel, -1 of others */
  PetscInt *parent; /* [n] of the sets of voxels that are connected above the present height */
  PetscInt *core;   /* [n] parent among regions: peaks whose regions have grown into that of a higher peak; -1: into its flank */
  PetscInt *region; /* [n] peak of the region a voxel was put into, -1: flank */
} Forest;

static PetscInt Root(PetscInt *parent, PetscInt i)
{
  while (parent[i] >= 0 && parent[i] != i) {
    if (parent[parent[i]] >= 0) parent[i] = parent[parent[i]];
    i = parent[i];
  }
  return parent[i] < 0 ? -1 : i;
}

/* The sets of two neighbors meet at the height of visit i: the lower peak joins the higher one. If it is still growing it becomes part
   of the region of the higher one, or of its flank where that has ended; if it has ended it stays a region. */
static void Join(Forest *f, PetscInt i, PetscInt neighbor, double level)
{
  const double   height = f->visit[i].height;
  const PetscInt a = Root(f->parent, i), b = Root(f->parent, neighbor), high = PetscMin(a, b), low = PetscMax(a, b);

  if (high == low) return;
  f->parent[low] = high;
  if (height > level * f->visit[low].height) f->core[low] = height > level * f->visit[high].height ? high : -1;
}

static void Grow(Forest *f, const PetscInt dims[3], double level)
{
  const PetscInt stride[3] = {1, dims[0], dims[0] * dims[1]};

  for (PetscInt i = 0; i < f->n; i++) {
    const PetscInt voxel = f->visit[i].voxel;
    PetscInt       peak;

    f->rank[voxel] = f->parent[i] = f->core[i] = i;
    for (int axis = 0; axis < 3; axis++) {
      const PetscInt at = voxel / stride[axis] % dims[axis];

      if (at > 0 && f->rank[voxel - stride[axis]] >= 0) Join(f, i, f->rank[voxel - stride[axis]], level);
      if (at < dims[axis] - 1 && f->rank[voxel + stride[axis]] >= 0) Join(f, i, f->rank[voxel + stride[axis]], level);
    }
    peak         = Root(f->parent, i);
    f->region[i] = f->visit[i].height > level * f->visit[peak].height ? peak : -1;
  }
}

/* Regions of one sign, appended to regions[*nregions]; label_of[voxel] becomes the region's number plus one. */
static PetscErrorCode RegionsOfSign(Forest *f, const PetscInt dims[3], const float x[], int sign, const FgSegmentOptions *options,
                                    PetscInt *nregions, FgSegmentRegion regions[], PetscInt number[])
{
  const PetscInt nvoxels = dims[0] * dims[1] * dims[2];
  PetscInt      *of_peak = f->parent; /* no longer needed when it is filled */

  PetscFunctionBegin;
  f->n = 0;
  for (PetscInt v = 0; v < nvoxels; v++) {
    f->rank[v] = -1;
    if (sign * x[v] > options->level * options->contrast) f->visit[f->n++] = (Visit){sign * (double)x[v], v};
  }
  qsort(f->visit, (size_t)f->n, sizeof(*f->visit), CompareVisits);
  Grow(f, dims, options->level);
  for (PetscInt i = 0; i < f->n; i++) of_peak[i] = -1;
  for (PetscInt i = 0; i < f->n; i++) {
    const PetscInt peak = f->region[i] < 0 ? -1 : Root(f->core, f->region[i]);

    if (peak < 0 || f->visit[peak].height < options->contrast) continue;
    if (of_peak[peak] < 0) {
      of_peak[peak]          = *nregions;
      regions[(*nregions)++] = (FgSegmentRegion){.label      = sign > 0 ? FG_SEGMENT_CONDUCTIVE : FG_SEGMENT_RESISTIVE,
                                                 .peak       = sign * f->visit[peak].height,
                                                 .peak_voxel = f->visit[peak].voxel};
    }
    regions[of_peak[peak]].nvoxels++;
    regions[of_peak[peak]].mass += f->visit[i].height;
    number[f->visit[i].voxel] = of_peak[peak] + 1;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgSegment(const PetscInt dims[3], const float values[], double background, const FgSegmentOptions *options,
                         unsigned char labels[], PetscInt *nregions, FgSegmentRegion **regions)
{
  const PetscInt   nvoxels = dims[0] * dims[1] * dims[2];
  PetscInt         n = 0, kept = 0, *number;
  FgSegmentRegion *found;
  double           heaviest = 0;
  float           *x;
  Forest           f = {0};

  PetscFunctionBegin;
  PetscCheck(background > 0 && isfinite(background), PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "segmentation: found background %g, expected a positive number", background);
  PetscCheck(options->contrast > 0 && options->level > 0 && options->level < 1 && options->share >= 0 && options->share < 1,
             PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "segmentation: found contrast %g, level %g, share %g, expected contrast > 0, 0 < level < 1, 0 <= share < 1",
             options->contrast, options->level, options->share);
  PetscCall(PetscMalloc3(nvoxels, &x, nvoxels, &found, nvoxels, &f.visit));
  PetscCall(PetscMalloc4(nvoxels, &f.rank, nvoxels, &f.parent, nvoxels, &f.core, nvoxels, &f.region));
  PetscCall(PetscCalloc1(nvoxels, &number));
  for (PetscInt v = 0; v < nvoxels; v++) x[v] = isfinite(values[v]) && values[v] > 0 ? (float)log(values[v] / background) : 0.0f;
  PetscCall(RegionsOfSign(&f, dims, x, -1, options, &n, found, number));
  PetscCall(RegionsOfSign(&f, dims, x, 1, options, &n, found, number));
  for (PetscInt i = 0; i < n; i++) heaviest = PetscMax(heaviest, found[i].mass);
  for (PetscInt v = 0; v < nvoxels; v++) {
    const FgSegmentRegion *region = number[v] ? &found[number[v] - 1] : NULL;

    labels[v] = region && region->mass >= options->share * heaviest ? (unsigned char)region->label : FG_SEGMENT_BACKGROUND;
  }
  qsort(found, (size_t)n, sizeof(*found), CompareMasses);
  while (kept < n && found[kept].mass >= options->share * heaviest) kept++;
  if (nregions) *nregions = kept;
  if (regions) {
    PetscCall(PetscMalloc1(PetscMax(kept, 1), regions));
    PetscCall(PetscArraycpy(*regions, found, kept));
  }
  PetscCall(PetscFree3(x, found, f.visit));
  PetscCall(PetscFree4(f.rank, f.parent, f.core, f.region));
  PetscCall(PetscFree(number));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int CompareFloats(const void *a, const void *b)
{
  const float x = *(const float *)a, y = *(const float *)b;

  return (x > y) - (x < y);
}

PetscErrorCode FgSegmentMedian(PetscInt n, const float values[], double *median)
{
  float   *valid;
  PetscInt count = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(PetscMax(n, 1), &valid));
  for (PetscInt i = 0; i < n; i++) {
    if (isfinite(values[i]) && values[i] > 0) valid[count++] = values[i];
  }
  qsort(valid, (size_t)count, sizeof(*valid), CompareFloats);
  *median = count ? 0.5 * ((double)valid[(count - 1) / 2] + (double)valid[count / 2]) : NAN;
  PetscCall(PetscFree(valid));
  PetscFunctionReturn(PETSC_SUCCESS);
}
