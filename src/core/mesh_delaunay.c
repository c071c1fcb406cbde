/* mesh_delaunay.c: Delaunay triangles of the unit disc, refined until they are as small as wanted.

   The circle's polygon is convex, so that the Delaunay triangles of nodes on and inside it fill it. It starts as the fan around the
   center; nodes are put in and edges flipped until no circumcircle holds a node (C. L. Lawson, "Software for C1 surface
   interpolation", 1977). Triangles whose circumcircle is too large are split at its center (L. P. Chew, "Guaranteed-quality
   triangular meshes", 1989): the new node is no nearer to any other than that radius, so that angles stay above 30 degrees but for
   the change of size. Edges of the circle and of the ring (radius 1/2) stand: the rows of nodes next to them go in first, as apexes of
   equilateral triangles, and nodes that would fall nearer are left out. Then nodes move to the middle of their
   neighbors where that makes the smallest angle around them no smaller. */
#include "mesh_disc.h"

#define RADIUS_LIMIT 0.72 /* circumradius against the edge length wanted; an equilateral triangle has 0.577 */
#define SWEEPS       12

typedef struct {
  double   *x;                            /* [][2] */
  PetscInt *corner;                       /* [][3] */
  PetscInt *across;                       /* [][3] triangle opposite to each corner, -1 */
  PetscInt  nnodes, ntriangles, capacity; /* nodes; triangles have twice the room */
  PetscInt  nboundary, nring;
  PetscInt *stack, nstack; /* edges to look at: 3 triangle + corner */
} Work;

