/* config_file.c: flat YAML by libyaml: keys with scalars or lists of scalars, nothing nested. */
#include "finegrain/config.h"
#include "table.h"

#include "finegrain/result.h"

#include <string.h>
#include <yaml.h>

#define CONFIG_LIMIT 1048576 /* [bytes] */

const char *FgConfigValue(const FgConfig *config, const char *key)
{
  for (PetscInt i = 0; i < config->n; i++) {
    if (!strcmp(config->entries[i].key, key)) return config->entries[i].value;
  }
  return NULL;
}

PetscErrorCode FgConfigAdd(FgConfig *config, const char *key, const char *value, int line)
{
  FgConfigEntry entry = {.line = line};

  PetscFunctionBegin;
  if (config->n == config->capacity) {
    config->capacity = PetscMax(16, 2 * config->capacity);
    PetscCall(PetscRealloc(sizeof(FgConfigEntry) * (size_t)config->capacity, &config->entries));
  }
  PetscCall(PetscStrallocpy(key, &entry.key));
  PetscCall(PetscStrallocpy(value, &entry.value));
  config->entries[config->n++] = entry;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgConfigDestroy(FgConfig *config)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < config->n; i++) {
    PetscCall(PetscFree(config->entries[i].key));
    PetscCall(PetscFree(config->entries[i].value));
  }
  PetscCall(PetscFree(config->entries));
  memset(config, 0, sizeof *config);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where the parser stands in the flat file. */
typedef enum { BEFORE, KEY, VALUE, LIST, AFTER } State;

typedef struct {
  const char *path;
  FgConfig   *config;
  State       state;
  char       *key;  /* read, its value awaited */
  char       *list; /* elements so far, joined by commas */
  int         line;
} Reading;

