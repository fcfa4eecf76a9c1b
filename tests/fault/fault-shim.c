/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the shim stands before, called without the library: a rule that did nothing would show nothing wrong. */

#define CONTENT "0123456789abcdef"

/* Both forms of a function are in the shim, and a program gets the one that it was built for: by name. */
typedef int (*Function0) (void);
typedef int (*Function1) (int);
typedef int (*Open) (const char *, int, ...);
typedef int (*OpenAt) (int, const char *, int, ...);
typedef DIR *(*FdOpenDir) (int);
typedef void *(*ReadDir) (DIR *);
typedef int (*FStat) (int, void *);
typedef ssize_t (*Read) (int, void *, size_t);
typedef ssize_t (*PReadLong) (int, void *, size_t, long);
typedef ssize_t (*PRead64) (int, void *, size_t, gint64);
typedef ssize_t (*Write) (int, const void *, size_t);
typedef int (*Rename) (const char *, const char *);
typedef int (*RenameAt) (int, const char *, int, const char *);

static char *folder, *path;
static int   file, epoll;
static DIR  *listing;

static void (*arm) (void);
static void (*disarm) (void);
static void (*set_rules) (const char *rules);
static const char *(*get_name) (int call);

static void
begin (void)
{
  arm = (void (*) (void)) dlsym (RTLD_DEFAULT, "ae_fail_arm");
  disarm = (void (*) (void)) dlsym (RTLD_DEFAULT, "ae_fail_disarm");
  set_rules = (void (*) (const char *)) dlsym (RTLD_DEFAULT, "ae_fail_set_rules");
  get_name = (const char *(*) (int)) dlsym (RTLD_DEFAULT, "ae_fail_get_name");
  g_assert_true (arm != NULL && disarm != NULL && set_rules != NULL && get_name != NULL);
  folder = g_dir_make_tmp ("aex-test-XXXXXX", NULL);
  path = g_build_filename (folder, "a", NULL);
  g_assert_true (g_file_set_contents (path, CONTENT, -1, NULL));
  file = open (path, O_RDWR | O_CLOEXEC);
  epoll = epoll_create1 (EPOLL_CLOEXEC);
  listing = opendir (folder);
  g_assert_true (file >= 0 && epoll >= 0 && listing != NULL);
}

static void
end (void)
{
  closedir (listing);
  close (epoll);
  close (file);
  g_assert_cmpint (unlink (path), ==, 0);
  g_assert_cmpint (rmdir (folder), ==, 0);
  g_free (path);
  g_free (folder);
}

/* --- one call of each: what it returned, or less than 0 with errno set */

static gpointer
thread_main (gpointer data)
{
  return NULL;
}

static int
call_pthread_create (gpointer func)
{
  pthread_t thread;
  int error = ((__typeof__ (pthread_create) *) func) (&thread, NULL, thread_main, NULL);

  if (error == 0)
    return pthread_join (thread, NULL);
  errno = error;
  return -1;
}

static int
call_fork (gpointer func)
{
  int child = ((Function0) func) ();

  if (child == 0)
    _exit (0);
  if (child > 0)
    g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  return child;
}

static int
closed (int fd)
{
  if (fd >= 0)
    close (fd);
  return fd;
}

static int
call_eventfd (gpointer func)
{
  return closed (((int (*) (unsigned int, int)) func) (0, 0));
}

static int
call_epoll_create1 (gpointer func)
{
  return closed (((Function1) func) (EPOLL_CLOEXEC));
}

static int
call_memfd_create (gpointer func)
{
  return closed (((int (*) (const char *, unsigned int)) func) ("a", 0));
}

static int
call_pipe2 (gpointer func)
{
  int fds[2] = { -1, -1 };
  int result = ((int (*) (int *, int)) func) (fds, O_CLOEXEC);

  closed (fds[0]);
  closed (fds[1]);
  return result;
}

static int
call_socketpair (gpointer func)
{
  int fds[2] = { -1, -1 };
  int result = ((int (*) (int, int, int, int *)) func) (AF_UNIX, SOCK_STREAM, 0, fds);

  closed (fds[0]);
  closed (fds[1]);
  return result;
}

static int
call_epoll_ctl (gpointer func)
{
  struct epoll_event event = { .events = EPOLLIN };
  int fds[2], result;

  g_assert_cmpint (pipe (fds), ==, 0);
  result = ((int (*) (int, int, int, struct epoll_event *)) func) (epoll, EPOLL_CTL_ADD, fds[0], &event);
  close (fds[0]);
  close (fds[1]);
  return result;
}

static int
call_poll (gpointer func)
{
  return ((int (*) (struct pollfd *, nfds_t, int)) func) (NULL, 0, 0);
}

static int
call_ppoll (gpointer func)
{
  const struct timespec at_once = { 0 };

  return ((int (*) (struct pollfd *, nfds_t, const struct timespec *, const sigset_t *)) func) (NULL, 0, &at_once, NULL);
}

