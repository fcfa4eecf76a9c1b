/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property.h"

#include <string.h>

/* A program as text:
 *
 *   executor e0 pool n=2 end=drain
 *   executor e1 limiter on=e0 n=1
 *   thread plain
 *     submit p=p3 on=e1 job=fail
 *     cancel q=p3
 *   thread loop
 *     wait q=p3
 */

enum {
  P = 1 << 0, Q = 1 << 1, ON = 1 << 2, TO = 1 << 3, N = 1 << 4, PRIO = 1 << 5, LIMIT = 1 << 6, JOB = 1 << 7,
  WORK = ON | TO | Q | N | JOB,
};

static const struct {
  const char *name;
  guint       fields;
} ops[PROP_N_STEPS] = {
  [PROP_STEP_SUBMIT] = { "submit", P | WORK | PRIO | LIMIT },
  [PROP_STEP_LATER] = { "later", P | WORK },
  [PROP_STEP_POST] = { "post", ON | N },
  [PROP_STEP_RUN] = { "run", WORK },
  [PROP_STEP_PROMISE] = { "promise", P },
  [PROP_STEP_RESOLVE] = { "resolve", Q },
  [PROP_STEP_REJECT] = { "reject", Q },
  [PROP_STEP_THEN] = { "then", P | Q | N | ON },
  [PROP_STEP_CALLBACK] = { "callback", Q | N },
  [PROP_STEP_SHIELD] = { "shield", P | Q },
  [PROP_STEP_TIMEOUT] = { "timeout", P | Q | LIMIT },
  [PROP_STEP_ALL] = { "all", P | Q | N },
  [PROP_STEP_WAIT] = { "wait", Q | N | LIMIT },
  [PROP_STEP_READ] = { "read", Q },
  [PROP_STEP_CANCEL] = { "cancel", Q },
  [PROP_STEP_CANCEL_QUEUED] = { "cancel-queued", Q },
  [PROP_STEP_PRIORITY] = { "priority", Q | PRIO },
  [PROP_STEP_DROP] = { "drop", Q },
  [PROP_STEP_HOLD] = { "hold", ON },
  [PROP_STEP_RELEASE] = { "release", ON | N },
  [PROP_STEP_STOP] = { "stop", ON | N },
  [PROP_STEP_SHUTDOWN] = { "shutdown", ON | N },
  [PROP_STEP_FORGET] = { "forget", ON },
  [PROP_STEP_GROUP] = { "group", P | WORK | LIMIT },
  [PROP_STEP_SCOPE] = { "scope", P | WORK | LIMIT },
  [PROP_STEP_TRACK] = { "track", P | WORK },
  [PROP_STEP_MAP] = { "map", ON | N | LIMIT },
  [PROP_STEP_PUSH] = { "push", ON | N },
  [PROP_STEP_CLOSE] = { "close", ON | N },
  [PROP_STEP_PERMIT] = { "permit", ON },
  [PROP_STEP_ITERATE] = { "iterate", 0 },
  [PROP_STEP_FLOOD] = { "flood", ON | N },
};

static const char *const kinds[PROP_N_EXECUTOR_KINDS] = {
  "none", "pool", "caller", "hosted", "adopted", "callers", "limiter", "child",
};

static const char *const ends[PROP_N_ENDS] = { "stop", "drain", "drop" };

static const char *const jobs[PROP_N_JOBS] = {
  "plain", "fail", "behind", "nest", "wait", "own", "self", "nap", "look", "cancel", "stop", "then", "follow",
};

/* A field of a step: how it is called, and what stands before its number. */
static const struct {
  guint       bit;
  const char *name;
  const char *letter;
  gsize       offset;
} fields[] = {
  { P, "p", "p", G_STRUCT_OFFSET (PropStep, p) },
  { Q, "q", "p", G_STRUCT_OFFSET (PropStep, q) },
  { ON, "on", "e", G_STRUCT_OFFSET (PropStep, on) },
  { TO, "to", "e", G_STRUCT_OFFSET (PropStep, to) },
  { N, "n", "", G_STRUCT_OFFSET (PropStep, n) },
  { PRIO, "prio", "", G_STRUCT_OFFSET (PropStep, prio) },
  { LIMIT, "limit", "", G_STRUCT_OFFSET (PropStep, limit) },
};

