/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-file-test.h"

#include "executor/aex-operation-private.h"

#include <sys/stat.h>
#include <unistd.h>

/* The operations that read and write one file. */

/* Larger than a block, and not a multiple of it. */
#define N_BYTES (200 * 1000 + 7)

static char *
make_bytes (gsize n)
{
  char *bytes = g_malloc (n);

  for (gsize i = 0; i < n; i++)
    bytes[i] = (char) g_test_rand_int ();
  return bytes;
}

/* --- file-checksum */

static void
test_checksum (void)
{
  static const struct { const char *name; GChecksumType type; } known[] = {
    { "md5", G_CHECKSUM_MD5 }, { "sha1", G_CHECKSUM_SHA1 }, { "sha256", G_CHECKSUM_SHA256 },
    { "sha384", G_CHECKSUM_SHA384 }, { "sha512", G_CHECKSUM_SHA512 },
  };
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *bytes = make_bytes (N_BYTES);
  g_autofree char *path = aex_file_test_write (&test, "a", bytes, N_BYTES);

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    {
      g_autofree char *expected = g_compute_checksum_for_data (known[i].type, (guchar *) bytes, N_BYTES);
      g_autoptr (AexPending) call = aex_file_test_call (&test, "file-checksum", path, "{'algorithm': <%s>}", known[i].name);

      aex_assert_call_gives_string (call, expected);
    }
}

/* The same as a program that has nothing to do with us. */
static void
test_checksum_as_sha256sum (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *bytes = make_bytes (N_BYTES);
  g_autofree char *path = aex_file_test_write (&test, "a", bytes, N_BYTES);
  g_autofree char *told = aex_file_test_run (&test, "sha256sum", path, NULL);
  g_autoptr (AexPending) call = aex_file_test_call (&test, "file-checksum", path, NULL);

  told[64] = '\0';
  aex_assert_call_gives_string (call, told);
}

static void
test_checksum_range (void)
{
  static const struct { guint64 offset, length; gsize from, n; } ranges[] = {
    { 0, 4096, 0, 4096 },
    { 0, 0, 0, 0 },
    { 1, 65536, 1, 65536 },
    { 70000, 70000, 70000, 70000 },
    { N_BYTES - 1, 4096, N_BYTES - 1, 1 },
    { N_BYTES, 4096, 0, 0 },
    { G_MAXINT64, G_MAXUINT64, 0, 0 },
    { 5, G_MAXUINT64, 5, N_BYTES - 5 },
  };
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *bytes = make_bytes (N_BYTES);
  g_autofree char *path = aex_file_test_write (&test, "a", bytes, N_BYTES);

  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    {
      g_autofree char *expected = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *) bytes + ranges[i].from, ranges[i].n);
      g_autoptr (AexPending) call = aex_file_test_call (&test, "file-checksum", path, "{'offset': <%t>, 'length': <%t>}",
                                                        ranges[i].offset, ranges[i].length);

      aex_assert_call_gives_string (call, expected);
    }
}

static void
test_checksum_algorithm (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "a", "abc", 3);
  g_autoptr (AexPending) call = aex_file_test_call (&test, "file-checksum", path, "{'algorithm': <'crc32'>}");

  aex_assert_call_fails (call, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, "md5, sha1, sha256, sha384, sha512");
}

/* --- file-load */

static void
assert_loads (AexPending *call,
              const char *bytes,
              gsize       n)
{
  g_autoptr (GVariant) value = NULL;
  g_autoptr (GError) error = NULL;
  gsize n_loaded;
  const char *loaded;

  aex_test_wait (call);
  value = aex_pending_dup_variant (call, &error);
  g_assert_no_error (error);
  loaded = g_variant_get_fixed_array (value, &n_loaded, 1);
  g_assert_cmpmem (loaded, n_loaded, bytes, n);
}

static void
test_load (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *bytes = make_bytes (N_BYTES);
  g_autofree char *path = aex_file_test_write (&test, "a", bytes, N_BYTES);
  g_autofree char *empty = aex_file_test_write (&test, "b", "", 0);
  g_autoptr (AexPending) whole = aex_file_test_call (&test, "file-load", path, NULL);
  g_autoptr (AexPending) part = aex_file_test_call (&test, "file-load", path, "{'offset': <%t>, 'length': <%t>}",
                                                    (guint64) 1000, (guint64) 65537);
  g_autoptr (AexPending) tail = aex_file_test_call (&test, "file-load", path, "{'offset': <%t>}", (guint64) N_BYTES - 10);
  g_autoptr (AexPending) nothing = aex_file_test_call (&test, "file-load", empty, NULL);

  assert_loads (whole, bytes, N_BYTES);
  assert_loads (part, bytes + 1000, 65537);
  assert_loads (tail, bytes + N_BYTES - 10, 10);
  assert_loads (nothing, "", 0);
}

