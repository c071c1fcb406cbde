/* phases_file.c: what the phases of a cell are made of, from YAML by libyaml:

     phases:
       - {label: 0, name: matrix, conductivity: 1.0}
       - {label: 1, name: fiber, conductivity: [2, 0.5, 0.5], youngs-modulus: 1e4}
     cell: {temperature: 298.15}
     ions:
       - {name: Na, valence: 1, diffusivity: 1.334e-9, bath: 150}

   Names of properties are those of FgProperties; a list may be nested to show a matrix by rows. Every mistake is one line
   with file and line number. */
#include "table.h"

#include "finegrain/cell_file.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define PHASES_LIMIT 16777216 /* [bytes]; 65535 phases with a stiffness each have less */
#define MOST_KEYS    64       /* of one mapping */

typedef struct {
  const char      *path;
  yaml_document_t *document;
  FgPhaseTable    *table;
} Reading;

static int LineOf(const yaml_node_t *node)
{
  return (int)node->start_mark.line + 1;
}

/* Text of a scalar as it can stand in a message: printable, not long. */
static const char *Shown(const char *text, char shown[48])
{
  snprintf(shown, 48, "%.40s", text);
  for (char *c = shown; *c; c++) {
    if (*c < 32 || *c > 126) *c = '?';
  }
  return shown;
}

/* The text of a scalar; NULL where the node is none, or holds a zero byte. */
static const char *TextOf(const yaml_node_t *node)
{
  const char *text;

  if (!node || node->type != YAML_SCALAR_NODE) return NULL;
  text = (const char *)node->data.scalar.value;
  return strlen(text) == node->data.scalar.length ? text : NULL;
}

static yaml_node_t *NodeAt(const Reading *reading, int index)
{
  return yaml_document_get_node(reading->document, index);
}