static int
call_open (gpointer func)
{
  return closed (((Open) func) (path, O_RDONLY | O_CLOEXEC));
}

static int
call_openat (gpointer func)
{
  return closed (((OpenAt) func) (dirfd (listing), "a", O_RDONLY | O_CLOEXEC));
}

static int
call_fdopendir (gpointer func)
{
  int fd = dup (dirfd (listing));
  DIR *opened = ((FdOpenDir) func) (fd);

  if (opened != NULL)
    return closedir (opened);
  g_assert_cmpint (close (fd), ==, 0);
  return -1;
}

static int
call_readdir (gpointer func)
{
  rewinddir (listing);
  return ((ReadDir) func) (listing) != NULL ? 0 : -1;
}

static int
call_fstat (gpointer func)
{
  char status[512];

  return ((FStat) func) (file, status);
}

static int
call_read (gpointer func)
{
  char buffer[10];

  g_assert_cmpint (lseek (file, 0, SEEK_SET), ==, 0);
  return (int) ((Read) func) (file, buffer, sizeof buffer);
}

static int
call_pread (gpointer func)
{
  char buffer[10];

  return (int) ((PReadLong) func) (file, buffer, sizeof buffer, 0);
}

static int
call_pread64 (gpointer func)
{
  char buffer[10];

  return (int) ((PRead64) func) (file, buffer, sizeof buffer, 0);
}

static int
call_write (gpointer func)
{
  g_assert_cmpint (lseek (file, 0, SEEK_SET), ==, 0);
  return (int) ((Write) func) (file, CONTENT, 10);
}

static int
call_on_file (gpointer func)
{
  return ((Function1) func) (file);
}

static int
call_fchmod (gpointer func)
{
  return ((int (*) (int, mode_t)) func) (file, 0600);
}

/* To its own name: nothing changes, and it has to be there. */
static int
call_rename (gpointer func)
{
  return ((Rename) func) (path, path);
}

static int
call_renameat (gpointer func)
{
  return ((RenameAt) func) (dirfd (listing), "a", dirfd (listing), "a");
}

/* --- all of them */

typedef struct
{
  const char *rule;
  const char *symbol;
  const char *error_name;
  int         error;
  int       (*call) (gpointer func);
  gboolean    moves_bytes;
} Interposed;

#define AS(error) #error, error

static const Interposed interposed[] = {
  { "pthread_create", "pthread_create", AS (EAGAIN), call_pthread_create },
  { "fork", "fork", AS (EAGAIN), call_fork },
  { "eventfd", "eventfd", AS (EMFILE), call_eventfd },
  { "pipe2", "pipe2", AS (ENFILE), call_pipe2 },
  { "socketpair", "socketpair", AS (EMFILE), call_socketpair },
  { "memfd_create", "memfd_create", AS (ENOMEM), call_memfd_create },
  { "epoll_create1", "epoll_create1", AS (EMFILE), call_epoll_create1 },
  { "epoll_ctl", "epoll_ctl", AS (ENOSPC), call_epoll_ctl },
  { "poll", "poll", AS (EINTR), call_poll },
  { "poll", "ppoll", AS (EINTR), call_ppoll },
  { "open", "open", AS (EMFILE), call_open },
  { "open", "open64", AS (EACCES), call_open },
  { "openat", "openat", AS (EMFILE), call_openat },
  { "openat", "openat64", AS (EACCES), call_openat },
  { "fdopendir", "fdopendir", AS (ENOMEM), call_fdopendir },
  { "readdir", "readdir", AS (EIO), call_readdir },
  { "readdir", "readdir64", AS (EIO), call_readdir },
  { "fstat", "fstat", AS (EIO), call_fstat },
  { "fstat", "fstat64", AS (EIO), call_fstat },
  { "read", "read", AS (EIO), call_read, TRUE },
  { "pread", "pread", AS (EIO), call_pread, TRUE },
  { "pread", "pread64", AS (EIO), call_pread64, TRUE },
  { "write", "write", AS (ENOSPC), call_write, TRUE },
  { "fsync", "fsync", AS (EIO), call_on_file },
  { "fchmod", "fchmod", AS (EPERM), call_fchmod },
  { "rename", "rename", AS (EIO), call_rename },
  { "renameat", "renameat", AS (EIO), call_renameat },
};

/* Only the call itself counts: what is done around it is not armed. */
static int
call_armed (const Interposed *self)
{
  gpointer func = dlsym (RTLD_DEFAULT, self->symbol);
  int result;

  g_assert_nonnull (func);
  errno = 0;
  arm ();
  result = self->call (func);
  disarm ();
  return result;
}

static void
use_rule (const Interposed *self,
          const char       *error_name,
          const char       *when)
{
  g_autofree char *rule = g_strdup_printf ("%s:%s:%s", self->rule, error_name, when);

  set_rules (rule);
}

