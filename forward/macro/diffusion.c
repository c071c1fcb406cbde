/* diffusion.c: -div(K grad u) on a box by finite volumes, for full tensors that vary from voxel to voxel.

   Around every vertex of the grid each voxel has a corner. The gradient in a corner follows from the voxel's value and
   those on the halves of faces that meet there, and the values on faces are those of least energy 1/2 sum |corner| g . K
   g: this makes fluxes continuous. They are eliminated vertex by vertex, which leaves voxels alone. So the matrix is
   symmetric and positive semidefinite for any tensors, the flux from voxel to voxel is one number, linear functions are
   exact in a uniform medium and across layers, and for diagonal tensors it is the familiar scheme of 2 dim + 1 points with
   harmonic means. Faces of the box take part with values that are given (FG_FACE_VALUE) or found from the flux that enters
   (FG_FACE_FLUX). Source: Aavatsmark, Comput. Geosci. 6 (2002) 405 (multipoint fluxes, O-method); here in its symmetric,
   variational form. */
#include "macro.h"

#include <petscdmda.h>
#include <string.h>

enum { MAX_CORNERS = 8, MAX_HALVES = 12, MAX_VARIABLES = MAX_CORNERS + MAX_HALVES };

typedef enum { HALF_ABSENT, HALF_INNER, HALF_FLUX, HALF_VALUE } HalfKind;

/* Everything around one vertex. Corners are numbered by bits: bit k tells that the voxel lies above the vertex along axis
   k. Half face (k, o) lies between the corners o and o | 1 << k. Variables: corners, then half faces. */
typedef struct {
  PetscInt      dim, ncorners, nhalves;
  const double *K[MAX_CORNERS]; /* NULL: outside of the box */
  HalfKind      kind[MAX_HALVES];
  PetscInt      face[MAX_HALVES];                /* of the box, where kind is FLUX or VALUE */
  double        value[MAX_HALVES];               /* of that face */
  double        Q[MAX_VARIABLES][MAX_VARIABLES]; /* energy 1/2 x.Qx - r.x, per volume of a voxel */
  double        r[MAX_VARIABLES];
} Vertex;

/* Half face between corner o (bit k unset) and its neighbor along k: bits of o without bit k. */
static PetscInt Half(const Vertex *v, PetscInt k, PetscInt corner)
{
  const PetscInt low = corner & ((1 << k) - 1), high = corner >> (k + 1);

  return k * (v->ncorners / 2) + (low | high << k);
}

static void AddEnergies(Vertex *v, const double spacing[3])
{
  const double weight = 1.0 / v->ncorners;

  memset(v->Q, 0, sizeof v->Q);
  for (PetscInt c = 0; c < v->ncorners; c++) {
    double   step[3];
    PetscInt half[3];

    if (!v->K[c]) continue;
    /* du/dx_k = step_k (u_half - u_corner) */
    for (PetscInt k = 0; k < v->dim; k++) {
      step[k] = (c >> k & 1 ? -2.0 : 2.0) / spacing[k];
      half[k] = v->ncorners + Half(v, k, c & ~(1 << k));
    }
    for (PetscInt k = 0; k < v->dim; k++) {
      for (PetscInt l = 0; l < v->dim; l++) {
        const double q = weight * step[k] * step[l] * v->K[c][3 * k + l];

        v->Q[half[k]][half[l]] += q;
        v->Q[half[k]][c] -= q;
        v->Q[c][half[l]] -= q;
        v->Q[c][c] += q;
      }
    }
  }
}

/* Eliminates the half faces whose values are not given, largest remaining pivot first. A pivot that has vanished belongs
   to a direction without conductivity: the half face has no part in the energy, and what is said to enter there goes to
   its voxel. */
