/* simulate_eit_options.c: the option table of `finegrain simulate --eit`, and the inclusions that one option names. */
#include "eit_patterns.h"
#include "simulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *PatternName(PetscInt i)
{
  return FgEitPatterns[i];
}

#define MEMBER(member) .offset = offsetof(SimulateSettings, eit.member)

/* clang-format off */
const FgOption FgSimulateEitOptions[] = {
  {.section = "Impedance tomography: simulation", .name = "eit", .type = FG_OPTION_FLAG, MEMBER(on),
   .summary = "simulate electrode voltages instead of a diffusion-weighted volume: of a tank, of --mesh or of --mask"},
  {.name = "radius", .type = FG_OPTION_REAL, MEMBER(radius), .unit = "m", .fallback = "0.1", .lower = FG_POSITIVE, .upper = 1000,
   .summary = "of the tank"},
  {.name = "height", .type = FG_OPTION_REAL, MEMBER(height), .unit = "m", .fallback = "0", .lower = 0, .upper = 1000,
   .summary = "of the tank, an upright cylinder; 0: a disc, whose currents are per meter of depth"},
  {.name = "electrode-count", .type = FG_OPTION_INTEGER, MEMBER(electrodes), .fallback = "16", .lower = 2, .upper = 256,
   .summary = "electrodes around the tank's wall, of each ring; the first at +x, counter-clockwise"},
  {.name = "rings", .type = FG_OPTION_INTEGER, MEMBER(rings), .fallback = "1", .lower = 1, .upper = 16,
   .summary = "rings of electrodes on a cylinder"},
  {.name = "electrode-width", .type = FG_OPTION_REAL, MEMBER(width), .unit = "1", .fallback = "0.5", .lower = FG_POSITIVE, .upper = 0.99,
   .summary = "share of the wall that the electrodes of a ring cover"},
  {.name = "electrode-height", .type = FG_OPTION_REAL, MEMBER(tall), .unit = "m", .word = "auto", .lower = FG_POSITIVE, .upper = 1000,
   .summary = "of electrodes on a cylinder; auto: as wide as tall, at most half of a ring's share of the wall"},
  {.name = "impedance", .type = FG_OPTION_REAL, MEMBER(impedance), .unit = "ohm m^2", .fallback = "0.001", .lower = FG_POSITIVE,
   .upper = 1e6, .summary = "contact impedance of every electrode"},
  {.name = "amplitude", .type = FG_OPTION_REAL, MEMBER(amplitude), .unit = "A", .fallback = "0.001", .lower = FG_POSITIVE, .upper = 1e6,
   .summary = "largest current of a pattern"},
  {.name = "pattern", .type = FG_OPTION_CHOICE, MEMBER(pattern), .choice = PatternName,
   .summary = "which electrodes drive: neighbors, opposite ones, all by cosines and sines, or every one against the first"},
  {.name = "measure", .type = FG_OPTION_CHOICE, MEMBER(measure), .choices = "adjacent|all-against-first",
   .summary = "which differences of potentials are read"},
  {.name = "conductivity", .type = FG_OPTION_REAL, MEMBER(conductivity), .unit = "S/m", .fallback = "1", .lower = FG_POSITIVE, .upper = 1e9,
   .summary = "of the background, where no closure is given"},
  {.name = "porosity", .type = FG_OPTION_REAL, MEMBER(porosity), .unit = "1", .fallback = "0.5", .lower = 0, .upper = 1,
   .summary = "of the background, where --closure and --direction are given"},
  {.name = "inclusions", .type = FG_OPTION_PAIRS, MEMBER(inclusions), .value = "SHAPE=NUMBERS ...", .word = "none",
   .summary = "disc=X,Y,RADIUS,VALUE ellipse=X,Y,A,B,DEGREES,VALUE ball=X,Y,Z,RADIUS,VALUE; lengths in m, value a conductivity [S/m] or "
              "with a closure a porosity; later ones lie on top"},
  {.name = "mask", .type = FG_OPTION_PATH, MEMBER(mask), .word = "none", .summary = "voxel domain instead of a tank, with --electrodes"},
  {.name = "reference", .type = FG_OPTION_FLAG, MEMBER(reference), .summary = "add the voltages of the background alone as the reference"},
  {.name = "noise-relative", .type = FG_OPTION_REAL, MEMBER(noise_relative), .unit = "1", .fallback = "0.001", .lower = 0, .upper = 1,
   .summary = "standard deviation of Gaussian noise over the voltage; --noise none: no noise"},
  {.name = "noise-absolute", .type = FG_OPTION_REAL, MEMBER(noise_absolute), .unit = "V", .word = "auto", .lower = 0, .upper = 1e6,
   .summary = "adds to it in squares; auto: 1e-4 of the largest voltage"},
  {0}};
