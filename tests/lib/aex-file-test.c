/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-file-test.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

AexFileTest
aex_file_test_begin (void)
{
  g_autoptr (GError) error = NULL;
  AexFileTest self = { g_dir_make_tmp ("aex-test-XXXXXX", &error), aex_test_pool (2) };

  g_assert_no_error (error);
  return self;
}

static void
remove_tree (const char *path)
{
  GStatBuf st;

  if (g_lstat (path, &st) == 0 && S_ISDIR (st.st_mode))
    {
      g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
      const char *name;

      while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
        {
          g_autofree char *child = g_build_filename (path, name, NULL);

          remove_tree (child);
        }
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

void
aex_file_test_end (AexFileTest *self)
{
  aex_test_shutdown (self->pool);
  remove_tree (self->folder);
  g_free (self->folder);
}

char *
aex_file_test_write (AexFileTest *self,
                     const char  *name,
                     const char  *bytes,
                     gsize        n)
{
  char *path = g_build_filename (self->folder, name, NULL);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, bytes, (gssize) n, &error);
  g_assert_no_error (error);
  return path;
}

gint64
aex_file_test_get_mtime (const char *path)
{
  GStatBuf st;

  g_assert_cmpint (g_stat (path, &st), ==, 0);
  return (gint64) st.st_mtim.tv_sec * G_USEC_PER_SEC + st.st_mtim.tv_nsec / 1000;
}

AexPending *
aex_file_test_call (AexFileTest *self,
                    const char  *operation,
                    const char  *path,
                    const char  *more,
                    ...)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (NULL);
  va_list args;

  if (more != NULL)
    {
      GVariantIter iter;
      g_autoptr (GVariant) given = NULL;
      const char *key;
      GVariant *value;

      va_start (args, more);
      given = g_variant_ref_sink (g_variant_new_parsed_va (more, &args));
      va_end (args);
      g_variant_iter_init (&iter, given);
      while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
        g_variant_dict_insert_value (dict, key, value);
    }
  g_variant_dict_insert_value (dict, "path", g_variant_new_bytestring (path));
  return aex_executor_call (self->pool, operation, g_variant_dict_end (dict));
}

char *
aex_file_test_run (AexFileTest *self,
                   const char  *program,
                   ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GError) error = NULL;
  const char *argument = program;
  char *output = NULL;
  va_list args;

  va_start (args, program);
  for (; argument != NULL; argument = va_arg (args, const char *))
    g_ptr_array_add (argv, (gpointer) argument);
  va_end (args);
  g_ptr_array_add (argv, NULL);
  process = g_subprocess_newv ((const char *const *) argv->pdata, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &output, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_successful (process));
  return output;
}

static int
compare_names (gconstpointer a,
               gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char *
aex_file_test_list (AexFileTest *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (names, (gpointer) g_intern_string (name));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (" ", (char **) names->pdata);
}

void
aex_assert_call_gives_string (AexPending *call,
                              const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = NULL;

  aex_test_wait (call);
  value = aex_pending_dup_variant (call, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (g_variant_get_string (value, NULL), ==, expected);
}

void
aex_assert_call_fails (AexPending *call,
                       GQuark      domain,
                       int         code,
                       const char *part)
{
  g_autoptr (GError) error = NULL;

  aex_test_wait (call);
  error = aex_pending_dup_error (call);
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, part));
}
