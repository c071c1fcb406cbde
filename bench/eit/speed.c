/* speed.c: what the complete electrode model costs, for bench/eit/speed.sh.

   usage: bench_eit disc|cylinder ELEMENTS ELECTRODES ORDER SOLVER [REPEAT [FOLDER]]
     Homogeneous tank of radius 1 m (cylinder: height 0.5 m), 1 S/m, adjacent patterns. Prints one JSON object: CPU seconds of rank 0, least
     of REPEAT: of a forward evaluation (assembly, factorisation, solution), the gradient of a misfit where the fields are known, a
     Gauss-Newton action, one of many at the same conductivity, a dense Jacobian; peak memory [bytes]. With FOLDER also writes the mesh there for the peer program, and the
     adjacent voltages. */
#include "finegrain/model.h"
#include "stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  double forward, gradient, action, many, jacobian, mesh;
} Seconds;

static PetscErrorCode MakeEit(PetscBool cylinder, PetscInt count, FgEit *out)
{
  FgEit eit;

  PetscFunctionBegin;
  PetscCall(FgEitCreate(count, count, count, &eit));
  PetscCall(PetscStrncpy(eit->source, "bench", sizeof(eit->source)));
  eit->radius = 1.0;
  eit->height = cylinder ? 0.5 : 0.0;
  eit->depth  = 1.0;
  PetscCall(PetscCalloc1(count, &eit->angle));
  PetscCall(PetscCalloc1(count, &eit->width));
  if (cylinder) {
    PetscCall(PetscCalloc1(count, &eit->z));
    PetscCall(PetscCalloc1(count, &eit->tall));
  }
  for (PetscInt l = 0; l < count; l++) {
    PetscCall(PetscSNPrintf(eit->name[l], sizeof(eit->name[l]), "E%" PetscInt_FMT, l + 1));
    eit->impedance[l] = 0.01;
    eit->angle[l]     = 2.0 * PETSC_PI * (double)l / (double)count;
    eit->width[l]     = PETSC_PI / (double)count;
    if (cylinder) eit->z[l] = 0.25, eit->tall[l] = 0.1;
    eit->current[l * count + l]               = -1.0;
    eit->current[l * count + (l + 1) % count] = 1.0;
    eit->pattern[l * count + l]               = 1.0;
    eit->pattern[l * count + (l + 1) % count] = -1.0;
    for (PetscInt q = 0; q < count; q++) eit->voltage[l * count + q] = 0.0;
  }
  *out = eit;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteMesh(FgMesh mesh, FgEit eit, const char *folder)
{
  char  path[PETSC_MAX_PATH_LEN];
  FILE *file;

  PetscFunctionBegin;
  for (int part = 0; part < 4; part++) {
    const char *names[] = {"nodes", "elements", "faces", "impedance"};

    PetscCall(PetscSNPrintf(path, sizeof(path), "%s/%s.txt", folder, names[part]));
    file = fopen(path, "w");
    PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written", path);
    for (PetscInt i = 0; part == 0 && i < mesh->nnodes; i++) {
      for (PetscInt a = 0; a < mesh->dim; a++) fprintf(file, "%.17g%c", mesh->node[3 * i + a], a + 1 < mesh->dim ? ' ' : '\n');
    }
    for (PetscInt e = 0; part == 1 && e < mesh->nelements; e++) {
      for (PetscInt a = 0; a <= mesh->dim; a++) {
        fprintf(file, "%" PetscInt_FMT "%c", mesh->element[(mesh->dim + 1) * e + a] + 1, a < mesh->dim ? ' ' : '\n');
      }
    }
    for (PetscInt l = 0; l < mesh->nelectrodes; l++) {
      for (PetscInt f = mesh->face_start[l]; part == 2 && f < mesh->face_start[l + 1]; f++) {
        fprintf(file, "%" PetscInt_FMT, l + 1);
        for (PetscInt a = 0; a < mesh->dim; a++) fprintf(file, " %" PetscInt_FMT, mesh->face[mesh->dim * f + a] + 1);
        fprintf(file, "\n");
      }
      if (part == 3) fprintf(file, "%.17g\n", eit->impedance[l]);
    }
    PetscCheck(!fclose(file), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written", path);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteVoltages(Vec d, const char *folder)
{
  const PetscScalar *values;
  char               path[PETSC_MAX_PATH_LEN];
  PetscInt           n;
  FILE              *file;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/voltages.txt", folder));
  file = fopen(path, "w");
  PetscCheck(file, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written", path);
  PetscCall(VecGetLocalSize(d, &n));
  PetscCall(VecGetArrayRead(d, &values));
  for (PetscInt i = 0; i < n; i++) fprintf(file, "%.17g\n", values[i]);
  PetscCall(VecRestoreArrayRead(d, &values));
  PetscCheck(!fclose(file), PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: cannot be written", path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void Keep(double *least, double start)
{
  const double seconds = FgCpuSeconds() - start;

  if (!(*least <= seconds)) *least = seconds;
}

static PetscErrorCode Measure(FgModel model, FgField field, PetscInt repeat, PetscBool dense, const char *folder, Seconds *least)
{
  Vec       d, v, y;
  FgData    data = {.ndata = 1};
  float    *values, *sigma;
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(FgModelCreateDataVec(model, &d));
  PetscCall(FgFieldCreateVec(field, &v));
  PetscCall(VecDuplicate(v, &y));
  PetscCall(VecGetLocalSize(d, &data.nlocal));
  PetscCall(PetscMalloc2(data.nlocal, &values, data.nlocal, &sigma));
  for (PetscInt i = 0; i < data.nlocal; i++) values[i] = 0.0f, sigma[i] = 1.0f;
  data.values = values;
  data.sigma  = sigma;
  for (PetscInt k = 0; k < repeat; k++) {
    double start;

    PetscCall(VecShift(field->m, 1e-3)); /* another conductivity, so that nothing is reused */
    start = FgCpuSeconds();
    PetscCall(FgModelApply(model, field->m, d));
    Keep(&least->forward, start);
    if (folder && k == 0) PetscCall(WriteVoltages(d, folder));
    PetscCall(FgModelMisfit(model, &data, field->m, &f, y));
    start = FgCpuSeconds();
    PetscCall(FgModelMisfit(model, &data, field->m, &f, y));
    Keep(&least->gradient, start);
    PetscCall(VecCopy(y, v));
    start = FgCpuSeconds();
    PetscCall(FgModelGaussNewton(model, &data, v, y));
    Keep(&least->action, start);
    for (int i = 0; i < 4; i++) PetscCall(FgModelGaussNewton(model, &data, v, y));
    start = FgCpuSeconds();
    PetscCall(FgModelGaussNewton(model, &data, v, y));
    Keep(&least->many, start);
  }
  if (dense) {
    double      *jacobian;
    const double start = FgCpuSeconds();

    PetscCall(PetscMalloc1((size_t)field->domain->nlocal * model->ncomponents * model->ndata, &jacobian));
    PetscCall(FgModelApply(model, field->m, d));
    PetscCall(FgModelJacobian(model, jacobian));
    Keep(&least->jacobian, start);
    PetscCall(PetscFree(jacobian));
  }
  PetscCall(PetscFree2(values, sigma));
  PetscCall(VecDestroy(&d));
  PetscCall(VecDestroy(&v));
  PetscCall(VecDestroy(&y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(PetscBool cylinder, PetscInt elements, PetscInt electrodes, PetscInt order, const char *solver,
                          PetscInt repeat, const char *folder)
{
  FgEitOptions options = {.unknowns           = FG_EIT_ISOTROPIC,
                          .order              = order,
                          .tolerance          = 1e-10,
                          .conductivity       = 1.0,
                          .conductivity_lower = 1e-3,
                          .conductivity_upper = 1e3};
  Seconds      seconds = {INFINITY, INFINITY, INFINITY, INFINITY, INFINITY, INFINITY};
  FgTissue     tissue  = {0};
  FgEit        eit;
  FgMesh       mesh;
  FgDomain     domain;
  FgField      field;
  FgModel      model;
  FgTank       tank;
  Traffic      traffic;
  double       start, peak;

  PetscFunctionBegin;
  PetscCall(PetscStrncpy(options.solver, solver, sizeof(options.solver)));
  PetscCall(MakeEit(cylinder, electrodes, &eit));
  tank  = (FgTank){.radius      = eit->radius,
                   .height      = eit->height,
                   .nelectrodes = electrodes,
                   .name        = (const char(*)[32])eit->name,
                   .angle       = eit->angle,
                   .z           = eit->z,
                   .width       = eit->width,
                   .tall        = eit->tall};
  start = FgCpuSeconds();
  PetscCall(cylinder ? FgMeshCreateCylinder(&tank, elements, &mesh) : FgMeshCreateDisc(&tank, elements, &mesh));
  Keep(&seconds.mesh, start);
  if (folder) PetscCall(WriteMesh(mesh, eit, folder));
  PetscCall(FgDomainCreateMesh(PETSC_COMM_WORLD, mesh, &domain));
  PetscCall(FgModelCreate(PETSC_COMM_WORLD, "eit", &tissue, &model));
  PetscCall(FgModelSetEit(model, eit, mesh, &options));
  PetscCall(FgModelSetup(model));
  PetscCall(FgFieldCreate(domain, model->ncomponents, model->components, &field));
  PetscCall(FgModelSetField(model, field));
  PetscCall(VecSet(field->m, -1e-3));
  PetscCall(Measure(model, field, repeat, folder ? PETSC_TRUE : PETSC_FALSE, folder, &seconds));
  peak = FgPeakMemory();
  PetscCall(MeasureTraffic(model, &traffic));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "{\"elements\": %" PetscInt_FMT ", \"nodes\": %" PetscInt_FMT ", \"mesh\": %.4g, \"forward\": %.4g, "
                        "\"gradient\": %.4g, \"action\": %.4g, \"many\": %.4g, \"jacobian\": %.4g, \"iterations\": %" PetscInt_FMT
                        ", \"peak\": %.4g, \"bytes_per_element\": %.4g, \"matrix\": %.4g, \"hierarchy\": %.4g, \"read\": %.4g, "
                        "\"pass\": %.4g, \"multiply\": %.4g, \"iteration\": %.4g}\n",
                        mesh->nelements, mesh->nnodes, seconds.mesh, seconds.forward, seconds.gradient, seconds.action,
                        seconds.many, isfinite(seconds.jacobian) ? seconds.jacobian : 0.0, model->counts.iterations, peak,
                        peak / (double)mesh->nelements, traffic.matrix, traffic.hierarchy, traffic.read, traffic.pass,
                        traffic.multiply, traffic.iteration));
  PetscCall(FgFieldDestroy(&field));
  PetscCall(FgModelDestroy(&model));
  PetscCall(FgDomainDestroy(&domain));
  PetscCall(FgMeshDestroy(&mesh));
  PetscCall(FgEitDestroy(&eit));
  PetscFunctionReturn(PETSC_SUCCESS);
}

int main(int argc, char **argv)
{
  if (argc < 6 || (strcmp(argv[1], "disc") && strcmp(argv[1], "cylinder"))) {
    fprintf(stderr, "usage: bench_eit disc|cylinder ELEMENTS ELECTRODES ORDER SOLVER [REPEAT [FOLDER]]\n");
    return 2;
  }
  if (PetscInitialize(NULL, NULL, NULL, NULL)) return 1;
  if (Run(strcmp(argv[1], "disc") ? PETSC_TRUE : PETSC_FALSE, atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), argv[5],
          argc > 6 ? atoi(argv[6]) : 3, argc > 7 ? argv[7] : NULL)) {
    return 1;
  }
  return PetscFinalize() ? 1 : 0;
}
