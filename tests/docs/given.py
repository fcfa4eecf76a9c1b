# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the fragments of C in a page take for granted: functions and variables of
the program that they are part of.  The less, the more a page says by itself."""

GIVEN = {
    "cancellation": """
        extern void stop_request (AexPending *reply, gpointer request);

        GObject *request = NULL;
    """,
    "errors": """
        AexPending *job = NULL;
        GError *error = NULL;
    """,
    "operations": """
        AexExecutor *pool = NULL;
        const char *path = "";
        GError *error = NULL;
    """,
    "progress-and-messages": """
        extern gboolean copy_file (const char *path, GCancellable *cancellable, GError **error);
        extern void view_append (gpointer view, const char *line);

        AexPending *job = NULL;
        GObject *bar = NULL, *label = NULL, *view = NULL;
    """,
    "quick-start-c": """
        typedef struct _GtkLabel GtkLabel;
        extern void gtk_label_set_text (GtkLabel *label, const char *text);
        extern AexPending *upload (gpointer server, AexPending *read);
        extern char *hash_file (const char *path, GCancellable *cancellable, GError **error);
        extern gboolean make_thumbnail (AexPending *job, GCancellable *cancellable, gpointer path, GError **error);
        extern gboolean run_query (AexPending *job, GCancellable *cancellable, gpointer query, GError **error);
        extern void query_free (gpointer query);
        extern gboolean update_title (gpointer title, GError **error);

        const char *path = "";
        GtkLabel *label = NULL;
        GObject *server = NULL, *window = NULL;
        AexPending *read = NULL;
        GPtrArray *paths = NULL;
        gpointer query = NULL;
    """,
    "threads-and-waiting": """
        #include <sys/file.h>

        int fd = -1;
    """,
}