gboolean
prop_kind_is_caller (PropExecutorKind kind)
{
  return kind == PROP_EXECUTOR_CALLER || kind == PROP_EXECUTOR_HOSTED || kind == PROP_EXECUTOR_ADOPTED
         || kind == PROP_EXECUTOR_CHILD;
}

int
prop_program_base (const PropProgram *self,
                   int                executor)
{
  while (self->executors[executor].kind == PROP_EXECUTOR_LIMITER)
    executor = self->executors[executor].on;
  return executor;
}

guint
prop_program_count (const PropProgram *self)
{
  guint n = 0;

  for (guint i = 0; i < self->n_threads; i++)
    n += self->threads[i].n_steps;
  return n;
}

/* --- printing */

static void
print_step (GString        *text,
            const PropStep *step)
{
  guint mask = ops[step->op].fields;

  g_string_append_printf (text, "  %s", ops[step->op].name);
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      int value = G_STRUCT_MEMBER (int, step, fields[i].offset);

      /* A slot and an executor are always said, a number unless it is 0. */
      if ((mask & fields[i].bit) && (value != 0 || *fields[i].letter != '\0'))
        g_string_append_printf (text, " %s=%s%d", fields[i].name, fields[i].letter, value);
    }
  if ((mask & JOB) && step->job != PROP_JOB_PLAIN)
    g_string_append_printf (text, " job=%s", jobs[step->job]);
  g_string_append_c (text, '\n');
}

static void
print_executor (GString                *text,
                guint                   index,
                const PropExecutorSpec *spec)
{
  g_string_append_printf (text, "executor e%u %s", index, kinds[spec->kind]);
  if (spec->kind == PROP_EXECUTOR_LIMITER || spec->kind == PROP_EXECUTOR_CHILD)
    g_string_append_printf (text, " on=e%d", spec->on);
  g_string_append_printf (text, " n=%d end=%s\n", spec->n, ends[spec->end]);
}

char *
prop_program_to_text (const PropProgram *self)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "seed %u\n", self->seed);
  for (guint i = 0; i < PROP_N_EXECUTORS; i++)
    {
      if (self->executors[i].kind != PROP_EXECUTOR_NONE)
        print_executor (text, i, &self->executors[i]);
    }
  for (guint i = 0; i < self->n_threads; i++)
    {
      g_string_append_printf (text, "thread %s\n", self->threads[i].loop ? "loop" : "plain");
      for (guint j = 0; j < self->threads[i].n_steps; j++)
        print_step (text, &self->threads[i].steps[j]);
    }
  return g_string_free (text, FALSE);
}

/* --- reading */

static gboolean
complain (GError    **error,
          const char *line)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "not a line of a program: %s", line);
  return FALSE;
}

static int
find_name (const char *const *names,
           guint              n,
           const char        *name)
{
  for (guint i = 0; i < n; i++)
    {
      if (strcmp (names[i], name) == 0)
        return (int) i;
    }
  return -1;
}

/* A number, or the number of a slot or an executor below n. */
static gboolean
read_number (const char *text,
             const char *letter,
             int         n,
             int        *number)
{
  gint64 value;

  if (!g_str_has_prefix (text, letter))
    return FALSE;
  if (!g_ascii_string_to_signed (text + strlen (letter), 10, n > 0 ? 0 : -1000, n > 0 ? n - 1 : 1000000, &value, NULL))
    return FALSE;
  *number = (int) value;
  return TRUE;
}