/* A file that says it is empty, and is not. */
static void
test_load_from_proc (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autoptr (AexPending) call = aex_file_test_call (&test, "file-load", "/proc/self/cmdline", NULL);
  g_autofree char *expected = NULL;
  gsize length;

  g_assert_true (g_file_get_contents ("/proc/self/cmdline", &expected, &length, NULL));
  assert_loads (call, expected, length);
}

/* More than any memory: an error and not an abort, and a part of it can still be had. */
static void
test_load_too_large (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "a", "abc", 3);
  g_autoptr (AexPending) whole = NULL;
  g_autoptr (AexPending) part = NULL;

  if (aex_test_is_sanitized () || truncate (path, (off_t) 1 << 50) < 0)
    {
      g_test_skip ("no file can be so large here, or the sanitizer aborts");
      return;
    }
  whole = aex_file_test_call (&test, "file-load", path, NULL);
  part = aex_file_test_call (&test, "file-load", path, "{'length': <%t>}", (guint64) 3);
  aex_assert_call_fails (whole, G_IO_ERROR, G_IO_ERROR_FAILED, "memory");
  assert_loads (part, "abc", 3);
}

/* --- progress */

static void
test_progress (void)
{
  static const char *const operations[] = { "file-checksum", "file-load" };
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *bytes = make_bytes (N_BYTES);
  g_autofree char *path = aex_file_test_write (&test, "a", bytes, N_BYTES);

  for (gsize i = 0; i < G_N_ELEMENTS (operations); i++)
    {
      g_autoptr (AexPending) call = aex_file_test_call (&test, operations[i], path, "{'offset': <%t>}", (guint64) 1000);

      aex_test_wait (call);
      g_assert_cmpfloat (aex_pending_get_progress (call), ==, 1);
    }
}

/* --- paths */

static void
test_path_bytes (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "\xff\xfe n\xe9", "abc", 3);
  GVariant *bare = g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, path, strlen (path), 1);
  g_autoptr (AexPending) with_nul = aex_file_test_call (&test, "file-load", path, NULL);
  g_autoptr (AexPending) without = aex_executor_call (test.pool, "file-load", g_variant_new_parsed ("{'path': <%*>}", bare));

  assert_loads (with_nul, "abc", 3);
  assert_loads (without, "abc", 3);
}

static void
test_path_refused (void)
{
  static const char *const bad[] = { "{'path': <@ay []>}", "{'path': <b''>}", "{'path': <[byte 97, 0, 98]>}" };
  g_auto (AexFileTest) test = aex_file_test_begin ();

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (AexPending) call = aex_executor_call (test.pool, "file-load", g_variant_new_parsed (bad[i]));

      aex_assert_call_fails (call, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, "path");
    }
}

/* --- what is no regular file */

static void
test_not_regular (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *fifo = g_build_filename (test.folder, "fifo", NULL);
  g_autofree char *missing = g_build_filename (test.folder, "missing", NULL);
  g_autoptr (AexPending) from_fifo = NULL;
  g_autoptr (AexPending) from_device = aex_file_test_call (&test, "file-load", "/dev/zero", NULL);
  g_autoptr (AexPending) from_folder = aex_file_test_call (&test, "file-checksum", test.folder, NULL);
  g_autoptr (AexPending) from_missing = aex_file_test_call (&test, "file-checksum", missing, NULL);

  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  from_fifo = aex_file_test_call (&test, "file-checksum", fifo, NULL);
  aex_assert_call_fails (from_fifo, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "fifo");
  aex_assert_call_fails (from_device, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "/dev/zero");
  aex_assert_call_fails (from_folder, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY, test.folder);
  aex_assert_call_fails (from_missing, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "missing");
}

static void
test_offset_too_large (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "a", "abc", 3);
  g_autoptr (AexPending) call = aex_file_test_call (&test, "file-load", path, "{'offset': <%t>}", G_MAXUINT64);

  aex_assert_call_fails (call, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT, "so long");
}

/* --- what has changed */

