/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "property/property-tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Tests:
 *
 *   test-property                       what every push tries
 *   test-property --long                more, by AEX_TEST_TIER
 *
 * Programs:
 *
 *   test-property --seed=7 --flavour=3 --print
 *   test-property --seed=7 --flavour=3 --programs=100
 *   test-property --flavour=0 --seconds=600
 *   test-property --program=FILE --repeat=50 */

#define PROGRAMS_EACH 60
#define FULL_PROGRAMS_EACH 1500
#define NIGHTLY_SECONDS_EACH 60

static gboolean is_long;

/* --- random programs */

static void
set_size (PropTool *tool)
{
  tool->programs = aex_test_is_sanitized () ? PROGRAMS_EACH / 6 : PROGRAMS_EACH;
  if (is_long)
    tool->programs = MAX (tool->programs, (int) aex_test_scale (FULL_PROGRAMS_EACH));
  if (is_long && g_strcmp0 (g_getenv ("AEX_TEST_TIER"), "nightly") == 0)
    tool->seconds = NIGHTLY_SECONDS_EACH;
}

static void
tell (const PropTool *tool,
      const char     *how,
      const char     *output)
{
  g_autofree PropProgram *smallest = g_new0 (PropProgram, 1);
  gboolean again = prop_find_smallest (tool, output, how, smallest);
  g_autofree char *text = prop_program_to_text (smallest);

  g_printerr ("%s\n%s, %s, with %u of the steps:\n\n%s\nWritten to a file F it is run again with\n"
              "  test-property --program=F --repeat=100\nand the whole one with\n"
              "  test-property --seed=%u --flavour=%d --repeat=100\n",
              output, how, again ? "and the smallest program that was found" : "but not again: the program", prop_program_count (smallest),
              text, smallest->seed, tool->flavour);
}

static void
test_invariant (gconstpointer data)
{
  PropTool tool = { .flavour = GPOINTER_TO_INT (data), .repeat = 1 };
  PropFigures figures = { 0 };
  g_autofree char *output = NULL;
  g_autofree char *how = NULL;

  /* GLib begins anew for each test. */
  tool.seed = (guint32) (g_test_rand_int () + tool.flavour * 1000003);
  set_size (&tool);
  g_test_message ("seed %" G_GINT64_FORMAT, tool.seed);
  how = prop_child_run (&tool, FALSE, &figures, &output);
  g_test_message ("figure: property programs=%u steps=%u jobs=%u", figures.n_programs, figures.n_steps, figures.n_jobs);
  if (how == NULL)
    return;
  tell (&tool, how, output);
  g_test_fail ();
}

/* --- what was planted */

/* Something for each checker to look at. */
static const char sample[] =
  "executor e0 pool n=1 end=drain\n"
  "executor e1 caller n=1 end=drain\n"
  "thread plain\n"
  "  submit p=p0 on=e1\n"
  "  submit p=p1 on=e1\n"
  "  callback q=p0 n=1\n"
  "  submit p=p2 on=e1 job=own\n"
  "  flood on=e1 n=1\n"
  "  wait q=p2\n";

static char *
run_sample (const char *plant)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("aex-property-XXXXXX", &path, &error);
  /* Some of what is planted shows only when threads meet. */
  PropTool tool = { .seed = -1, .repeat = plant != NULL ? 100 : 1, .file = path, .plant = (char *) plant };
  char *how;

  g_assert_no_error (error);
  close (fd);
  g_file_set_contents (path, sample, -1, &error);
  g_assert_no_error (error);
  how = prop_child_run (&tool, TRUE, NULL, NULL);
  remove (path);
  return how;
}

/* Each sees its own, and only that is violated. */
static void
test_planted (gconstpointer plant)
{
  g_autofree char *how = run_sample (plant);

  g_assert_cmpstr (how, ==, plant);
}

static void
test_nothing_planted (void)
{
  g_autofree char *how = run_sample (NULL);

  g_assert_null (how);
}

/* --- shrinking */

static gboolean
is_small (const PropProgram *program,
          guint              n_threads,
          guint              n_steps,
          guint              n_executors)
{
  guint n = 0;

  for (guint i = 0; i < PROP_N_EXECUTORS; i++)
    n += program->executors[i].kind != PROP_EXECUTOR_NONE;
  return program->n_threads == n_threads && prop_program_count (program) == n_steps && n == n_executors;
}

/* A failure that needs two steps of one thread is found in two steps of one thread. */
static void
test_shrinks (void)
{
  PropTool tool = { .seed = 1, .flavour = 8, .repeat = 1, .programs = 500, .plant = (char *) "cancel" };
  g_autofree PropProgram *smallest = g_new0 (PropProgram, 1);
  g_autofree char *output = NULL;
  g_autofree char *how = prop_child_run (&tool, FALSE, NULL, &output);
  g_autofree char *text = NULL;

  g_assert_cmpstr (how, ==, "I7");
  g_assert_true (prop_find_smallest (&tool, output, how, smallest));
  text = prop_program_to_text (smallest);
  g_test_message ("%s", text);
  g_assert_true (is_small (smallest, 1, 2, 0));
}