static PetscErrorCode AppendToList(Reading *reading, const char *element)
{
  const size_t before = reading->list ? strlen(reading->list) : 0;
  char        *joined;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(before + strlen(element) + 2, &joined));
  sprintf(joined, "%s%s%s", before ? reading->list : "", before ? "," : "", element);
  PetscCall(PetscFree(reading->list));
  reading->list = joined;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FinishEntry(Reading *reading, const char *value)
{
  PetscFunctionBegin;
  PetscCall(FgConfigAdd(reading->config, reading->key, value, reading->line));
  PetscCall(PetscFree(reading->key));
  reading->state = KEY;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TakeScalar(Reading *reading, const yaml_event_t *event)
{
  const char *text = (const char *)event->data.scalar.value;
  const int   line = (int)event->start_mark.line + 1;

  PetscFunctionBegin;
  PetscCheck(strlen(text) == event->data.scalar.length, PETSC_COMM_SELF, PETSC_ERR_USER,
             "%s: line %d: found a zero byte in a text", reading->path, line);
  if (event->data.scalar.plain_implicit && (!strcmp(text, "~") || !strcmp(text, "null"))) text = "";
  switch (reading->state) {
  case KEY:
    PetscCheck(text[0] && !strpbrk(text, "\r\n"), PETSC_COMM_SELF, PETSC_ERR_USER,
               "%s: line %d: found a key that is empty or longer than a line, expected `key: value`", reading->path, line);
    for (PetscInt i = 0; i < reading->config->n; i++) {
      PetscCheck(strcmp(reading->config->entries[i].key, text), PETSC_COMM_SELF, PETSC_ERR_USER,
                 "%s: line %d: found \"%s\" again, first on line %d; expected each key once", reading->path, line, text,
                 reading->config->entries[i].line);
    }
    PetscCall(PetscStrallocpy(text, &reading->key));
    reading->line  = line;
    reading->state = VALUE;
    break;
  case VALUE: PetscCall(FinishEntry(reading, text)); break;
  case LIST: PetscCall(AppendToList(reading, text)); break;
  default:
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_USER, "%s: line %d: found \"%.40s\" alone, expected lines `key: value`", reading->path,
            line, text);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TakeEvent(Reading *reading, const yaml_event_t *event)
{
  const int line = (int)event->start_mark.line + 1;

  PetscFunctionBegin;
  switch (event->type) {
  case YAML_SCALAR_EVENT: PetscCall(TakeScalar(reading, event)); break;
  case YAML_MAPPING_START_EVENT:
    PetscCheck(reading->state != VALUE && reading->state != LIST, PETSC_COMM_SELF, PETSC_ERR_USER,
               "%s: line %d: found a mapping below \"%s\", expected a value or a list of values", reading->path, line,
               reading->key);
    PetscCheck(reading->state == BEFORE, PETSC_COMM_SELF, PETSC_ERR_USER,
               "%s: line %d: found a mapping or a second document, expected one mapping", reading->path, line);
    reading->state = KEY;
    break;
  case YAML_MAPPING_END_EVENT: reading->state = AFTER; break;
  case YAML_SEQUENCE_START_EVENT:
    PetscCheck(reading->state == VALUE, PETSC_COMM_SELF, PETSC_ERR_USER, "%s: line %d: found a list, expected lines `key: value`",
               reading->path, line);
    PetscCall(PetscStrallocpy("", &reading->list));
    reading->state = LIST;
    break;
  case YAML_SEQUENCE_END_EVENT:
    PetscCall(FinishEntry(reading, reading->list));
    PetscCall(PetscFree(reading->list));
    break;
  case YAML_ALIAS_EVENT:
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_USER, "%s: line %d: found an alias (*), expected plain values", reading->path, line);
  default: break;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ParseEvents(yaml_parser_t *parser, Reading *reading)
{
  PetscFunctionBegin;
  for (PetscBool done = PETSC_FALSE; !done;) {
    yaml_event_t   event;
    PetscErrorCode ierr;

    PetscCheck(yaml_parser_parse(parser, &event), PETSC_COMM_SELF, PETSC_ERR_USER,
               "%s: line %d: %s; expected lines `key: value` of YAML", reading->path, (int)(parser->problem_mark.line + 1),
               parser->problem ? parser->problem : "not readable as YAML");
    done = event.type == YAML_STREAM_END_EVENT ? PETSC_TRUE : PETSC_FALSE;
    ierr = TakeEvent(reading, &event);
    yaml_event_delete(&event);
    PetscCall(ierr);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode FgConfigRead(const char *path, FgConfig *config)
{
  Reading        reading = {.path = path, .config = config};
  yaml_parser_t  parser;
  char          *text;
  size_t         length;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  memset(config, 0, sizeof *config);
  PetscCall(FgTextRead(path, CONFIG_LIMIT, "a YAML file of lines `key: value`", &text, &length));
  if (!yaml_parser_initialize(&parser)) {
    PetscCall(PetscFree(text));
    SETERRQ(PETSC_COMM_SELF, PETSC_ERR_MEM, "%s: no memory to read YAML", path);
  }
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
  ierr = ParseEvents(&parser, &reading);
  yaml_parser_delete(&parser);
  PetscCall(PetscFree(text));
  PetscCall(PetscFree(reading.key));
  PetscCall(PetscFree(reading.list));
  if (ierr) PetscCall(FgConfigDestroy(config));
  PetscCall(ierr);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Collects what the emitter writes. */
typedef struct {
  char  *text;
  size_t length;
} Written;

static int CollectText(void *context, unsigned char *bytes, size_t n)
{
  Written *written = context;

  if (PetscRealloc(written->length + n + 1, &written->text)) return 0;
  memcpy(written->text + written->length, bytes, n);
  written->length += n;
  written->text[written->length] = 0;
  return 1;
}

static int EmitScalar(yaml_emitter_t *emitter, const char *text)
{
  /* Quoted where a reader would take it for nothing; the emitter itself quotes what is no plain scalar. */
  const int    null = !text[0] || !strcmp(text, "~") || !strcmp(text, "null");
  yaml_event_t event;

  return yaml_scalar_event_initialize(&event, NULL, NULL, (const unsigned char *)text, (int)strlen(text), !null, 1,
                                      null ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_ANY_SCALAR_STYLE) &&
         yaml_emitter_emit(emitter, &event);
}

static int EmitAll(yaml_emitter_t *emitter, const FgConfig *config)
{
  yaml_event_t event;
  int          good;

  good = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) && yaml_emitter_emit(emitter, &event);
  good = good && yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) && yaml_emitter_emit(emitter, &event);
  good = good && yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) &&
         yaml_emitter_emit(emitter, &event);
  for (PetscInt i = 0; i < config->n && good; i++) {
    good = EmitScalar(emitter, config->entries[i].key) && EmitScalar(emitter, config->entries[i].value);
  }
  good = good && yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
  good = good && yaml_document_end_event_initialize(&event, 1) && yaml_emitter_emit(emitter, &event);
  return good && yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

PetscErrorCode FgConfigWrite(const char *path, const char *comment, const FgConfig *config)
{
  Written        written = {0};
  yaml_emitter_t emitter;
  int            good;
  PetscErrorCode ierr;

  PetscFunctionBegin;
  PetscCheck(yaml_emitter_initialize(&emitter), PETSC_COMM_SELF, PETSC_ERR_MEM, "%s: no memory to write YAML", path);
  yaml_emitter_set_output(&emitter, CollectText, &written);
  yaml_emitter_set_unicode(&emitter, 1);
  yaml_emitter_set_width(&emitter, -1);
  good = (!comment || CollectText(&written, (unsigned char *)(uintptr_t)comment, strlen(comment))) && EmitAll(&emitter, config);
  yaml_emitter_delete(&emitter);
  ierr = good ? FgWriteText(path, written.text) : PETSC_SUCCESS;
  PetscCall(PetscFree(written.text));
  PetscCall(ierr);
  PetscCheck(good, PETSC_COMM_SELF, PETSC_ERR_FILE_WRITE, "%s: a setting cannot be written as YAML (text that is not UTF-8?)",
             path);
  PetscFunctionReturn(PETSC_SUCCESS);
}