static void
test_changed (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "a", "abc", 3);
  g_autofree char *expected = g_compute_checksum_for_string (G_CHECKSUM_SHA256, "abc", 3);
  gint64 mtime = aex_file_test_get_mtime (path);
  g_autoptr (AexPending) same = aex_file_test_call (&test, "file-checksum", path, "{'size': <%t>, 'mtime': <%x>}", (guint64) 3, mtime);
  g_autoptr (AexPending) size = aex_file_test_call (&test, "file-checksum", path, "{'size': <%t>, 'mtime': <%x>}", (guint64) 4, mtime);
  g_autoptr (AexPending) time = aex_file_test_call (&test, "file-load", path, "{'size': <%t>, 'mtime': <%x>}", (guint64) 3, mtime + 1);

  aex_assert_call_gives_string (same, expected);
  aex_assert_call_fails (size, G_IO_ERROR, G_IO_ERROR_WRONG_ETAG, "3 bytes, not 4");
  aex_assert_call_fails (time, G_IO_ERROR, G_IO_ERROR_WRONG_ETAG, "changed");
}

/* --- cancelled on the way */

typedef struct
{
  AexOperationFunc func;
  AexGate          started;
} Gated;

static gboolean
op_gated (AexPending   *job,
          GVariant     *parameters,
          GCancellable *cancellable,
          gpointer      gated,
          GError      **error)
{
  Gated *self = gated;

  aex_gate_open (&self->started);
  return self->func (job, parameters, cancellable, NULL, error);
}

/* A file without an end that anybody would wait for. */
static void
test_cancel_reading (gconstpointer func)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "a", "", 0);
  AexOperations *set = aex_executor_get_operations (test.pool);
  Gated gated = { (AexOperationFunc) func };
  g_autoptr (AexPending) call = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (truncate (path, (off_t) 1 << 38), ==, 0);
  aex_gate_init (&gated.started);
  g_assert_true (aex_operations_add (set, "gated", G_VARIANT_TYPE_VARDICT, G_VARIANT_TYPE_STRING, op_gated, &gated, NULL, &error));
  call = aex_file_test_call (&test, "gated", path, NULL);
  aex_gate_wait (&gated.started);
  aex_pending_cancel (call, NULL);
  aex_test_wait (call);
  aex_assert_cancelled (call);
  g_assert_true (aex_operations_remove (set, "gated"));
  aex_gate_clear (&gated.started);
}

/* --- on a caller's thread, which is not there to cancel the cancellable */

static gboolean
has_progress (gpointer call)
{
  return aex_pending_get_progress (call) > 0;
}

static void
nothing (void)
{
}

static void
test_stopped_on_caller (void)
{
  g_auto (AexFileTest) test = aex_file_test_begin ();
  g_autofree char *path = aex_file_test_write (&test, "endless", "", 0);
  g_autoptr (GError) error = NULL;
  AexCaller *caller = aex_caller_new_thread ("K37", &error);
  g_autoptr (AexPending) call = NULL;
  g_autoptr (AexPending) stopped = NULL;

  g_assert_no_error (error);
  /* A hole, which costs no room and takes hours. */
  g_assert_cmpint (truncate (path, G_GINT64_CONSTANT (1) << 40), ==, 0);
  call = aex_executor_call (AEX_EXECUTOR (caller), "file-checksum", g_variant_new_parsed ("{'path': <%^ay>}", path));
  g_signal_connect (call, "notify::progress", nothing, NULL);
  aex_test_iterate_until (has_progress, call);
  stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_NONE);
  aex_test_wait (stopped);
  aex_assert_state (call, CANCELLED);
  aex_assert_cancelled (call);
  g_object_unref (caller);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  aex_test_add ("/file-checksum/O8/algorithms", test_checksum);
  aex_test_add ("/file-checksum/O8/as-sha256sum", test_checksum_as_sha256sum);
  aex_test_add ("/file-checksum/O8/range", test_checksum_range);
  aex_test_add ("/file-checksum/O8/unknown-algorithm", test_checksum_algorithm);
  aex_test_add ("/file-load/O9/load", test_load);
  aex_test_add ("/file-load/O9/from-proc", test_load_from_proc);
  aex_test_add ("/file-load/O9/too-large", test_load_too_large);
  aex_test_add ("/file/O7/progress", test_progress);
  aex_test_add ("/file/O7-K31-K37/stopped-on-caller", test_stopped_on_caller);
  aex_test_add ("/file/O7/path-bytes", test_path_bytes);
  aex_test_add ("/file/O7/path-refused", test_path_refused);
  aex_test_add ("/file/O7/not-regular", test_not_regular);
  aex_test_add ("/file/O7/offset-too-large", test_offset_too_large);
  aex_test_add ("/file/O7/changed", test_changed);
  aex_test_add_data ("/file-checksum/O7/cancel", (gconstpointer) aex_file_checksum, test_cancel_reading);
  return aex_test_run ();
}
