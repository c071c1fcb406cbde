/* gmsh.h: what a Gmsh file says, before it is a mesh. */
#ifndef FINEGRAIN_DATA_GMSH_H
#define FINEGRAIN_DATA_GMSH_H

#include "finegrain/mesh.h"

/* The file in memory, and how its numbers are written. */
typedef struct {
  const char *path;
  char       *bytes; /* [length + 1], a zero behind */
  size_t      length, at;
  int         version; /* 2: 2.2, 4: 4.1; 0 before $MeshFormat */
  PetscBool   binary, swapped;
  const char *section; /* that is being read, for messages */
} FgGmshText;

typedef struct {
  int  dim;
  int  tag;
  char name[64];
} FgGmshGroup;

/* An entity of the geometry (4.1) and its physical groups. */
typedef struct {
  int    dim, tag;
  size_t first, n; /* into physical */
} FgGmshEntity;

typedef struct {
  PetscInt64 tag;
  double     x[3];
} FgGmshNode;

typedef struct {
  PetscInt64 node[4];    /* tags */
  int        dim, group; /* of its corners: 1 lines, 2 triangles, 3 tetrahedra; physical group (2.2) or entity (4.1) */
} FgGmshElement;

typedef struct {
  FgGmshText     text;
  size_t         ngroups, nentities, nphysical, nnodes, nelements;
  FgGmshGroup   *group;
  FgGmshEntity  *entity;
  int           *physical;
  FgGmshNode    *node;
  FgGmshElement *element;
} FgGmsh;

/* gmsh_text.c: words and numbers. An integer has 4 or 8 bytes where the file is binary. */
PETSC_INTERN PetscErrorCode FgGmshWord(FgGmshText *text, char *word, size_t size);
PETSC_INTERN PetscErrorCode FgGmshInteger(FgGmshText *text, int bytes, PetscInt64 low, PetscInt64 high, PetscInt64 *value);
PETSC_INTERN PetscErrorCode FgGmshWritten(FgGmshText *text, PetscInt64 low, PetscInt64 high,
                                          PetscInt64 *value); /* in words always */
PETSC_INTERN PetscErrorCode FgGmshReal(FgGmshText *text, double *value);
/* After the words of a line, before binary numbers. */
PETSC_INTERN void FgGmshEndLine(FgGmshText *text);
/* Moves behind $End of the section. */
PETSC_INTERN PetscErrorCode FgGmshEndSection(FgGmshText *text, const char *name, PetscBool skip);
/* Refuses a number of things that the rest of the file cannot hold, at `bytes` each or more. */
PETSC_INTERN PetscErrorCode FgGmshRoom(const FgGmshText *text, PetscInt64 n, size_t bytes, const char *things);

/* gmsh_sections.c: reads all sections of a file in memory. */
PETSC_INTERN PetscErrorCode FgGmshSections(FgGmsh *gmsh);

#endif
