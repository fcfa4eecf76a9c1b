/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lib/aex-caller-test.h"

/* K6, K27-K29: which backends and hosts there are, and who has which.  No job runs in a guest here. */

GType test_guest_get_type (void);
GType other_guest_get_type (void);

typedef AexGuest TestGuest;
typedef AexGuestClass TestGuestClass;
G_DEFINE_TYPE (TestGuest, test_guest, AEX_TYPE_GUEST)

static void
test_guest_class_init (TestGuestClass *klass)
{
}

static void
test_guest_init (TestGuest *self)
{
}

typedef AexGuest OtherGuest;
typedef AexGuestClass OtherGuestClass;
G_DEFINE_TYPE (OtherGuest, other_guest, AEX_TYPE_GUEST)

static void
other_guest_class_init (OtherGuestClass *klass)
{
}

static void
other_guest_init (OtherGuest *self)
{
}

static AexCaller *
new_with_backend (const char *backend)
{
  g_autoptr (AexCallerOptions) options = aex_caller_options_new ();
  g_autoptr (GError) error = NULL;
  AexCaller *caller;

  aex_caller_options_set_backend (options, backend);
  caller = aex_caller_new_thread_full (options, &error);
  g_assert_no_error (error);
  return caller;
}

static void
test_registration (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (aex_caller_register_backend ("test", test_guest_get_type (), &error));
  g_assert_no_error (error);
  g_assert_false (aex_caller_register_backend ("test", other_guest_get_type (), &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (aex_caller_register_backend ("glib", test_guest_get_type (), &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_false (aex_caller_register_backend ("none", AEX_TYPE_GUEST, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_false (aex_caller_register_backend ("none", G_TYPE_OBJECT, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT);
}

/* --- X4: the closure is released once, by the caller's thread */
static AexPending *
poison_async (AexPending   *job,
              GCancellable *cancellable,
              gpointer      poison,
              GError      **error)
{
  aex_poison_touch (poison);
  return NULL;
}

static void
test_destroy (gconstpointer has_options)
{
  AexCaller *caller = aex_test_caller_new ("poisoned");
  g_autoptr (AexSubmitOptions) options = has_options != NULL ? aex_submit_options_new () : NULL;
  g_autoptr (AexPending) job = NULL;
  AexPoison poison;

  aex_poison_init_executor (&poison, AEX_EXECUTOR (caller));
  if (options == NULL)
    job = aex_caller_call_using_backend (caller, "glib", poison_async, &poison, aex_poison_release);
  else
    job = aex_caller_call_using_backend_full (caller, "glib", options, poison_async, &poison, aex_poison_release);
  aex_test_wait (job);
  g_assert_cmpint (aex_poison_get_called (&poison), ==, 1);
  g_assert_cmpint (aex_poison_get_released (&poison), ==, 1);
  aex_test_caller_end (caller);
}

/* --- K28: the loop is an application's, which the caller adopts: it neither runs nor ends it */
static AexPending *
in_application (AexPending   *job,
                GCancellable *cancellable,
                gpointer      app,
                GError      **error)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_current (NULL);

  g_assert_true (aex_caller_get_context (caller) == g_main_context_default ());
  g_assert_true (g_application_get_is_registered (app));
  return aex_pending_sleep (1000);
}

static void
on_job_done (AexPending *job,
             gpointer    app)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();
  G_GNUC_UNUSED g_autoptr (AexPending) stopped = aex_caller_stop (caller, AEX_STOP_FLAGS_FORCE);

  aex_assert_state (job, RESOLVED);
  /* The application goes on without it. */
  g_timeout_add_once (10, (GSourceOnceFunc) g_application_release, app);
}

static void
on_activate (GApplication *app,
             gpointer      job)
{
  g_autoptr (AexCaller) caller = aex_caller_ref_main ();

  g_application_hold (app);
  *(AexPending **) job = aex_caller_call_using_backend (caller, "glib", in_application, app, NULL);
  aex_pending_add_done_callback (*(AexPending **) job, on_job_done, app, NULL);
}

static void
test_application (void)
{
  g_autoptr (GApplication) app = g_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  g_autoptr (AexPending) job = NULL;

  g_signal_connect (app, "activate", G_CALLBACK (on_activate), &job);
  g_assert_cmpint (g_application_run (app, 0, NULL), ==, 0);
  aex_assert_state (job, RESOLVED);
}

/* --- K6, K29 */
static void
test_mismatch (void)
{
  AexCaller *parent = aex_test_caller_new ("parent");
  g_autoptr (AexCallerOptions) options = aex_caller_options_new ();
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (AexCaller) child = NULL;
  g_autoptr (AexCaller) same = NULL;
  g_autoptr (AexCaller) adopted = NULL;
  g_autoptr (GError) error = NULL;

  aex_caller_options_set_name (options, "child");
  child = aex_caller_ref_child_full (parent, options, &error);
  g_assert_no_error (error);
  aex_caller_options_set_backend (options, "glib");
  same = aex_caller_ref_child_full (parent, options, &error);
  g_assert_true (same == child);
  aex_caller_options_set_backend (options, "test");
  g_assert_null (aex_caller_ref_child_full (parent, options, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  g_clear_error (&error);

  adopted = aex_caller_ref_for_context_full (context, options, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (aex_caller_get_backend (adopted), ==, "test");
  g_assert_cmpstr (aex_executor_get_name (AEX_EXECUTOR (adopted)), ==, "child");
  aex_caller_options_set_backend (options, "glib");
  g_assert_null (aex_caller_ref_for_context_full (context, options, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_MISMATCH);
  g_assert_nonnull (strstr (error->message, "test"));
  g_clear_error (&error);
  aex_test_caller_end (parent);
}

static void
test_options (void)
{
  AexCaller *parent = new_with_backend ("test");
  g_autoptr (AexCaller) child = aex_test_caller_ref_child (parent, NULL);
  g_autoptr (AexCallerOptions) options = aex_caller_options_new ();
  g_autoptr (AexCallerOptions) own = aex_caller_dup_options (parent);
  g_autoptr (AexCaller) plain = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (aex_caller_options_get_backend (own), ==, "test");
  g_assert_cmpstr (aex_caller_get_backend (child), ==, "test");
  aex_caller_options_set_backend (options, "glib");
  plain = aex_caller_ref_child_full (parent, options, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (aex_caller_get_backend (plain), ==, "glib");

  aex_caller_options_set_backend (options, "trio");
  g_assert_null (aex_caller_ref_child_full (parent, options, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (aex_caller_new_thread_full (options, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_NOT_FOUND);
  g_clear_error (&error);
  aex_caller_options_set_backend (options, NULL);
  g_assert_null (aex_caller_options_get_backend (options));
  /* A context that is there already is not made. */
  aex_caller_options_set_niceness (options, 3);
  g_assert_null (aex_caller_ref_for_context_full (NULL, options, &error));
  g_assert_error (error, AEX_ERROR, AEX_ERROR_INVALID_ARGUMENT);
  aex_test_caller_end (parent);
}

int
main (int    argc,
      char **argv)
{
  aex_test_init (&argc, &argv);
  g_assert_true (aex_caller_register_backend ("test", test_guest_get_type (), NULL));
  aex_test_add ("/guest-options/K27-P15/registration", test_registration);
  aex_test_add_data ("/guest-options/X4/aex_caller_call_using_backend", NULL, test_destroy);
  aex_test_add_data ("/guest-options/X4/aex_caller_call_using_backend_full", "options", test_destroy);
  aex_test_add ("/guest-options/K28/application", test_application);
  aex_test_add ("/guest-options/K6/backend-mismatch", test_mismatch);
  aex_test_add ("/guest-options/K29-P15/options-passed", test_options);
  return aex_test_run ();
}
