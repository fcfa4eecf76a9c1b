/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-file-test.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

AexFileTest
aex_file_test_begin (void)
{
  /* In memory, where that can be had: some tests make many files. */
  const char *where = g_access ("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir ();
  AexFileTest self = { g_build_filename (where, "aex-test-XXXXXX", NULL), aex_test_pool (2) };

  g_assert_nonnull (g_mkdtemp (self.folder));
  return self;
}

void
aex_file_test_end (AexFileTest *self)
{
  g_free (aex_file_test_run (self, "rm", "-rf", self->folder, NULL));
  aex_test_shutdown (self->pool);
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

static AexPending *
call (AexFileTest      *self,
      AexSubmitOptions *options,
      const char       *operation,
      const char       *path,
      const char       *more,
      va_list          *args)
{
  g_autoptr (GVariantDict) dict = g_variant_dict_new (NULL);

  if (more != NULL)
    {
      GVariantIter iter;
      g_autoptr (GVariant) given = g_variant_ref_sink (g_variant_new_parsed_va (more, args));
      const char *key;
      GVariant *value;

      g_variant_iter_init (&iter, given);
      while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
        g_variant_dict_insert_value (dict, key, value);
    }
  g_variant_dict_insert_value (dict, "path", g_variant_new_bytestring (path));
  return aex_executor_call_full (self->pool, options, operation, g_variant_dict_end (dict));
}

AexPending *
aex_file_test_call (AexFileTest *self,
                    const char  *operation,
                    const char  *path,
                    const char  *more,
                    ...)
{
  AexPending *pending;
  va_list args;

  va_start (args, more);
  pending = call (self, NULL, operation, path, more, &args);
  va_end (args);
  return pending;
}

AexPending *
aex_file_test_call_full (AexFileTest      *self,
                         AexSubmitOptions *options,
                         const char       *operation,
                         const char       *path,
                         const char       *more,
                         ...)
{
  AexPending *pending;
  va_list args;

  va_start (args, more);
  pending = call (self, options, operation, path, more, &args);
  va_end (args);
  return pending;
}

char *
aex_file_test_run (AexFileTest *self,
                   const char  *program,
                   ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  const char *argument = program;
  char *output = NULL;
  int status;
  va_list args;

  va_start (args, program);
  for (; argument != NULL; argument = va_arg (args, const char *))
    g_ptr_array_add (argv, (gpointer) argument);
  va_end (args);
  g_ptr_array_add (argv, NULL);
  /* Without the threads of GSubprocess, which ThreadSanitizer has something to say of. */
  g_spawn_sync (NULL, (char **) argv->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, NULL));
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