static void Eliminate(Vertex *v)
{
  PetscInt left[MAX_HALVES], nleft = 0;
  double   original[MAX_VARIABLES];

  for (PetscInt h = 0; h < v->nhalves; h++) {
    if (v->kind[h] == HALF_INNER || v->kind[h] == HALF_FLUX) left[nleft++] = v->ncorners + h;
  }
  for (PetscInt i = 0; i < v->ncorners + v->nhalves; i++) original[i] = v->Q[i][i];
  while (nleft > 0) {
    PetscInt best = -1, p;
    double   most = 1e-12;

    for (PetscInt i = 0; i < nleft; i++) {
      const PetscInt x = left[i];

      if (v->Q[x][x] > most * original[x]) {
        most = v->Q[x][x] / original[x];
        best = i;
      }
    }
    if (best < 0) break;
    p          = left[best];
    left[best] = left[--nleft];
    for (PetscInt i = 0; i < v->ncorners + v->nhalves; i++) {
      const double factor = v->Q[i][p] / v->Q[p][p];

      if (i == p || factor == 0.0) continue;
      for (PetscInt j = 0; j < v->ncorners + v->nhalves; j++) v->Q[i][j] -= factor * v->Q[p][j];
      v->Q[i][p] = 0.0;
      v->r[i] -= factor * v->r[p];
    }
    for (PetscInt j = 0; j < v->ncorners + v->nhalves; j++) v->Q[p][j] = 0.0;
    v->r[p] = 0.0;
  }
  for (PetscInt i = 0; i < nleft; i++) {
    for (PetscInt c = 0; c < v->ncorners && v->r[left[i]] != 0.0; c++) {
      for (PetscInt k = 0; k < v->dim; k++) {
        if (v->K[c] && v->ncorners + Half(v, k, c & ~(1 << k)) == left[i]) {
          v->r[c] += v->r[left[i]];
          v->r[left[i]] = 0.0;
        }
      }
    }
  }
}

/* What one needs to walk over the vertices of this rank's voxels. */
typedef struct {
  Diffusion          diffusion;
  const PetscScalar *tensors;
  PetscInt           ghost_start[3], ghost_count[3];
} Walk;