/* clang-format on */

PetscBool FgInclusionsRead(const char *text, FgInclusion inclusions[FG_MAX_INCLUSIONS], PetscInt *n,
                           char message[FG_MESSAGE_LENGTH])
{
  static const struct {
    const char *shape;
    int         count, dim;
  } shapes[] = {{"disc=", 4, 2}, {"ellipse=", 6, 2}, {"ball=", 5, 3}};

  *n = 0;
  for (const char *word = text + strspn(text, " "); *word; word += strspn(word, " ")) {
    const size_t length = strcspn(word, " ");
    double       v[6];
    int          count = 0, shape = -1;

    for (int k = 0; k < 3; k++) {
      if (!strncmp(word, shapes[k].shape, strlen(shapes[k].shape))) shape = k;
    }
    if (shape >= 0) {
      const char *at = word + strlen(shapes[shape].shape);
      char       *end;

      for (; count < shapes[shape].count; count++) {
        v[count] = strtod(at, &end);
        if (end == at || !isfinite(v[count])) break;
        at = end + (*end == ',');
        if (*end != ',') {
          count++;
          break;
        }
      }
      if (at != word + length) count = -1;
    }
    if (shape < 0 || count != shapes[shape].count || *n == FG_MAX_INCLUSIONS) {
      snprintf(message, FG_MESSAGE_LENGTH,
               "--inclusions: found '%.*s', expected disc=X,Y,RADIUS,VALUE, ellipse=X,Y,A,B,DEGREES,VALUE or "
               "ball=X,Y,Z,RADIUS,VALUE, at most %d",
               (int)PetscMin(length, 100), word, FG_MAX_INCLUSIONS);
      return PETSC_FALSE;
    }
    if (shape == 0) inclusions[*n] = (FgInclusion){{v[0], v[1], 0}, {v[2], v[2], 1}, 0, 2, v[3]};
    else if (shape == 1) inclusions[*n] = (FgInclusion){{v[0], v[1], 0}, {v[2], v[3], 1}, v[4] * M_PI / 180.0, 2, v[5]};
    else inclusions[*n] = (FgInclusion){{v[0], v[1], v[2]}, {v[3], v[3], v[3]}, 0, 3, v[4]};
    if (!(inclusions[*n].axes[0] > 0 && inclusions[*n].axes[1] > 0 && inclusions[*n].value > 0)) {
      snprintf(message, FG_MESSAGE_LENGTH, "--inclusions: found '%.*s', expected sizes and a value above 0",
               (int)PetscMin(length, 100), word);
      return PETSC_FALSE;
    }
    ++*n;
    word += length;
  }
  return PETSC_TRUE;
}

PetscBool FgInclusionHolds(const FgInclusion *i, const double x[3])
{
  const double d[3] = {x[0] - i->center[0], x[1] - i->center[1], i->dim == 3 ? x[2] - i->center[2] : 0.0};
  const double u    = (cos(i->angle) * d[0] + sin(i->angle) * d[1]) / i->axes[0];
  const double v = (-sin(i->angle) * d[0] + cos(i->angle) * d[1]) / i->axes[1], w = d[2] / i->axes[2];

  return u * u + v * v + w * w <= 1.0 ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool FgSimulateEitCheck(const SimulateSettings *s, char message[FG_MESSAGE_LENGTH])
{
  const size_t length = strlen(s->output);
  FgInclusion  inclusions[FG_MAX_INCLUSIONS];
  PetscInt     n;

  if (s->truth[0] || s->phantom[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--eit: excludes --truth and --phantom, the truth is given by --inclusions");
  } else if (s->domain.mesh[0] && s->eit.mask[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--mesh: excludes --mask, give one domain");
  } else if (s->eit.mask[0] && !s->domain.electrodes[0]) {
    snprintf(message, FG_MESSAGE_LENGTH, "--electrodes: is missing, --mask needs an electrodes.tsv");
  } else if (length < 4 || strcmp(s->output + length - 3, ".h5")) {
    snprintf(message, FG_MESSAGE_LENGTH, "--output: found '%.200s', expected a file NAME.h5 with --eit", s->output);
  } else if (s->eit.rings > 1 && s->eit.height <= 0.0) {
    snprintf(message, FG_MESSAGE_LENGTH, "--rings: found %d on a disc, expected 1; give --height", (int)s->eit.rings);
  } else {
    return FgInclusionsRead(s->eit.inclusions, inclusions, &n, message) && FgTissueCheck(&s->tissue, message) &&
                   FgEitDomainCheck(&s->domain, message)
               ? PETSC_TRUE
               : PETSC_FALSE;
  }
  return PETSC_FALSE;
}