static void
expect (const Interposed *self,
        const char       *when,
        const char       *pattern)
{
  use_rule (self, self->error_name, when);
  for (const char *p = pattern; *p != '\0'; p++)
    {
      int result = call_armed (self);
      int error = errno;

      if (*p == '.' ? result >= 0 : result < 0 && error == self->error)
        continue;
      g_error ("%s, %s:%s:%s, call %d: %d, %s", self->symbol, self->rule, self->error_name, when, (int) (p - pattern) + 1,
               result, g_strerror (error));
    }
}

/* The n-th, every n-th, and none without a rule. */
static void
scenario_each_call (void)
{
  begin ();
  for (guint i = 0; i < G_N_ELEMENTS (interposed); i++)
    {
      expect (&interposed[i], "1", "x...");
      expect (&interposed[i], "3", "..x.");
      expect (&interposed[i], "*1", "xxx");
      expect (&interposed[i], "*2", ".x.x");
      expect (&interposed[i], "9", "....");
    }
  set_rules ("");
  for (guint i = 0; i < G_N_ELEMENTS (interposed); i++)
    g_assert_cmpint (call_armed (&interposed[i]), >=, 0);
  end ();
}

static gboolean
is_interposed (const char *rule)
{
  for (guint i = 0; i < G_N_ELEMENTS (interposed); i++)
    {
      if (g_str_equal (interposed[i].rule, rule))
        return TRUE;
    }
  return FALSE;
}

/* What the shim can fail is called above, and somebody asks for it, or says why not. */
static void
scenario_all_are_known (void)
{
  const char *name;

  begin ();
  for (int i = 0; (name = get_name (i)) != NULL; i++)
    {
      if (!is_interposed (name))
        g_error ("the shim fails %s(), and fault-shim.c does not call it", name);
      if (!fault_has_rule (name))
        g_error ("no scenario has a fault for %s(), and it is not in the list of what is not called", name);
    }
  expect (&interposed[0], "1", "x");
  end ();
}

/* One byte where ten were asked for; and interrupted, which says so and moves none. */
static void
scenario_by_halves (void)
{
  begin ();
  for (guint i = 0; i < G_N_ELEMENTS (interposed); i++)
    {
      const Interposed *self = &interposed[i];

      if (!self->moves_bytes)
        continue;
      use_rule (self, "SHORT", "2");
      g_assert_cmpint (call_armed (self), ==, 10);
      g_assert_cmpint (call_armed (self), ==, 1);
      g_assert_cmpint (call_armed (self), ==, 10);
      use_rule (self, "SHORT", "*2");
      for (guint n = 1; n <= 4; n++)
        g_assert_cmpint (call_armed (self), ==, n % 2 == 0 ? 1 : 10);
      use_rule (self, "EINTR", "2");
      g_assert_cmpint (call_armed (self), ==, 10);
      g_assert_cmpint (call_armed (self), ==, -1);
      g_assert_cmpint (errno, ==, EINTR);
      if (self->call == call_read || self->call == call_write)
        g_assert_cmpint (lseek (file, 0, SEEK_CUR), ==, 0);
      g_assert_cmpint (call_armed (self), ==, 10);
    }
  end ();
}

/* A pipe and an eventfd: interrupted, and otherwise let alone, but that a pipe's bytes may come one by one. */
static int
read_some (int fd)
{
  char buffer[8];
  int result;

  errno = 0;
  arm ();
  result = (int) read (fd, buffer, sizeof buffer);
  disarm ();
  return result;
}

static void
scenario_not_of_files (void)
{
  guint64 one = 1;
  int fds[2], event;

  begin ();
  g_assert_cmpint (pipe (fds), ==, 0);
  event = ((int (*) (unsigned int, int)) dlsym (RTLD_DEFAULT, "eventfd")) (0, 0);
  g_assert_cmpint (write (fds[1], CONTENT, 16), ==, 16);
  g_assert_cmpint (write (event, &one, sizeof one), ==, sizeof one);
  set_rules ("read:EINTR:*1");
  g_assert_cmpint (read_some (fds[0]), ==, -1);
  g_assert_cmpint (errno, ==, EINTR);
  g_assert_cmpint (read_some (event), ==, -1);
  g_assert_cmpint (errno, ==, EINTR);
  set_rules ("read:EIO:*1");
  g_assert_cmpint (read_some (fds[0]), ==, 8);
  set_rules ("read:SHORT:*1");
  g_assert_cmpint (read_some (fds[0]), ==, 1);
  g_assert_cmpint (read_some (event), ==, sizeof one);
  close (event);
  close (fds[0]);
  close (fds[1]);
  end ();
}

const FaultScenario fault_shim_scenarios[] = {
  { "each-call", scenario_each_call, NULL, TRUE },
  { "all-are-known", scenario_all_are_known, NULL, TRUE },
  { "by-halves", scenario_by_halves, NULL, TRUE },
  { "not-of-files", scenario_not_of_files, NULL, TRUE },
  { NULL },
};
