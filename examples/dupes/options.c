/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "options.h"

#include <unistd.h>

#define EXIT_STATUS \
  "Exit status: 0; 1 if something could not be read; 2 if the command line is wrong;\n" \
  "130 if interrupted (what was found until then is printed)."

static const struct
{
  const char   *name;
  GChecksumType type;
} algorithms[] = {
  { "md5", G_CHECKSUM_MD5 },
  { "sha1", G_CHECKSUM_SHA1 },
  { "sha256", G_CHECKSUM_SHA256 },
  { "sha384", G_CHECKSUM_SHA384 },
  { "sha512", G_CHECKSUM_SHA512 },
};

/*
 * GOption hands numbers over as gint64; what makes no sense is refused here and not deep inside
 * the program.
 */
static gboolean
parse_number (const char  *option,
              const char  *value,
              guint64      min,
              guint64      max,
              guint64     *number,
              GError     **error)
{
  g_autoptr (GError) reason = NULL;

  if (g_ascii_string_to_unsigned (value, 10, min, max, number, &reason))
    return TRUE;

  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s: %s", option, reason->message);
  return FALSE;
}

static gboolean
parse_jobs (const char  *option,
            const char  *value,
            gpointer     data,
            GError     **error)
{
  DupesOptions *options = data;
  guint64 number;

  if (!parse_number (option, value, 1, 512, &number, error))
    return FALSE;
  options->n_jobs = number;
  return TRUE;
}

static gboolean
parse_min_size (const char  *option,
                const char  *value,
                gpointer     data,
                GError     **error)
{
  DupesOptions *options = data;

  return parse_number (option, value, 0, G_MAXINT64, &options->min_size, error);
}

static gboolean
parse_algorithm (const char  *option,
                 const char  *value,
                 gpointer     data,
                 GError     **error)
{
  DupesOptions *options = data;
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (algorithms); i++)
    {
      if (g_str_equal (value, algorithms[i].name))
        {
          options->algorithm = algorithms[i].type;
          return TRUE;
        }
      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", algorithms[i].name);
    }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               "%s: unknown algorithm '%s'; there are %s", option, value, names->str);
  return FALSE;
}

/* --progress and --no-progress: the last one wins. */
static gboolean
parse_progress (const char  *option,
                const char  *value,
                gpointer     data,
                GError     **error)
{
  DupesOptions *options = data;

  options->progress = !g_str_has_prefix (option, "--no-");
  return TRUE;
}

static void
strip_trailing_slashes (char *path)
{
  for (gsize length = strlen (path); length > 1 && path[length - 1] == '/'; length--)
    path[length - 1] = '\0';
}

static GOptionContext *
make_context (DupesOptions *options)
{
  const GOptionEntry entries[] = {
    { "jobs", 'j', 0, G_OPTION_ARG_CALLBACK, parse_jobs,
      "Files to read at the same time (default: one per CPU)", "N" },
    { "min-size", 0, 0, G_OPTION_ARG_CALLBACK, parse_min_size,
      "Ignore smaller files (default: 1)", "BYTES" },
    { "algorithm", 0, 0, G_OPTION_ARG_CALLBACK, parse_algorithm,
      "Checksum: md5, sha1, sha256 (default), sha384, sha512", "NAME" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json,
      "Write one JSON object instead of a table", NULL },
    { "progress", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, parse_progress,
      "Show a progress bar (default: when standard error is a terminal)", NULL },
    { "no-progress", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, parse_progress,
      "Show no progress bar", NULL },
    { "follow", 0, 0, G_OPTION_ARG_NONE, &options->follow, "Follow symbolic links", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->roots, NULL, "PATH..." },
    G_OPTION_ENTRY_NULL
  };
  GOptionContext *context = g_option_context_new (NULL);
  GOptionGroup *group = g_option_group_new (NULL, NULL, NULL, options, NULL);

  g_option_group_add_entries (group, entries);
  g_option_context_set_main_group (context, group);
  g_option_context_set_summary (context, "Finds files with the same content.");
  g_option_context_set_description (context, EXIT_STATUS);
  return context;
}

/* options must be zeroed.  -h prints the help and ends the program, as GOption always does. */
gboolean
dupes_options_parse (DupesOptions  *options,
                     int           *argc,
                     char        ***argv,
                     GError       **error)
{
  g_autoptr (GOptionContext) context = make_context (options);

  options->min_size = 1;
  options->algorithm = G_CHECKSUM_SHA256;
  options->progress = isatty (STDERR_FILENO);

  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;

  if (options->roots == NULL)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           "no file or folder was given");
      return FALSE;
    }
  for (guint i = 0; options->roots[i] != NULL; i++)
    strip_trailing_slashes (options->roots[i]);
  return TRUE;
}

void
dupes_options_clear (DupesOptions *options)
{
  g_clear_pointer (&options->roots, g_strfreev);
}