static double Area(const double *a, const double *b, const double *c)
{
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/* Positive where d lies inside the circle through a, b, c (counter-clockwise). */
static double InCircle(const double *a, const double *b, const double *c, const double *d)
{
  const double ax = a[0] - d[0], ay = a[1] - d[1], bx = b[0] - d[0], by = b[1] - d[1], cx = c[0] - d[0], cy = c[1] - d[1];
  const double aa = ax * ax + ay * ay, bb = bx * bx + by * by, cc = cx * cx + cy * cy;

  return aa * (bx * cy - by * cx) - bb * (ax * cy - ay * cx) + cc * (ax * by - ay * bx);
}

static PetscErrorCode Grow(Work *w)
{
  PetscFunctionBegin;
  if (w->nnodes < w->capacity) PetscFunctionReturn(PETSC_SUCCESS);
  w->capacity = 2 * w->capacity;
  PetscCall(PetscRealloc(2 * (size_t)w->capacity * sizeof(*w->x), &w->x));
  PetscCall(PetscRealloc(6 * (size_t)w->capacity * sizeof(*w->corner), &w->corner));
  PetscCall(PetscRealloc(6 * (size_t)w->capacity * sizeof(*w->across), &w->across));
  PetscCall(PetscRealloc(6 * (size_t)w->capacity * sizeof(*w->stack), &w->stack));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void SetTriangle(Work *w, PetscInt t, PetscInt a, PetscInt b, PetscInt c, PetscInt na, PetscInt nb, PetscInt nc)
{
  w->corner[3 * t] = a, w->corner[3 * t + 1] = b, w->corner[3 * t + 2] = c;
  w->across[3 * t] = na, w->across[3 * t + 1] = nb, w->across[3 * t + 2] = nc;
}

static void Reconnect(Work *w, PetscInt t, PetscInt from, PetscInt to)
{
  if (t < 0) return;
  for (int k = 0; k < 3; k++) {
    if (w->across[3 * t + k] == from) {
      w->across[3 * t + k] = to;
      return;
    }
  }
}

/* Whether nodes a and b follow each other on the ring. */
static PetscBool Stands(const Work *w, PetscInt a, PetscInt b)
{
  const PetscInt first = w->nboundary, distance = PetscAbsInt(a - b);

  if (a < first || b < first || a >= first + w->nring || b >= first + w->nring) return PETSC_FALSE;
  return distance == 1 || distance == w->nring - 1 ? PETSC_TRUE : PETSC_FALSE;
}

/* Flips the edge opposite to corner k of t where the node behind it lies inside t's circumcircle. */
static PetscBool Flip(Work *w, PetscInt t, PetscInt k)
{
  const PetscInt u = w->across[3 * t + k];
  const PetscInt p = w->corner[3 * t + k], a = w->corner[3 * t + (k + 1) % 3], b = w->corner[3 * t + (k + 2) % 3];
  const double  *x = w->x;
  PetscInt       j = 0, q, ta, tb, ua, ub;
  double         scale;

  if (u < 0 || Stands(w, a, b)) return PETSC_FALSE;
  while (w->across[3 * u + j] != t) j++;
  q     = w->corner[3 * u + j];
  scale = PetscSqr(x[2 * a] - x[2 * b]) + PetscSqr(x[2 * a + 1] - x[2 * b + 1]);
  if (InCircle(x + 2 * p, x + 2 * a, x + 2 * b, x + 2 * q) <= 1e-10 * scale * scale) return PETSC_FALSE;
  if (Area(x + 2 * p, x + 2 * a, x + 2 * q) <= 1e-12 * scale || Area(x + 2 * p, x + 2 * q, x + 2 * b) <= 1e-12 * scale)
    return PETSC_FALSE;
  ta = w->across[3 * t + (k + 1) % 3]; /* opposite to a: beyond b p */
  tb = w->across[3 * t + (k + 2) % 3]; /* beyond p a */
  ua = w->across[3 * u + (j + 2) % 3]; /* u is q, b, a: opposite to a is beyond q b */
  ub = w->across[3 * u + (j + 1) % 3]; /* beyond a q */
  SetTriangle(w, t, p, a, q, ub, u, tb);
  SetTriangle(w, u, p, q, b, ua, ta, t);
  Reconnect(w, ub, u, t);
  Reconnect(w, ta, t, u);
  return PETSC_TRUE;
}

/* Flips what is on the stack and what the flips uncover. */
static void Legalize(Work *w)
{
  while (w->nstack > 0) {
    const PetscInt edge = w->stack[--w->nstack], t = edge / 3, k = edge % 3, u = w->across[3 * t + k];

    if (!Flip(w, t, k)) continue;
    if (w->nstack + 4 > 6 * w->capacity) continue;
    w->stack[w->nstack++] = 3 * t;
    w->stack[w->nstack++] = 3 * u;
    w->stack[w->nstack++] = 3 * t + 2;
    w->stack[w->nstack++] = 3 * u + 1;
  }
}

/* The triangle that holds a place, walking from t; -1 where the way leaves the disc. */
static PetscInt Walk(const Work *w, PetscInt t, const double *place)
{
  for (PetscInt step = 0; step < w->ntriangles; step++) {
    int    way   = -1;
    double worst = 0.0;

    for (int k = 0; k < 3; k++) {
      const double *a = w->x + 2 * w->corner[3 * t + (k + 1) % 3], *b = w->x + 2 * w->corner[3 * t + (k + 2) % 3];
      const double  area = Area(a, b, place);

      if (area < worst) {
        worst = area;
        way   = k;
      }
    }
    if (way < 0) return t;
    t = w->across[3 * t + way];
    if (t < 0) return -1;
  }
  return -1;
}

/* Puts a node into triangle t. */
static PetscErrorCode Insert(Work *w, PetscInt t, double x, double y)
{
  PetscInt n, u, v, a, b, c, na, nb, nc;

  PetscFunctionBegin;
  PetscCall(Grow(w));
  n = w->nnodes++;
  u = w->ntriangles++;
  v = w->ntriangles++;
  a = w->corner[3 * t], b = w->corner[3 * t + 1], c = w->corner[3 * t + 2];
  na = w->across[3 * t], nb = w->across[3 * t + 1], nc = w->across[3 * t + 2];
  w->x[2 * n] = x, w->x[2 * n + 1] = y;
  SetTriangle(w, t, n, a, b, nc, u, v);
  SetTriangle(w, u, n, b, c, na, v, t);
  SetTriangle(w, v, n, c, a, nb, t, u);
  Reconnect(w, na, t, u);
  Reconnect(w, nb, t, v);
  for (int k = 0; k < 3; k++) {
    const PetscInt mine = k == 0 ? t : k == 1 ? u : v;

    w->stack[w->nstack++] = 3 * mine;
  }
  Legalize(w);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether a node at a place in triangle t keeps `distance` from the corners around it. */
static PetscBool HasRoom(const Work *w, PetscInt t, const double *place, double distance)
{
  for (int k = -1; k < 3; k++) {
    const PetscInt u = k < 0 ? t : w->across[3 * t + k];

    for (int j = 0; u >= 0 && j < 3; j++) {
      const double *x = w->x + 2 * w->corner[3 * u + j];

      if (hypot(x[0] - place[0], x[1] - place[1]) < distance) return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

/* The apex of the equilateral triangle over an edge, on the side of sign. */
static PetscErrorCode InsertApex(Work *w, PetscInt a, PetscInt b, double sign, PetscInt *near)
{
  const double   dx = w->x[2 * b] - w->x[2 * a], dy = w->x[2 * b + 1] - w->x[2 * a + 1];
  const double   apex[2] = {0.5 * (w->x[2 * a] + w->x[2 * b]) - sign * 0.8 * dy,
                            0.5 * (w->x[2 * a + 1] + w->x[2 * b + 1]) + sign * 0.8 * dx};
  const PetscInt t       = Walk(w, *near, apex);

  PetscFunctionBegin;
  if (t < 0 || !HasRoom(w, t, apex, 0.7 * hypot(dx, dy))) PetscFunctionReturn(PETSC_SUCCESS);
  *near = t;
  PetscCall(Insert(w, t, apex[0], apex[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The fan around the center, then the ring, then the rows next to the edges that stand. */
static PetscErrorCode Start(Work *w, const FgDisc *disc)
{
  const PetscInt n = disc->nboundary, center = n;
  PetscInt       near = 0;

  PetscFunctionBegin;
  PetscCall(PetscArraycpy(w->x, disc->x, 2 * n));
  for (PetscInt k = 0; k < n; k++) {
    SetTriangle(w, k, center + disc->nring, k, (k + 1) % n, -1, (k + 1) % n, (k + n - 1) % n);
  }
  w->x[2 * (center + disc->nring)] = w->x[2 * (center + disc->nring) + 1] = 0.0;
  w->ntriangles                                                           = n;
  w->nnodes = n; /* the ring's nodes take the numbers after the circle's, the center the one after theirs */
  for (PetscInt k = 0; k < n; k++) {
    w->stack[w->nstack++] = 3 * k + 1;
  }
  Legalize(w);
  for (PetscInt k = 0; k < disc->nring; k++) {
    const double *place = disc->x + 2 * (n + k);
    PetscInt      t     = Walk(w, near, place);

    PetscCheck(t >= 0, PETSC_COMM_SELF, PETSC_ERR_PLIB, "a node of the ring lies outside the disc");
    near = t;
    PetscCall(Insert(w, t, place[0], place[1]));
  }
  w->nnodes++;
  w->nring = disc->nring;
  for (PetscInt k = 0; k < n; k++) PetscCall(InsertApex(w, k, (k + 1) % n, 1.0, &near));
  for (PetscInt k = 0; k < w->nring; k++) {
    PetscCall(InsertApex(w, n + k, n + (k + 1) % w->nring, 1.0, &near));
    PetscCall(InsertApex(w, n + k, n + (k + 1) % w->nring, -1.0, &near));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Puts a node at the circumcenter of a triangle that is too large. */
static PetscErrorCode Split(Work *w, const FgDisc *disc, double coarse, PetscInt t)
{
  const double *a = w->x + 2 * w->corner[3 * t], *b = w->x + 2 * w->corner[3 * t + 1], *c = w->x + 2 * w->corner[3 * t + 2];
  const double  bx = b[0] - a[0], by = b[1] - a[1], cx = c[0] - a[0], cy = c[1] - a[1], twice = 2.0 * (bx * cy - by * cx);
  const double  bb = bx * bx + by * by, cc = cx * cx + cy * cy;
  const double  dx = (cy * bb - by * cc) / twice, dy = (bx * cc - cx * bb) / twice;
  const double  place[2] = {a[0] + dx, a[1] + dy}, radius = hypot(dx, dy), rho = hypot(place[0], place[1]);
  double        size;
  PetscInt      into;

  PetscFunctionBegin;
  if (twice <= 0.0 || rho >= 1.0) PetscFunctionReturn(PETSC_SUCCESS);
  size = FgDiscSize(disc, coarse, place[0], place[1]);
  if (radius < RADIUS_LIMIT * size || 1.0 - rho < 0.55 * size) PetscFunctionReturn(PETSC_SUCCESS);
  if (PetscAbsReal(rho - 0.5) < 0.55 * size) PetscFunctionReturn(PETSC_SUCCESS);
  into = Walk(w, t, place);
  if (into >= 0 && HasRoom(w, into, place, 0.5 * radius)) PetscCall(Insert(w, into, place[0], place[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Refine(Work *w, const FgDisc *disc, double coarse)
{
  PetscFunctionBegin;
  for (PetscInt before = 0; before < w->nnodes;) {
    before = w->nnodes;
    for (PetscInt t = 0; t < w->ntriangles; t++) PetscCall(Split(w, disc, coarse, t));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static double SmallestSine(const double *a, const double *b, const double *c)
{
  const double area = Area(a, b, c), ab = hypot(a[0] - b[0], a[1] - b[1]), bc = hypot(b[0] - c[0], b[1] - c[1]),
               ca = hypot(c[0] - a[0], c[1] - a[1]);

  return area / (ab * bc * ca) * PetscMin(ab, PetscMin(bc, ca)); /* sine of the angle opposite to the shortest side */
}

/* One sweep over the nodes that may move. `first` is a triangle of each node. */
static void MoveNodes(Work *w, const PetscInt *first)
{
  for (PetscInt n = w->nboundary + w->nring; n < w->nnodes; n++) {
    double   before = 2.0, after = 2.0, sum[2] = {0.0, 0.0}, weight = 0.0, old[2] = {w->x[2 * n], w->x[2 * n + 1]};
    PetscInt t = first[n];

    for (int pass = 0; pass < 2; pass++) {
      do {
        int           k = 0;
        const double *a, *b;

        while (w->corner[3 * t + k] != n) k++;
        a = w->x + 2 * w->corner[3 * t + (k + 1) % 3];
        b = w->x + 2 * w->corner[3 * t + (k + 2) % 3];
        if (pass == 0) {
          before = PetscMin(before, SmallestSine(old, a, b));
          sum[0] += (old[0] + a[0] + b[0]) / 3.0;
          sum[1] += (old[1] + a[1] + b[1]) / 3.0;
          weight += 1.0;
        } else {
          after = PetscMin(after, SmallestSine(w->x + 2 * n, a, b));
        }
        t = w->across[3 * t + (k + 1) % 3];
      } while (t != first[n]);
      if (pass == 0) w->x[2 * n] = sum[0] / weight, w->x[2 * n + 1] = sum[1] / weight;
    }
    if (after < before && after < 0.6) w->x[2 * n] = old[0], w->x[2 * n + 1] = old[1];
  }
}

static PetscErrorCode Smooth(Work *w)
{
  PetscInt *first;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(w->nnodes, &first));
  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    for (PetscInt t = 0; t < w->ntriangles; t++) {
      for (int k = 0; k < 3; k++) first[w->corner[3 * t + k]] = t;
    }
    MoveNodes(w, first);
    for (PetscInt t = 0; t < w->ntriangles; t++) {
      for (int k = 0; k < 3; k++) w->stack[w->nstack++] = 3 * t + k;
      Legalize(w);
    }
  }
  PetscCall(PetscFree(first));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgDiscTriangulate(FgDisc *disc, double coarse, PetscBool rough)
{
  Work w = {.nboundary = disc->nboundary, .nring = 0, .capacity = 2 * (disc->nboundary + disc->nring) + 1000};

  PetscFunctionBegin;
  PetscCall(PetscMalloc(2 * (size_t)w.capacity * sizeof(*w.x), &w.x));
  PetscCall(PetscMalloc(6 * (size_t)w.capacity * sizeof(*w.corner), &w.corner));
  PetscCall(PetscMalloc(6 * (size_t)w.capacity * sizeof(*w.across), &w.across));
  PetscCall(PetscMalloc(6 * (size_t)w.capacity * sizeof(*w.stack), &w.stack));
  PetscCall(Start(&w, disc));
  PetscCall(Refine(&w, disc, coarse));
  if (!rough) PetscCall(Smooth(&w));
  PetscCall(PetscFree(w.across));
  PetscCall(PetscFree(w.stack));
  PetscCall(PetscFree(disc->x));
  disc->x          = w.x;
  disc->triangle   = w.corner;
  disc->nnodes     = w.nnodes;
  disc->ntriangles = w.ntriangles;
  PetscFunctionReturn(PETSC_SUCCESS);
}