/* What is printed is read back as it was. */
static void
test_text (void)
{
  g_autofree PropProgram *one = g_new0 (PropProgram, 1);
  g_autofree PropProgram *other = g_new0 (PropProgram, 1);

  for (guint32 seed = 0; seed < 200; seed++)
    {
      g_autofree char *text = NULL;
      g_autofree char *again = NULL;
      g_autoptr (GError) error = NULL;

      prop_program_random (one, seed, seed % (PROP_N_INVARIANTS + 1));
      text = prop_program_to_text (one);
      g_assert_true (prop_program_from_text (other, text, &error));
      g_assert_no_error (error);
      again = prop_program_to_text (other);
      g_assert_cmpstr (text, ==, again);
    }
  g_assert_false (prop_program_from_text (other, "thread plain\n  dance q=p1\n", NULL));
}

/* --- */

static gboolean
is_number (const char *text)
{
  return g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, NULL, NULL);
}

/* TRUE: it is not tests that are asked for.  "--seed" belongs to both: GLib's is no number. */
static gboolean
wants_tool (int    argc,
            char **argv)
{
  for (int i = 1; i < argc; i++)
    {
      if (g_str_has_prefix (argv[i], "--program") || g_str_has_prefix (argv[i], "--seconds") || strcmp (argv[i], "--print") == 0
          || (g_str_has_prefix (argv[i], "--seed=") && is_number (argv[i] + strlen ("--seed=")))
          || (strcmp (argv[i], "--seed") == 0 && i + 1 < argc && is_number (argv[i + 1])))
        return TRUE;
    }
  return FALSE;
}

/* The same as a test does. */
static int
shrink (const PropTool *tool)
{
  g_autofree char *output = NULL;
  g_autofree char *how = prop_child_run (tool, FALSE, NULL, &output);

  if (how == NULL)
    return EXIT_SUCCESS;
  tell (tool, how, output);
  return EXIT_FAILURE;
}

static int
run_tool (int    argc,
          char **argv)
{
  PropTool tool = { .programs = 1, .repeat = 1 };
  gboolean shrinks = FALSE;
  const GOptionEntry entries[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &tool.seed, "of the first program", "N" },
    { "programs", 0, 0, G_OPTION_ARG_INT, &tool.programs, "how many, each with the next seed", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_INT, &tool.seconds, "how long instead", "S" },
    { "flavour", 0, 0, G_OPTION_ARG_INT, &tool.flavour, "the number of an invariant, 0: none in particular", "N" },
    { "program", 0, 0, G_OPTION_ARG_FILENAME, &tool.file, "one that was written down", "FILE" },
    { "repeat", 0, 0, G_OPTION_ARG_INT, &tool.repeat, "how often to run each", "N" },
    { "plant", 0, 0, G_OPTION_ARG_STRING, &tool.plant, "a failure in what was written down", "NAME" },
    { "shrink", 0, 0, G_OPTION_ARG_NONE, &shrinks, "looks for a smaller program when one fails", NULL },
    { "print", 0, 0, G_OPTION_ARG_NONE, &tool.print, "shows the program of the seed", NULL },
    { NULL }
  };
  g_autoptr (GOptionContext) options = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *file = NULL;
  g_autofree char *plant = NULL;

  g_option_context_add_main_entries (options, entries, NULL);
  if (!g_option_context_parse (options, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return EXIT_FAILURE;
    }
  file = tool.file;
  plant = tool.plant;
  tool.flavour = CLAMP (tool.flavour, 0, PROP_N_INVARIANTS);
  if (shrinks)
    return shrink (&tool);
  aex_test_init (&argc, &argv);
  return prop_tool_run (&tool);
}

static void
take_long (int    *argc,
           char ***argv)
{
  int n = 1;

  for (int i = 1; i < *argc; i++)
    {
      if (strcmp ((*argv)[i], "--long") == 0)
        is_long = TRUE;
      else
        (*argv)[n++] = (*argv)[i];
    }
  (*argv)[n] = NULL;
  *argc = n;
}

static const struct {
  const char *path;
  const char *planted;
  const char *plant;
} invariants[PROP_N_INVARIANTS] = {
  { "/property/I1/exactly-once", "/property/planted/I1", "I1" },
  { "/property/I2/in-order", "/property/planted/I2", "I2" },
  { "/property/I3/not-after-the-end", "/property/planted/I3", "I3" },
  { "/property/I4/in-its-place", "/property/planted/I4", "I4" },
  { "/property/I5/nothing-left", "/property/planted/I5", "I5" },
  { "/property/I6/no-deadlock", "/property/planted/I6", "I6" },
  { "/property/I7/again", "/property/planted/I7", "I7" },
  { "/property/I8/reported", "/property/planted/I8", "I8" },
  { "/property/I9/timers", "/property/planted/I9", "I9" },
  { "/property/I10/context", "/property/planted/I10", "I10" },
};

int
main (int    argc,
      char **argv)
{
  prop_child_init (argv[0]);
  if (wants_tool (argc, argv))
    return run_tool (argc, argv);
  take_long (&argc, &argv);
  aex_test_init (&argc, &argv);
  /* Those who run programs have a watchdog each. */
  aex_test_set_watchdog (1800);
  aex_test_add ("/property/text", test_text);
  aex_test_add ("/property/planted/nothing", test_nothing_planted);
  for (guint i = 0; i < PROP_N_INVARIANTS; i++)
    aex_test_add_data (invariants[i].planted, invariants[i].plant, test_planted);
  aex_test_add_data ("/property/planted/hang", "hang", test_planted);
  aex_test_add_data ("/property/planted/crash", "crash", test_planted);
  aex_test_add ("/property/shrinks", test_shrinks);
  for (guint i = 0; i < PROP_N_INVARIANTS; i++)
    aex_test_add_data (invariants[i].path, GINT_TO_POINTER (i + 1), test_invariant);
  return aex_test_run ();
}