static gboolean
read_step_field (PropStep   *step,
                 const char *word)
{
  if (g_str_has_prefix (word, "job="))
    {
      int job = find_name (jobs, PROP_N_JOBS, word + 4);

      step->job = (PropJob) MAX (job, 0);
      return job >= 0;
    }
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      gsize length = strlen (fields[i].name);
      int n = *fields[i].letter == 'p' ? PROP_N_SLOTS : *fields[i].letter == 'e' ? PROP_N_EXECUTORS : 0;

      if (g_str_has_prefix (word, fields[i].name) && word[length] == '=')
        return read_number (word + length + 1, fields[i].letter, n, &G_STRUCT_MEMBER (int, step, fields[i].offset));
    }
  return FALSE;
}

static gboolean
read_step (PropProgram       *self,
           const char *const *words)
{
  PropThreadSpec *thread;
  PropStep step = { 0 };
  guint op = 0;

  if (self->n_threads == 0)
    return FALSE;
  while (op < PROP_N_STEPS && strcmp (ops[op].name, words[0]) != 0)
    op++;
  thread = &self->threads[self->n_threads - 1];
  if (op == PROP_N_STEPS || thread->n_steps == PROP_MAX_STEPS)
    return FALSE;
  step.op = (PropOp) op;
  for (guint i = 1; words[i] != NULL; i++)
    {
      if (!read_step_field (&step, words[i]))
        return FALSE;
    }
  thread->steps[thread->n_steps++] = step;
  return TRUE;
}

static gboolean
read_executor (PropProgram       *self,
               const char *const *words)
{
  PropExecutorSpec spec = { .n = 1 };
  int index, kind, end;

  if (words[1] == NULL || words[2] == NULL || !read_number (words[1], "e", PROP_N_EXECUTORS, &index))
    return FALSE;
  kind = find_name (kinds, PROP_N_EXECUTOR_KINDS, words[2]);
  if (kind < 0)
    return FALSE;
  spec.kind = (PropExecutorKind) kind;
  for (guint i = 3; words[i] != NULL; i++)
    {
      if (g_str_has_prefix (words[i], "end=") && (end = find_name (ends, PROP_N_ENDS, words[i] + 4)) >= 0)
        spec.end = (PropEnd) end;
      else if (!(g_str_has_prefix (words[i], "n=") && read_number (words[i] + 2, "", 0, &spec.n))
               && !(g_str_has_prefix (words[i], "on=") && read_number (words[i] + 3, "e", index, &spec.on)))
        return FALSE;
    }
  self->executors[index] = spec;
  return TRUE;
}

static gboolean
read_line (PropProgram       *self,
           const char *const *words)
{
  gint64 seed;

  if (strcmp (words[0], "executor") == 0)
    return read_executor (self, words);
  if (strcmp (words[0], "seed") == 0 && words[1] != NULL)
    {
      if (!g_ascii_string_to_signed (words[1], 10, 0, G_MAXUINT32, &seed, NULL))
        return FALSE;
      self->seed = (guint32) seed;
      return TRUE;
    }
  if (strcmp (words[0], "thread") == 0)
    {
      if (self->n_threads == PROP_MAX_THREADS || words[1] == NULL)
        return FALSE;
      self->threads[self->n_threads++].loop = strcmp (words[1], "loop") == 0;
      return TRUE;
    }
  return read_step (self, words);
}

gboolean
prop_program_from_text (PropProgram *self,
                        const char  *text,
                        GError     **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  memset (self, 0, sizeof *self);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) words = g_strsplit_set (g_strstrip (lines[i]), " ", -1);
      guint n = 0;

      /* More than one blank is one. */
      for (guint j = 0; words[j] != NULL; j++)
        {
          char *word = words[j];

          words[j] = NULL;
          if (*word != '\0')
            words[n++] = word;
          else
            g_free (word);
        }
      if (n > 0 && words[0][0] != '#' && !read_line (self, (const char *const *) words))
        return complain (error, lines[i]);
    }
  return TRUE;
}
