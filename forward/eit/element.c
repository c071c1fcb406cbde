/* element.c: integrals over one element and one electrode face, exact for straight-sided simplices.

   Degree 1: gradients are those of the barycentric coordinates, one point of weight |e|. Degree 2: basis l_i(2 l_i - 1) at vertices,
   4 l_i l_j at midpoints of edges; products of two gradients are quadratic, and the dim + 1 points l_i = a, others b, of equal weight
   integrate those exactly: triangles a = 2/3, b = 1/6; tetrahedra a = (5 + 3 sqrt 5)/20, b = (5 - sqrt 5)/20.
   Source of the rules: A. H. Stroud, Approximate Calculation of Multiple Integrals (1971), T2:2-1 and T3:2-1. */
#include "eit.h"

#include <math.h>
#include <string.h>

/* Gradients of barycentric coordinates [vertex][axis]; returns the measure. */
static double Barycentric(FgMesh mesh, const PetscInt *node, double gradient[4][3])
{
  const double *x[4];
  double        measure;

  memset(gradient, 0, 12 * sizeof(double));
  for (PetscInt i = 0; i <= mesh->dim; i++) x[i] = &mesh->node[3 * (size_t)node[i]];
  if (mesh->dim == 2) {
    const double twice = (x[1][0] - x[0][0]) * (x[2][1] - x[0][1]) - (x[2][0] - x[0][0]) * (x[1][1] - x[0][1]);

    for (int i = 0; i < 3; i++) {
      const double *b = x[(i + 1) % 3], *c = x[(i + 2) % 3];

      gradient[i][0] = (b[1] - c[1]) / twice;
      gradient[i][1] = (c[0] - b[0]) / twice;
    }
    return 0.5 * fabs(twice);
  }
  double edge[3][3];

  for (int i = 0; i < 3; i++) {
    for (int a = 0; a < 3; a++) edge[i][a] = x[i + 1][a] - x[0][a];
  }
  for (int i = 0; i < 3; i++) {
    const double *p = edge[(i + 1) % 3], *q = edge[(i + 2) % 3];

    for (int a = 0; a < 3; a++) gradient[i + 1][a] = p[(a + 1) % 3] * q[(a + 2) % 3] - p[(a + 2) % 3] * q[(a + 1) % 3];
  }
  measure = edge[0][0] * gradient[1][0] + edge[0][1] * gradient[1][1] + edge[0][2] * gradient[1][2];
  for (int a = 0; a < 3; a++) {
    for (int i = 1; i < 4; i++) {
      gradient[i][a] /= measure;
      gradient[0][a] -= gradient[i][a];
    }
  }
  return fabs(measure) / 6.0;
}

void FgEitElementGradients(const FgEitSpace *space, PetscInt element, FgEitGradient gradient)
{
  const PetscInt dim = space->mesh->dim, width = dim + 1;
  double         vertex[4][3];
  const double   measure = Barycentric(space->mesh, &space->mesh->element[(size_t)(space->first_element + element) * width],
                                       vertex);

  if (space->order == 1) {
    const double root = sqrt(measure);

    for (PetscInt a = 0; a < dim; a++) {
      for (PetscInt i = 0; i < width; i++) gradient[0][a][i] = root * vertex[i][a];
    }
    return;
  }
  const double root = sqrt(measure / width);
  const double near = dim == 2 ? 2.0 / 3.0 : 0.25 + 0.15 * sqrt(5.0), far = (1.0 - near) / dim;

  for (PetscInt q = 0; q < width; q++) {
    for (PetscInt a = 0; a < dim; a++) {
      PetscInt n = width;

      for (PetscInt i = 0; i < width; i++) {
        const double li = i == q ? near : far;

        gradient[q][a][i] = root * (4.0 * li - 1.0) * vertex[i][a];
        for (PetscInt j = i + 1; j < width; j++) {
          const double lj = j == q ? near : far;

          gradient[q][a][n++] = root * 4.0 * (li * vertex[j][a] + lj * vertex[i][a]);
        }
      }
    }
  }
}

void FgEitFaceIntegrals(const FgEitSpace *space, double integral[FG_EIT_FACE_BASIS],
                        double mass[FG_EIT_FACE_BASIS][FG_EIT_FACE_BASIS])
{
  /* Rows: degree 1 and 2 on a segment, 1 and 2 on a triangle whose midpoints are of the edges 01, 02, 12. */
  static const double segment1[2][2] = {{2, 1}, {1, 2}}, segment2[3][3] = {{4, -1, 2}, {-1, 4, 2}, {2, 2, 16}};
  static const double triangle1[3][3] = {{2, 1, 1}, {1, 2, 1}, {1, 1, 2}};
  static const double triangle2[6][6] = {{6, -1, -1, 0, 0, -4},  {-1, 6, -1, 0, -4, 0},  {-1, -1, 6, -4, 0, 0},
                                         {0, 0, -4, 32, 16, 16}, {0, -4, 0, 16, 32, 16}, {-4, 0, 0, 16, 16, 32}};
  const PetscInt      n               = space->nfacebasis;
  const PetscBool     plane           = space->mesh->dim == 2 ? PETSC_TRUE : PETSC_FALSE;
  const double       *table = space->order == 1 ? (plane ? segment1[0] : triangle1[0]) : (plane ? segment2[0] : triangle2[0]);
  const double        scale = space->order == 1 ? (plane ? 6.0 : 12.0) : (plane ? 30.0 : 180.0);

  for (PetscInt i = 0; i < n; i++) {
    integral[i] = 0.0;
    for (PetscInt j = 0; j < n; j++) {
      mass[i][j] = table[i * n + j] / scale;
      integral[i] += mass[i][j];
    }
  }
}
