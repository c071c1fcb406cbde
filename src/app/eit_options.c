/* eit_options.c: the option tables of impedance tomography, and the tissue that they name.

   Default conductivities: the matrix is cerebrospinal fluid at body temperature, 1.79 S/m (S. B. Baumann, D. R. Wozny, S. K. Kelly,
   F. M. Meno, IEEE Trans. Biomed. Eng. 44 (1997) 220); fibers, whose membranes current below some 10 kHz does not pass, insulate. */
#include "eit_options.h"
#include "fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_POROSITY 0.02

#define MEMBER(member) .offset = offsetof(FgEitCommandSettings, domain.member)

/* clang-format off */
const FgOption FgEitDomainOptions[] = {
  {.section = "Impedance tomography: domain", .name = "mesh", .type = FG_OPTION_PATH, MEMBER(mesh), .word = "auto",
   .summary = "Gmsh mesh (2.2, 4.1) whose physical groups electrode1, electrode2, ... are the electrodes; auto: the domain in the measurement file"},
  {.name = "mesh-unit", .type = FG_OPTION_REAL, MEMBER(mesh_unit), .unit = "m", .fallback = "1", .lower = FG_POSITIVE, .upper = 1000,
   .summary = "unit of the mesh's coordinates: 0.001 for millimeters"},
  {.name = "elements", .type = FG_OPTION_INTEGER, MEMBER(elements), .fallback = "0", .lower = 0, .upper = 50000000,
   .summary = "about how many triangles or tetrahedra a built-in mesh of a tank gets; 0: by dimension"},
  {.name = "order", .type = FG_OPTION_INTEGER, MEMBER(order), .fallback = "0", .lower = 0, .upper = 2,
   .summary = "degree of the potential in an element, 1 or 2; 0: 2, to fit in three dimensions 1"},
  {.name = "linear-solver", .type = FG_OPTION_CHOICE, MEMBER(solver), .word = "auto", .choices = "cholmod|mumps|cg",
   .summary = "of the forward problem: direct factorization on one rank, on any number, or conjugate gradients with algebraic multigrid"},
  {.name = "electrodes", .type = FG_OPTION_PATH, MEMBER(electrodes), .word = "auto",
   .summary = "positions for voxel domains, BIDS electrodes.tsv: name x y z in the scanner frame; auto: those in the measurement file"},
  {.name = "electrodes-unit", .type = FG_OPTION_REAL, MEMBER(electrodes_unit), .unit = "m", .fallback = "0.001", .lower = FG_POSITIVE,
   .upper = 1000, .summary = "unit of the coordinates in electrodes.tsv"},
  {.name = "electrode-radius", .type = FG_OPTION_REAL, MEMBER(electrode_radius), .unit = "m", .word = "auto", .lower = FG_POSITIVE,
   .upper = 1, .summary = "of round electrodes on a voxel domain; auto: the measurement's, or 0.005"},

  {.section = "Impedance tomography: tissue", .name = "matrix-conductivity", .type = FG_OPTION_REAL, MEMBER(matrix_conductivity),
   .unit = "S/m", .fallback = "1.79", .lower = FG_POSITIVE, .upper = 1e9,
   .summary = "of the matrix (fluid) phase of a closure; the default is cerebrospinal fluid at body temperature"},
  {.name = "fiber-conductivity", .type = FG_OPTION_REALS, MEMBER(fiber_conductivity), .unit = "S/m", .value = "AXIAL[,RADIAL]",
   .fallback = "0", .lower = 0, .upper = 1e9, .least = 1, .most = 2,
   .summary = "of the fiber phase, along and across its axis; one number: both; 0: membranes insulate at low frequency"},
  {.name = "direction", .type = FG_OPTION_STRING, MEMBER(direction), .value = "FILE|X,Y,Z", .word = "none",
   .summary = "fiber direction that is held: a map of three volumes (V1.nii.gz, direction_scanner.nii.gz) or one constant vector"},
  {.name = "direction-frame", .type = FG_OPTION_CHOICE, MEMBER(direction_frame), .word = "auto", .choices = "scanner|fsl",
   .summary = "axes of such a map; auto: its sidecar's ReferenceAxes, else fsl"},
  {0}};
#undef MEMBER
#define MEMBER(member) .offset = offsetof(FitSettings, eit.member)