/* Keys are texts, each once. */
static PetscErrorCode CheckMapping(const Reading *reading, const yaml_node_t *node, const char *expected)
{
  char shown[48];

  PetscFunctionBegin;
  PetscCheck(node && node->type == YAML_MAPPING_NODE, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: expected %s",
             reading->path, node ? LineOf(node) : 1, expected);
  PetscCheck(node->data.mapping.pairs.top - node->data.mapping.pairs.start <= MOST_KEYS, PETSC_COMM_SELF,
             PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found more than %d keys, expected %s", reading->path, LineOf(node),
             MOST_KEYS, expected);
  for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
    const yaml_node_t *node_of_key = NodeAt(reading, pair->key);
    const char        *key         = TextOf(node_of_key);

    PetscCheck(key && key[0], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found a key that is no text, expected %s",
               reading->path, node_of_key ? LineOf(node_of_key) : LineOf(node), expected);
    for (yaml_node_pair_t *before = node->data.mapping.pairs.start; before < pair; before++)
      PetscCheck(strcmp(TextOf(NodeAt(reading, before->key)), key), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: line %d: found \"%s\" again, first on line %d; expected each key once", reading->path, LineOf(node_of_key),
                 Shown(key, shown), LineOf(NodeAt(reading, before->key)));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadNumber(const Reading *reading, const char *key, const yaml_node_t *node, double *value)
{
  const char *text = TextOf(node);
  char       *end, shown[48];

  PetscFunctionBegin;
  *value = text && text[0] ? strtod(text, &end) : 0.0;
  PetscCheck(text && text[0] && !*end, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: line %d: '%s': found \"%s\", expected a number", reading->path, LineOf(node), key,
             text ? Shown(text, shown) : "something else");
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A number, a list of numbers, or a list of rows of as many numbers each. At most 36. */
static PetscErrorCode ReadNumbers(const Reading *reading, const char *key, const yaml_node_t *node,
                                  double values[FG_PROPERTY_VALUES], PetscInt *count)
{
  PetscFunctionBegin;
  *count = 0;
  if (node->type != YAML_SEQUENCE_NODE) {
    PetscCall(ReadNumber(reading, key, node, &values[(*count)++]));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++) {
    const yaml_node_t *element = NodeAt(reading, *item);
    const PetscInt     nrows   = (PetscInt)(node->data.sequence.items.top - node->data.sequence.items.start);

    if (element->type == YAML_SEQUENCE_NODE) {
      const PetscInt ncolumns = (PetscInt)(element->data.sequence.items.top - element->data.sequence.items.start);

      PetscCheck(ncolumns == nrows, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: line %d: '%s': found a row of %" PetscInt_FMT " numbers, expected %" PetscInt_FMT ", as many as rows",
                 reading->path, LineOf(element), key, ncolumns, nrows);
      for (yaml_node_item_t *entry = element->data.sequence.items.start; entry < element->data.sequence.items.top; entry++) {
        PetscCheck(*count < FG_PROPERTY_VALUES, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                   "%s: line %d: '%s': found more than %d numbers", reading->path, LineOf(element), key, FG_PROPERTY_VALUES);
        PetscCall(ReadNumber(reading, key, NodeAt(reading, *entry), &values[(*count)++]));
      }
    } else {
      PetscCheck(*count < FG_PROPERTY_VALUES, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
                 "%s: line %d: '%s': found more than %d numbers", reading->path, LineOf(element), key, FG_PROPERTY_VALUES);
      PetscCall(ReadNumber(reading, key, element, &values[(*count)++]));
    }
  }
  PetscCheck(*count > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: '%s': found an empty list, expected numbers",
             reading->path, LineOf(node), key);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadName(const Reading *reading, const yaml_node_t *node, char name[FG_CELL_NAME])
{
  const char *text = TextOf(node);

  PetscFunctionBegin;
  PetscCheck(text && text[0], PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: 'name': expected a text", reading->path,
             LineOf(node));
  PetscCheck(strlen(text) < FG_CELL_NAME, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: line %d: 'name': found %d bytes, expected at most %d", reading->path, LineOf(node), (int)strlen(text),
             FG_CELL_NAME - 1);
  for (const char *c = text; *c; c++)
    PetscCheck((unsigned char)*c >= 32 && *c != 127, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: line %d: 'name': found a control character, expected a text of one line", reading->path, LineOf(node));
  PetscCall(PetscStrncpy(name, text, FG_CELL_NAME));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static const yaml_node_t *Find(const Reading *reading, const yaml_node_t *mapping, const char *key)
{
  for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top; pair++) {
    if (!strcmp(TextOf(NodeAt(reading, pair->key)), key)) return NodeAt(reading, pair->value);
  }
  return NULL;
}

/* Sets all of a mapping but `label` and `name` as properties of phase `index`, or of the cell (-1). Errors of the table name
   its source, which is file and line for that while. */
static PetscErrorCode ReadProperties(const Reading *reading, const yaml_node_t *mapping, PetscInt index)
{
  PetscFunctionBegin;
  for (yaml_node_pair_t *pair = mapping->data.mapping.pairs.start; pair < mapping->data.mapping.pairs.top; pair++) {
    const char        *key   = TextOf(NodeAt(reading, pair->key));
    const yaml_node_t *value = NodeAt(reading, pair->value);
    double             values[FG_PROPERTY_VALUES];
    PetscInt           count;
    char               shown[48];

    if (index >= 0 && (!strcmp(key, "label") || !strcmp(key, "name"))) continue;
    PetscCall(PetscSNPrintf(reading->table->source, sizeof reading->table->source, "%s: line %d", reading->path,
                            LineOf(NodeAt(reading, pair->key))));
    if (FgPropertyFind(key)) PetscCall(ReadNumbers(reading, key, value, values, &count));
    else count = 0;
    PetscCall(FgPhaseTableSet(reading->table, index, FgPropertyFind(key) ? key : Shown(key, shown), count, values));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadPhase(const Reading *reading, const yaml_node_t *node)
{
  static const char *const expected = "a phase, {label: 0, name: matrix, conductivity: 1}";
  const yaml_node_t       *label, *name;
  const char              *text;
  char                    *end, shown[48], named[FG_CELL_NAME];
  long                     number;

  PetscFunctionBegin;
  PetscCall(CheckMapping(reading, node, expected));
  label = Find(reading, node, "label");
  PetscCheck(label, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found a phase without 'label', expected %s",
             reading->path, LineOf(node), expected);
  text   = TextOf(label);
  number = text && text[0] ? strtol(text, &end, 10) : 0;
  PetscCheck(text && text[0] && !*end && number >= INT_MIN && number <= INT_MAX, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: line %d: 'label': found \"%s\", expected a whole number as in the image", reading->path, LineOf(label),
             text ? Shown(text, shown) : "something else");
  name = Find(reading, node, "name");
  if (name) PetscCall(ReadName(reading, name, named));
  else PetscCall(PetscSNPrintf(named, sizeof named, "phase %ld", number));
  for (PetscInt i = 0; i < reading->table->nphases; i++)
    PetscCheck(strcmp(reading->table->phases[i].name, named), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: line %d: found a second phase '%s', expected each name once", reading->path, LineOf(node), named);
  PetscCall(PetscSNPrintf(reading->table->source, sizeof reading->table->source, "%s: line %d", reading->path, LineOf(node)));
  PetscCall(FgPhaseTableAdd(reading->table, named, (int)number));
  PetscCall(ReadProperties(reading, node, reading->table->nphases - 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadIon(const Reading *reading, const yaml_node_t *node)
{
  static const char *const expected = "an ion, {name: Na, valence: 1, diffusivity: 1.334e-9, bath: 150}";
  static const char *const keys[]   = {"name", "valence", "diffusivity", "bath"};
  FgPhaseTable            *table    = reading->table;
  FgIon                    ion      = {.name = ""};
  double *const            values[] = {NULL, &ion.valence, &ion.diffusivity, &ion.bath};
  char                     shown[48];

  PetscFunctionBegin;
  PetscCall(CheckMapping(reading, node, expected));
  for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
    const char *key = TextOf(NodeAt(reading, pair->key));
    int         k   = 0;

    while (k < 4 && strcmp(key, keys[k])) k++;
    PetscCheck(k < 4, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found \"%s\", expected %s", reading->path,
               LineOf(NodeAt(reading, pair->key)), Shown(key, shown), expected);
  }
  for (int k = 0; k < 4; k++) {
    const yaml_node_t *value = Find(reading, node, keys[k]);

    PetscCheck(value, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found an ion without '%s', expected %s",
               reading->path, LineOf(node), keys[k], expected);
    if (k == 0) PetscCall(ReadName(reading, value, ion.name));
    else {
      PetscCall(ReadNumber(reading, keys[k], value, values[k]));
      PetscCheck(isfinite(*values[k]) && (k == 1 || *values[k] > 0 || (k == 3 && *values[k] == 0)), PETSC_COMM_SELF,
                 PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: '%s' of ion '%s' is %.6g, expected a %s number%s", reading->path,
                 LineOf(value), keys[k], ion.name, *values[k], k == 1 ? "finite" : "positive",
                 k == 1   ? ""
                 : k == 2 ? " [m^2/s]"
                          : " or 0 [mol/m^3]");
    }
  }
  for (PetscInt i = 0; i < table->nions; i++)
    PetscCheck(strcmp(table->ions[i].name, ion.name), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: line %d: found a second ion '%s', expected each name once", reading->path, LineOf(node), ion.name);
  PetscCall(PetscRealloc(sizeof(FgIon) * (size_t)(table->nions + 1), &table->ions));
  table->ions[table->nions++] = ion;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadList(const Reading *reading, const char *key, const yaml_node_t *node,
                               PetscErrorCode (*read)(const Reading *, const yaml_node_t *))
{
  PetscFunctionBegin;
  PetscCheck(node->type == YAML_SEQUENCE_NODE, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: '%s': expected a list",
             reading->path, LineOf(node), key);
  for (yaml_node_item_t *item = node->data.sequence.items.start; item < node->data.sequence.items.top; item++)
    PetscCall(read(reading, NodeAt(reading, *item)));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadRoot(const Reading *reading, const yaml_node_t *root)
{
  static const char *const expected = "'phases', and perhaps 'cell' and 'ions'";
  char                     shown[48];

  PetscFunctionBegin;
  PetscCall(CheckMapping(reading, root, expected));
  for (yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top; pair++) {
    const yaml_node_t *value = NodeAt(reading, pair->value);
    const char        *key   = TextOf(NodeAt(reading, pair->key));

    if (!strcmp(key, "phases")) PetscCall(ReadList(reading, key, value, ReadPhase));
    else if (!strcmp(key, "ions")) PetscCall(ReadList(reading, key, value, ReadIon));
    else if (!strcmp(key, "cell")) {
      PetscCall(CheckMapping(reading, value, "values of the whole cell, {temperature: 298.15}"));
      PetscCall(ReadProperties(reading, value, -1));
    } else
      SETERRQ(PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found \"%s\", expected %s", reading->path,
              LineOf(NodeAt(reading, pair->key)), Shown(key, shown), expected);
  }
  PetscCheck(reading->table->nphases > 0, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
             "%s: found no phases, expected a list below 'phases:'", reading->path);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* One document and nothing after it. */
static PetscErrorCode ReadDocuments(const char *path, yaml_parser_t *parser, FgPhaseTable *table)
{
  PetscFunctionBegin;
  for (int k = 0; k < 2; k++) {
    yaml_document_t    document;
    const Reading      reading = {.path = path, .document = &document, .table = table};
    const yaml_node_t *root;
    PetscErrorCode     ierr = PETSC_SUCCESS;
    int                line = 0;

    PetscCheck(yaml_parser_load(parser, &document), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: %s; expected YAML",
               path, (int)(parser->problem_mark.line + 1), parser->problem ? parser->problem : "not readable as YAML");
    root = yaml_document_get_root_node(&document);
    if (k == 0 && root) ierr = ReadRoot(&reading, root);
    else if (root) line = LineOf(root);
    yaml_document_delete(&document);
    PetscCall(ierr);
    PetscCheck(!line, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: line %d: found a second document, expected one", path,
               line);
    PetscCheck(k > 0 || root, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s: found no phases, expected a list below 'phases:'",
               path);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgPhaseTableRead(const char *path, FgPhaseTable *table)
{
  yaml_parser_t  parser;
  char          *text;
  size_t         length;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCall(PetscMemzero(table, sizeof *table));
  PetscCall(FgTextRead(path, PHASES_LIMIT, "a YAML file with a list of phases", &text, &length));
  if (!yaml_parser_initialize(&parser)) {
    PetscCall(PetscFree(text));
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_MEM, "%s: no memory to read YAML", path);
  }
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
  ierr = ReadDocuments(path, &parser, table);
  yaml_parser_delete(&parser);
  PetscCall(PetscFree(text));
  if (ierr) PetscCall(FgPhaseTableDestroy(table));
  PetscCall(ierr);
  PetscCall(PetscStrncpy(table->source, path, sizeof table->source));
  PetscFunctionReturn(PETSC_SUCCESS);
}
