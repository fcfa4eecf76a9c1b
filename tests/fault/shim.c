/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For LD_PRELOAD: makes system calls fail when asked to.
 *
 *   AE_FAIL="pthread_create:EAGAIN:1,eventfd:EMFILE:*1"
 *
 * fails the first pthread_create() and every eventfd(); "*3" is every third.  AE_FAIL_LATER is the same, counted only from
 * the moment the program calls ae_fail_arm().  ae_fail_get_hits() says how many calls were failed. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  CALL_PTHREAD_CREATE, CALL_EVENTFD, CALL_PIPE2,
  CALL_OPEN, CALL_OPENAT, CALL_PREAD, CALL_FSYNC, CALL_FCHMOD, CALL_RENAMEAT,
  N_CALLS
};

typedef struct
{
  const char *name;
  int         error;      /* 0: never fails */
  int         nth;
  int         every;
  atomic_int  n_calls;
} Rule;

static Rule rules[N_CALLS] = {
  [CALL_PTHREAD_CREATE] = { .name = "pthread_create" },
  [CALL_EVENTFD] = { .name = "eventfd" },
  [CALL_PIPE2] = { .name = "pipe2" },
  [CALL_OPEN] = { .name = "open" },
  [CALL_OPENAT] = { .name = "openat" },
  [CALL_PREAD] = { .name = "pread" },
  [CALL_FSYNC] = { .name = "fsync" },
  [CALL_FCHMOD] = { .name = "fchmod" },
  [CALL_RENAMEAT] = { .name = "renameat" },
};
static atomic_int armed;
static atomic_int n_hits;

static const struct { const char *name; int error; } errors[] = {
  { "EAGAIN", EAGAIN },
  { "EMFILE", EMFILE },
  { "ENFILE", ENFILE },
  { "ENOMEM", ENOMEM },
  { "EINTR", EINTR },
  { "EIO", EIO },
  { "EPERM", EPERM },
};

void ae_fail_arm      (void);
int  ae_fail_get_hits (void);

static int
error_from_name (const char *name,
                 size_t      length)
{
  for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
    {
      if (strlen (errors[i].name) == length && memcmp (errors[i].name, name, length) == 0)
        return errors[i].error;
    }
  abort ();
}

static Rule *
rule_from_name (const char *name,
                size_t      length)
{
  for (int i = 0; i < N_CALLS; i++)
    {
      if (strlen (rules[i].name) == length && memcmp (rules[i].name, name, length) == 0)
        return &rules[i];
    }
  abort ();
}

static void
parse (const char *text)
{
  while (*text != '\0')
    {
      size_t length = strcspn (text, ":");
      Rule *rule = rule_from_name (text, length);

      text += length + 1;
      length = strcspn (text, ":");
      rule->error = error_from_name (text, length);
      text += length + 1;
      rule->every = *text == '*';
      rule->nth = atoi (text + rule->every);
      text += strcspn (text, ",");
      if (*text == ',')
        text++;
    }
}

__attribute__ ((constructor)) static void
start (void)
{
  const char *now = getenv ("AE_FAIL");
  const char *later = getenv ("AE_FAIL_LATER");

  if (now != NULL)
    {
      parse (now);
      atomic_store (&armed, 1);
    }
  else if (later != NULL)
    {
      parse (later);
    }
}

void
ae_fail_arm (void)
{
  atomic_store (&armed, 1);
}

int
ae_fail_get_hits (void)
{
  return atomic_load (&n_hits);
}

/* The errno to fail with, or 0. */
static int
failure (int call)
{
  Rule *rule = &rules[call];
  int n;

  if (rule->error == 0 || !atomic_load (&armed))
    return 0;
  n = atomic_fetch_add (&rule->n_calls, 1) + 1;
  if (rule->every ? n % rule->nth != 0 : n != rule->nth)
    return 0;
  atomic_fetch_add (&n_hits, 1);
  return rule->error;
}

static void *
original (const char *name)
{
  void *function = dlsym (RTLD_NEXT, name);

  if (function == NULL)
    abort ();
  return function;
}

int
pthread_create (pthread_t            *thread,
                const pthread_attr_t *attributes,
                void               *(*func) (void *),
                void                 *data)
{
  int (*real) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *) = original ("pthread_create");
  int error = failure (CALL_PTHREAD_CREATE);

  return error != 0 ? error : real (thread, attributes, func, data);
}

int
eventfd (unsigned int count,
         int          flags)
{
  int (*real) (unsigned int, int) = original ("eventfd");
  int error = failure (CALL_EVENTFD);

  if (error == 0)
    return real (count, flags);
  errno = error;
  return -1;
}

int
pipe2 (int fds[2],
       int flags)
{
  int (*real) (int[2], int) = original ("pipe2");
  int error = failure (CALL_PIPE2);

  if (error == 0)
    return real (fds, flags);
  errno = error;
  return -1;
}

/* --- files.  The build asks for large files, so that on some machines these are open64() and so on. */

/* Sets errno and says so, when the call has to fail. */
static int
fails (int call)
{
  int error = failure (call);

  if (error == 0)
    return 0;
  errno = error;
  return 1;
}

int
open (const char *path,
      int         flags,
      ...)
{
  int (*real) (const char *, int, ...) = original ("open64");
  mode_t mode;
  va_list args;

  va_start (args, flags);
  mode = flags & O_CREAT ? va_arg (args, mode_t) : 0;
  va_end (args);
  return fails (CALL_OPEN) ? -1 : real (path, flags, mode);
}

int
openat (int         folder,
        const char *path,
        int         flags,
        ...)
{
  int (*real) (int, const char *, int, ...) = original ("openat64");
  mode_t mode;
  va_list args;

  va_start (args, flags);
  mode = flags & O_CREAT ? va_arg (args, mode_t) : 0;
  va_end (args);
  return fails (CALL_OPENAT) ? -1 : real (folder, path, flags, mode);
}

ssize_t
pread (int    fd,
       void  *buffer,
       size_t size,
       off_t  offset)
{
  ssize_t (*real) (int, void *, size_t, off_t) = original ("pread64");

  return fails (CALL_PREAD) ? -1 : real (fd, buffer, size, offset);
}

int
fsync (int fd)
{
  int (*real) (int) = original ("fsync");

  return fails (CALL_FSYNC) ? -1 : real (fd);
}

int
fchmod (int    fd,
        mode_t mode)
{
  int (*real) (int, mode_t) = original ("fchmod");

  return fails (CALL_FCHMOD) ? -1 : real (fd, mode);
}

int
renameat (int         old_folder,
          const char *old_name,
          int         new_folder,
          const char *new_name)
{
  int (*real) (int, const char *, int, const char *) = original ("renameat");

  return fails (CALL_RENAMEAT) ? -1 : real (old_folder, old_name, new_folder, new_name);
}