const FgOption FgEitFitOptions[] = {
  {.section = "Impedance tomography: inversion", .name = "data", .type = FG_OPTION_CHOICE, MEMBER(data), .word = "auto",
   .choices = "absolute|calibrated|difference",
   .summary = "absolute fits the voltages; calibrated fits F(m0) + U - U_ref, m0 the homogeneous state fitted to the reference voltages; difference "
              "likewise, and reports the change against m0; auto: calibrated where the file holds a reference"},
  {.name = "unknowns", .type = FG_OPTION_LIST, MEMBER(unknowns), .fallback = "porosity", .choices = "porosity|direction",
   .summary = "of a closure other than isotropic; with direction the answer is not unique, see docs/eit.md"},
  {.name = "conductivity", .type = FG_OPTION_REAL, MEMBER(conductivity), .unit = "S/m", .word = "auto", .lower = FG_POSITIVE,
   .upper = 1e9, .summary = "where the fit starts; auto: the homogeneous conductivity that fits best"},
  {.name = "conductivity-range", .type = FG_OPTION_REALS, MEMBER(range), .unit = "S/m", .value = "LOW,HIGH", .word = "auto",
   .lower = FG_POSITIVE, .upper = 1e12, .least = 2, .most = 2,
   .summary = "box of the conductivity; auto: a thousandth to a thousand times the start"},
  {.name = "fit-background", .type = FG_OPTION_CHOICE, MEMBER(background), .word = "auto", .choices = "none|conductivity|impedance|each",
   .summary = "what is fitted first, to the reference where there is one: homogeneous conductivity, also one factor on the contact impedances, also "
              "each of them; auto: impedance with a reference and the closure isotropic, else conductivity"},
  {.name = "model-error", .type = FG_OPTION_REAL, MEMBER(model_error), .unit = "1", .word = "auto", .lower = 0, .upper = 10,
   .summary = "adds this times the voltage, with a reference the difference of voltages, to the noise's standard deviation (in squares); "
              "auto: 0; with a reference what redundant patterns contradict, else 0.05"},
  {.name = "noise-relative", .type = FG_OPTION_REAL, MEMBER(noise_relative), .unit = "1", .word = "auto", .lower = 0, .upper = 1,
   .summary = "standard deviation of the noise over the voltage; auto: what the file says, else 0.001"},
  {.name = "noise-absolute", .type = FG_OPTION_REAL, MEMBER(noise_absolute), .unit = "V", .word = "auto", .lower = 0, .upper = 1e6,
   .summary = "adds to it in squares; auto: what the file says, else 1e-4 of the largest voltage"},
  {.name = "drop-electrodes", .type = FG_OPTION_STRING, MEMBER(drop), .value = "NAME,...", .word = "none",
   .summary = "electrodes to treat as not connected, by name or number from 1"},
  {.name = "grid", .type = FG_OPTION_STRING, MEMBER(grid), .value = "NXxNY[xNZ]|FILE", .word = "auto",
   .summary = "voxels of the maps: so many over the domain, or a NIfTI's grid; auto: 256x256, 64x64x64, or the mask's"},
  {.name = "inverse-crime", .type = FG_OPTION_FLAG, MEMBER(inverse_crime),
   .summary = "allow to fit on the mesh that simulated the voltages"},
  {0}};
/* clang-format on */

PetscBool FgEitDirectionConstant(const char *text, double direction[3])
{
  for (int k = 0; k < 3; k++) {
    char *end;

    direction[k] = strtod(text, &end);
    if (end == text || *end != (k < 2 ? ',' : '\0') || !isfinite(direction[k])) return PETSC_FALSE;
    text = end + 1;
  }
  return PETSC_TRUE;
}

PetscBool FgEitDomainCheck(const FgEitDomainSettings *s, char message[FG_MESSAGE_LENGTH])
{
  double direction[3];

  if (s->direction[0] && FgEitDirectionConstant(s->direction, direction) &&
      !(fabs(direction[0]) + fabs(direction[1]) + fabs(direction[2]) > 0.0)) {
    snprintf(message, FG_MESSAGE_LENGTH, "--direction: found 0,0,0, expected a vector with a direction");
    return PETSC_FALSE;
  }
  if (s->direction[0] && !FgEitDirectionConstant(s->direction, direction) && !strstr(s->direction, ".nii")) {
    snprintf(message, FG_MESSAGE_LENGTH, "--direction: found '%.200s', expected a vector X,Y,Z or a NIfTI file", s->direction);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscErrorCode FgEitTissue(const FgTissueSettings *tissue, const FgEitDomainSettings *domain, FgTissue *chosen,
                           PetscBool *isotropic)
{
  FgTissueSettings s = *tissue;

  PetscFunctionBegin;
  *isotropic = !s.closure[0] || !strcmp(s.closure, FG_EIT_ISOTROPIC_CLOSURE) ? PETSC_TRUE : PETSC_FALSE;
  PetscCheck(!s.orientation[0] || !strcmp(s.orientation, FgOrientations[FG_ALIGNED]), PETSC_COMM_SELF, PETSC_ERR_USER,
             "--orientation %s: found in a run of impedance tomography, expected %s; leave it out", s.orientation,
             FgOrientations[FG_ALIGNED]);
  PetscCheck(!*isotropic || !domain->direction[0], PETSC_COMM_SELF, PETSC_ERR_USER,
             "--direction: found with --closure %s, whose conductivity has none; give a closure such as hs2d",
             FG_EIT_ISOTROPIC_CLOSURE);
  if (*isotropic) s.closure[0] = '\0'; /* the preset's, which nothing asks */
  PetscCall(PetscStrncpy(s.orientation, FgOrientations[FG_ALIGNED], sizeof(s.orientation)));
  PetscCall(PetscStrncpy(s.normalization, "effective", sizeof(s.normalization)));
  s.matrix_diffusivity = domain->matrix_conductivity;
  s.fiber_diffusivity  = domain->fiber_conductivity;
  s.fiber_storage      = 1.0;
  PetscCall(FgTissueChoose(&s, chosen));
  PetscCheck(*isotropic || domain->direction[0], PETSC_COMM_SELF, PETSC_ERR_USER,
             "--direction: is missing, --closure %s needs the fiber direction; give a map or a vector x,y,z", tissue->closure);
  chosen->porosity_lower = PetscMax(chosen->porosity_lower, LEAST_POROSITY);
  PetscFunctionReturn(PETSC_SUCCESS);
}