static PetscErrorCode WalkBegin(Diffusion diffusion, Walk *walk)
{
  PetscInt *s = walk->ghost_start, *n = walk->ghost_count;

  PetscFunctionBegin;
  walk->diffusion = diffusion;
  PetscCall(DMDAGetGhostCorners(diffusion->box->dm, &s[0], &s[1], &s[2], &n[0], &n[1], &n[2]));
  PetscCall(VecGetArrayRead(diffusion->tensors, &walk->tensors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WalkEnd(Walk *walk)
{
  PetscFunctionBegin;
  PetscCall(VecRestoreArrayRead(walk->diffusion->tensors, &walk->tensors));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The vertex below voxel `at` along every axis, with its half faces eliminated; ghost[c]: local index of corner c's voxel
   among the ghosted ones, owned[c]: whether this rank has it. */
static void VertexForm(const Walk *walk, const PetscInt at[3], Vertex *v, PetscInt ghost[MAX_CORNERS],
                       PetscBool owned[MAX_CORNERS])
{
  const FgBox     box   = walk->diffusion->box;
  const PetscInt *first = walk->ghost_start, *count = walk->ghost_count;

  v->dim      = box->dim;
  v->ncorners = 1 << box->dim;
  v->nhalves  = box->dim * v->ncorners / 2;
  memset(v->r, 0, sizeof v->r);
  for (PetscInt c = 0; c < v->ncorners; c++) {
    PetscInt  i[3] = {0, 0, 0};
    PetscBool here = PETSC_TRUE, mine = PETSC_TRUE;

    for (PetscInt k = 0; k < v->dim; k++) {
      i[k] = at[k] - 1 + (c >> k & 1);
      if (!box->periodic[k] && (i[k] < 0 || i[k] >= box->n[k])) here = PETSC_FALSE;
      if (i[k] < box->start[k] || i[k] >= box->start[k] + box->count[k]) mine = PETSC_FALSE;
    }
    ghost[c] = here ? ((i[2] - first[2]) * count[1] + i[1] - first[1]) * count[0] + i[0] - first[0] : -1;
    owned[c] = (PetscBool)(here && mine);
    v->K[c]  = here ? &walk->tensors[9 * ghost[c]] : NULL;
  }
  AddEnergies(v, box->spacing);
  for (PetscInt k = 0; k < v->dim; k++) {
    for (PetscInt o = 0; o < v->ncorners; o++) {
      const PetscInt h = Half(v, k, o), below = o, above = o | 1 << k;

      if (o >> k & 1) continue;
      v->kind[h] = v->K[below] && v->K[above] ? HALF_INNER : HALF_ABSENT;
      if (!v->K[below] == !v->K[above]) continue;
      v->face[h] = 2 * k + (v->K[below] ? 1 : 0);
      {
        const FgFace *face = &walk->diffusion->faces[v->face[h]];
        double        x[3] = {0.0, 0.0, 0.0};

        for (PetscInt l = 0; l < v->dim; l++)
          x[l] = ((double)(at[l] - 1 + (o >> l & 1)) + (l == k ? 1.0 : 0.5)) * box->spacing[l];
        v->kind[h]  = face->kind == FG_FACE_VALUE ? HALF_VALUE : HALF_FLUX;
        v->value[h] = FaceValue(face, x);
        if (v->kind[h] == HALF_FLUX) v->r[v->ncorners + h] = v->value[h] / (box->spacing[k] * (v->ncorners / 2));
      }
    }
  }
  Eliminate(v);
}

static PetscErrorCode Assemble(Diffusion diffusion)
{
  const FgBox  box = diffusion->box;
  Walk         walk;
  Vertex       v;
  PetscScalar *inflow;
  PetscInt     at[3], ghost[MAX_CORNERS];
  PetscBool    owned[MAX_CORNERS];

  PetscFunctionBegin;
  PetscCall(WalkBegin(diffusion, &walk));
  PetscCall(VecGetArray(diffusion->inflow, &inflow));
  for (at[2] = box->start[2]; at[2] <= box->start[2] + (box->dim > 2 ? box->count[2] : 0); at[2]++) {
    for (at[1] = box->start[1]; at[1] <= box->start[1] + (box->dim > 1 ? box->count[1] : 0); at[1]++) {
      for (at[0] = box->start[0]; at[0] <= box->start[0] + box->count[0]; at[0]++) {
        VertexForm(&walk, at, &v, ghost, owned);
        for (PetscInt c = 0; c < v.ncorners; c++) {
          PetscInt    columns[MAX_CORNERS], ncolumns = 0, local = 0;
          PetscScalar values[MAX_CORNERS];

          if (!owned[c]) continue;
          for (PetscInt j = 0; j < v.ncorners; j++) {
            if (ghost[j] < 0 || (v.Q[c][j] == 0.0 && j != c)) continue;
            columns[ncolumns]  = ghost[j];
            values[ncolumns++] = v.Q[c][j];
          }
          PetscCall(MatSetValuesLocal(diffusion->matrix, 1, &ghost[c], ncolumns, columns, values, ADD_VALUES));
          for (PetscInt k = 2; k >= 0; k--) {
            local = local * box->count[k] + (k < box->dim ? at[k] - 1 + (c >> k & 1) - box->start[k] : 0);
          }
          inflow[local] += v.r[c];
          for (PetscInt h = 0; h < v.nhalves; h++) {
            if (v.kind[h] == HALF_VALUE) inflow[local] -= v.Q[c][v.ncorners + h] * v.value[h];
          }
        }
      }
    }
  }
  PetscCall(VecRestoreArray(diffusion->inflow, &inflow));
  PetscCall(WalkEnd(&walk));
  PetscCall(MatAssemblyBegin(diffusion->matrix, MAT_FINAL_ASSEMBLY));
  PetscCall(MatAssemblyEnd(diffusion->matrix, MAT_FINAL_ASSEMBLY));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode MatrixCreate(FgBox box, PetscBool corners, Mat *matrix)
{
  const PetscInt         width = corners ? (box->dim == 1 ? 3 : box->dim == 2 ? 9 : 27) : 2 * box->dim + 1;
  PetscInt              *here, *there;
  ISLocalToGlobalMapping map;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(box->nlocal, &here, box->nlocal, &there));
  for (PetscInt i = 0; i < box->nlocal; i++) {
    const PetscInt at[3] = {i % box->count[0], i / box->count[0] % box->count[1], i / (box->count[0] * box->count[1])};

    here[i]  = PetscMin(width, box->nlocal);
    there[i] = 0;
    for (PetscInt k = 0; k < box->dim; k++) {
      if (box->count[k] < box->n[k] && (at[k] == 0 || at[k] == box->count[k] - 1)) there[i] = width - 1;
    }
  }
  PetscCall(MatCreateAIJ(box->comm, box->nlocal, box->nlocal, PETSC_DETERMINE, PETSC_DETERMINE, 0, here, 0, there, matrix));
  PetscCall(PetscFree2(here, there));
  PetscCall(DMGetLocalToGlobalMapping(box->dm, &map));
  PetscCall(MatSetLocalToGlobalMapping(*matrix, map, map));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether any tensor has an off-diagonal entry, which couples voxels across corners. */
static PetscErrorCode HasCorners(Diffusion diffusion, PetscBool *corners)
{
  const PetscScalar *K;
  PetscInt           n, found = 0, any;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(diffusion->tensors, &n));
  PetscCall(VecGetArrayRead(diffusion->tensors, &K));
  for (PetscInt i = 0; i < n && !found; i += 9) {
    for (PetscInt k = 0; k < diffusion->box->dim; k++) {
      for (PetscInt l = 0; l < k; l++) found |= K[i + 3 * k + l] != 0.0;
    }
  }
  PetscCall(VecRestoreArrayRead(diffusion->tensors, &K));
  PetscCallMPI(MPI_Allreduce(&found, &any, 1, MPIU_INT, MPI_MAX, diffusion->box->comm));
  *corners = (PetscBool)(any != 0);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DiffusionCreate(FgBox box, FgCoefficient tensor, TensorRange range, const FgFace faces[FG_FACES], const char *name,
                               Diffusion *diffusion)
{
  Diffusion d;
  PetscBool corners;

  PetscFunctionBegin;
  PetscCall(PetscNew(diffusion));
  d       = *diffusion;
  d->box  = box;
  d->free = PETSC_TRUE;
  for (PetscInt k = 0; k < 2 * box->dim; k++) {
    PetscCheck(faces[k].function || PetscIsNormalReal(faces[k].value) || faces[k].value == 0.0, box->comm, PETSC_ERR_USER,
               "%s: face %d has the value %g, expected a finite number", name, (int)k, faces[k].value);
    if (!box->periodic[k / 2] && faces[k].kind == FG_FACE_VALUE) d->free = PETSC_FALSE;
  }
  memcpy(d->faces, faces, sizeof d->faces);
  PetscCall(CoefficientTensors(box, tensor, range, name, &d->dm9, &d->tensors));
  PetscCall(HasCorners(d, &corners));
  PetscCall(MatrixCreate(box, corners, &d->matrix));
  PetscCall(FgBoxVector(box, &d->inflow));
  PetscCall(Assemble(d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode DiffusionDestroy(Diffusion *diffusion)
{
  PetscFunctionBegin;
  if (!*diffusion) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDestroy(&(*diffusion)->tensors));
  PetscCall(DMDestroy(&(*diffusion)->dm9));
  PetscCall(MatDestroy(&(*diffusion)->matrix));
  PetscCall(VecDestroy(&(*diffusion)->inflow));
  PetscCall(PetscFree(*diffusion));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Through a face with a given flux it is that flux; through one with a given value, the derivative of the energy by that
   value. Every half face belongs to one voxel, whose owner counts it. */
PetscErrorCode DiffusionFaceFlux(Diffusion diffusion, Vec u, double flux[FG_FACES])
{
  const FgBox        box           = diffusion->box;
  double             sum[FG_FACES] = {0};
  Walk               walk;
  Vertex             v;
  Vec                local;
  const PetscScalar *value;
  PetscInt           at[3], ghost[MAX_CORNERS];
  PetscBool          owned[MAX_CORNERS];

  PetscFunctionBegin;
  PetscCall(DMGetLocalVector(box->dm, &local));
  PetscCall(DMGlobalToLocalBegin(box->dm, u, INSERT_VALUES, local));
  PetscCall(DMGlobalToLocalEnd(box->dm, u, INSERT_VALUES, local));
  PetscCall(VecGetArrayRead(local, &value));
  PetscCall(WalkBegin(diffusion, &walk));
  for (at[2] = box->start[2]; at[2] <= box->start[2] + (box->dim > 2 ? box->count[2] : 0); at[2]++) {
    for (at[1] = box->start[1]; at[1] <= box->start[1] + (box->dim > 1 ? box->count[1] : 0); at[1]++) {
      for (at[0] = box->start[0]; at[0] <= box->start[0] + box->count[0]; at[0]++) {
        PetscBool inside = PETSC_TRUE;

        for (PetscInt k = 0; k < box->dim; k++)
          inside = (PetscBool)(inside && (box->periodic[k] || (at[k] > 0 && at[k] < box->n[k])));
        if (inside) continue;
        VertexForm(&walk, at, &v, ghost, owned);
        for (PetscInt c = 0; c < v.ncorners; c++) {
          if (!owned[c]) continue;
          for (PetscInt k = 0; k < box->dim; k++) {
            const PetscInt h = Half(&v, k, c & ~(1 << k)), x = v.ncorners + h;

            if (v.kind[h] == HALF_FLUX) sum[v.face[h]] -= v.value[h] * box->volume / (box->spacing[k] * (v.ncorners / 2));
            if (v.kind[h] != HALF_VALUE) continue;
            sum[v.face[h]] += v.r[x] * box->volume;
            for (PetscInt j = 0; j < v.ncorners; j++) {
              if (ghost[j] >= 0) sum[v.face[h]] -= v.Q[x][j] * value[ghost[j]] * box->volume;
            }
            for (PetscInt j = 0; j < v.nhalves; j++) {
              if (v.kind[j] == HALF_VALUE) sum[v.face[h]] -= v.Q[x][v.ncorners + j] * v.value[j] * box->volume;
            }
          }
        }
      }
    }
  }
  PetscCall(WalkEnd(&walk));
  PetscCall(VecRestoreArrayRead(local, &value));
  PetscCall(DMRestoreLocalVector(box->dm, &local));
  PetscCallMPI(MPI_Allreduce(sum, flux, FG_FACES, MPI_DOUBLE, MPI_SUM, box->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}
