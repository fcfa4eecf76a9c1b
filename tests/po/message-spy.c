/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Preloaded into a program, writes down which messages of the library it asks
 * for and what translation it gets, and gives it the message itself, so that a
 * test which compares English texts goes on: see reached.py.
 *
 * It stands before the C library's functions, not GLib's: bindings look those up
 * in GLib itself, where nothing stands before them.
 *
 * AEX_TEST_LOCALEDIR: where the catalogues of the build are.
 * AEX_TEST_MESSAGES: a file to which each message is appended, as the fields of
 * the message, its number, and the translation, each with a NUL behind it. */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libintl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Macros where the compiler optimizes. */
#undef dgettext
#undef dngettext

#define DOMAIN_NAME "asyncexec-1"
#define EXPORT __attribute__ ((visibility ("default")))

static char *(*next_gettext) (const char *, const char *, int);
static char *(*next_ngettext) (const char *, const char *, const char *, unsigned long, int);
static char *(*next_bind) (const char *, const char *);
static int file = -1;

static void
prepare (void)
{
  const char *name = getenv ("AEX_TEST_MESSAGES");

  if (next_bind != NULL)
    return;
  next_gettext = (char *(*) (const char *, const char *, int)) dlsym (RTLD_NEXT, "dcgettext");
  next_ngettext = (char *(*) (const char *, const char *, const char *, unsigned long, int)) dlsym (RTLD_NEXT, "dcngettext");
  next_bind = (char *(*) (const char *, const char *)) dlsym (RTLD_NEXT, "bindtextdomain");
  /* A program does that first of all; most tests do not.  Numbers stay as they are. */
  setlocale (LC_CTYPE, "");
  setlocale (LC_MESSAGES, "");
  if (name != NULL)
    {
      /* Kept open, for a test that uses up all descriptors; and out of the way of those that count them. */
      int opened = open (name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
      file = fcntl (opened, F_DUPFD_CLOEXEC, 200);
      if (file >= 0)
        close (opened);
      else
        file = opened;
    }
}

__attribute__ ((constructor)) static void
start (void)
{
  prepare ();
}

static int
is_ours (const char *domain)
{
  prepare ();
  return domain != NULL && strcmp (domain, DOMAIN_NAME) == 0;
}

/* One write, so that processes and threads do not mix theirs. */
static void
record (const char *message, const char *number, const char *translation)
{
  int saved = errno;
  struct iovec fields[] = {
    { (void *) message, strlen (message) + 1 },
    { (void *) number, strlen (number) + 1 },
    { (void *) translation, strlen (translation) + 1 },
  };

  if (file >= 0 && writev (file, fields, 3) < 0)
    file = -1;
  errno = saved;
}

EXPORT char *
dcgettext (const char *domain, const char *message, int category)
{
  int ours = is_ours (domain);
  char *translation = next_gettext (domain, message, category);

  if (!ours)
    return translation;
  record (message, "", translation);
  return (char *) message;
}

EXPORT char *
dgettext (const char *domain, const char *message)
{
  return dcgettext (domain, message, LC_MESSAGES);
}

EXPORT char *
dcngettext (const char *domain, const char *one, const char *many, unsigned long n, int category)
{
  int ours = is_ours (domain);
  char *translation = next_ngettext (domain, one, many, n, category);

  if (!ours)
    return translation;
  record (one, n == 1 ? "1" : "2", translation);
  return (char *) (n == 1 ? one : many);
}

EXPORT char *
dngettext (const char *domain, const char *one, const char *many, unsigned long n)
{
  return dcngettext (domain, one, many, n, LC_MESSAGES);
}

/* The library says where its catalogues are installed; those of the build are elsewhere. */
EXPORT char *
bindtextdomain (const char *domain, const char *folder)
{
  const char *own = getenv ("AEX_TEST_LOCALEDIR");

  return next_bind (domain, is_ours (domain) && folder != NULL && own != NULL ? own : folder);
}
