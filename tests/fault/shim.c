/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* For LD_PRELOAD: makes system calls fail when asked to.
 *
 *   AE_FAIL="pthread_create:EAGAIN:1,eventfd:EMFILE:*1"
 *
 * fails the first pthread_create() and every eventfd(); "*3" is every third.  For SHORT instead of an error, read(), pread()
 * and write() move one byte.  AE_FAIL_LATER is the same, counted only from the moment the program calls ae_fail_arm() until
 * ae_fail_disarm().  ae_fail_get_hits() says how many calls were failed; ae_fail_set_rules() has other rules from now on.
 *
 * AE_RAIN=2000 sends SIGUSR1, whose handler does not restart calls, to every thread every 2000 microseconds, while armed.
 *
 * Reads and writes of what is no file, socket or pipe, such as an eventfd, are only ever interrupted: nothing else can
 * happen to them. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* No errno is so large. */
#define SHORT 10000

enum {
  CALL_PTHREAD_CREATE, CALL_FORK,
  CALL_EVENTFD, CALL_PIPE2, CALL_SOCKETPAIR, CALL_MEMFD_CREATE, CALL_EPOLL_CREATE1, CALL_EPOLL_CTL, CALL_POLL,
  CALL_OPEN, CALL_OPENAT, CALL_FDOPENDIR, CALL_READDIR, CALL_FSTAT, CALL_READ, CALL_PREAD, CALL_WRITE, CALL_FSYNC,
  CALL_FCHMOD, CALL_RENAME, CALL_RENAMEAT,
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
  [CALL_FORK] = { .name = "fork" },
  [CALL_EVENTFD] = { .name = "eventfd" },
  [CALL_PIPE2] = { .name = "pipe2" },
  [CALL_SOCKETPAIR] = { .name = "socketpair" },
  [CALL_MEMFD_CREATE] = { .name = "memfd_create" },
  [CALL_EPOLL_CREATE1] = { .name = "epoll_create1" },
  [CALL_EPOLL_CTL] = { .name = "epoll_ctl" },
  [CALL_POLL] = { .name = "poll" },
  [CALL_OPEN] = { .name = "open" },
  [CALL_OPENAT] = { .name = "openat" },
  [CALL_FDOPENDIR] = { .name = "fdopendir" },
  [CALL_READDIR] = { .name = "readdir" },
  [CALL_FSTAT] = { .name = "fstat" },
  [CALL_READ] = { .name = "read" },
  [CALL_PREAD] = { .name = "pread" },
  [CALL_WRITE] = { .name = "write" },
  [CALL_FSYNC] = { .name = "fsync" },
  [CALL_FCHMOD] = { .name = "fchmod" },
  [CALL_RENAME] = { .name = "rename" },
  [CALL_RENAMEAT] = { .name = "renameat" },
};
static atomic_int armed;
static atomic_int n_hits;

static const struct { const char *name; int error; } errors[] = {
  { "EACCES", EACCES },
  { "EAGAIN", EAGAIN },
  { "EINTR", EINTR },
  { "EIO", EIO },
  { "EMFILE", EMFILE },
  { "ENFILE", ENFILE },
  { "ENOMEM", ENOMEM },
  { "ENOSPC", ENOSPC },
  { "EPERM", EPERM },
  { "SHORT", SHORT },
};

void        ae_fail_arm       (void);
void        ae_fail_disarm    (void);
int         ae_fail_get_hits  (void);
void        ae_fail_set_rules (const char *text);
const char *ae_fail_get_name  (int call);

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

#define ORIGINAL(name) \
  static __typeof__ (name) *original_; \
  if (original_ == NULL) \
    original_ = (__typeof__ (name) *) find_original (#name)

static void *
find_original (const char *name)
{
  void *function = dlsym (RTLD_NEXT, name);

  if (function == NULL)
    abort ();
  return function;
}

/* --- rain */

static void
on_rain (int signal_number)
{
}

/* Not to itself. */
static void
rain_on_all (void)
{
  DIR *tasks = opendir ("/proc/self/task");
  struct dirent *task;
  pid_t self = (pid_t) syscall (SYS_gettid);

  while (tasks != NULL && (task = readdir (tasks)) != NULL)
    {
      pid_t tid = (pid_t) atoi (task->d_name);

      if (tid > 0 && tid != self && syscall (SYS_tgkill, getpid (), tid, SIGUSR1) == 0)
        atomic_fetch_add (&n_hits, 1);
    }
  if (tasks != NULL)
    closedir (tasks);
}

static void *
rain_main (void *data)
{
  long pause_us = (long) (intptr_t) data;
  struct timespec pause = { pause_us / 1000000, pause_us % 1000000 * 1000 };

  for (;;)
    {
      nanosleep (&pause, NULL);
      if (atomic_load (&armed))
        rain_on_all ();
    }
  return NULL;
}

static void
start_rain (long pause_us)
{
  struct sigaction action = { .sa_handler = on_rain };
  pthread_t thread;

  sigaction (SIGUSR1, &action, NULL);
  if (pthread_create (&thread, NULL, rain_main, (void *) (intptr_t) pause_us) != 0)
    abort ();
  pthread_detach (thread);
}

__attribute__ ((constructor)) static void
start (void)
{
  const char *now = getenv ("AE_FAIL");
  const char *later = getenv ("AE_FAIL_LATER");
  const char *rain = getenv ("AE_RAIN");

  if (rain != NULL)
    start_rain (atol (rain));
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

void
ae_fail_disarm (void)
{
  atomic_store (&armed, 0);
}

int
ae_fail_get_hits (void)
{
  return atomic_load (&n_hits);
}

/* For a program that is alone, and not armed. */
void
ae_fail_set_rules (const char *text)
{
  for (int i = 0; i < N_CALLS; i++)
    {
      rules[i].error = 0;
      atomic_store (&rules[i].n_calls, 0);
    }
  parse (text);
}

/* NULL beyond the last. */
const char *
ae_fail_get_name (int call)
{
  return call < N_CALLS ? rules[call].name : NULL;
}

/* The errno to fail with, or 0. */
static int
failure (int call)
{
  Rule *rule = &rules[call];
  int n;

  if (!atomic_load (&armed) || rule->error == 0)
    return 0;
  n = atomic_fetch_add (&rule->n_calls, 1) + 1;
  if (rule->every ? n % rule->nth != 0 : n != rule->nth)
    return 0;
  atomic_fetch_add (&n_hits, 1);
  return rule->error;
}

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

/* The same for what moves bytes: may shorten instead. */
static int
fails_io (int     call,
          int     fd,
          size_t *size)
{
  struct stat status;
  int error;

  if (!atomic_load (&armed) || rules[call].error == 0)
    return 0;
  if (rules[call].error != EINTR)
    {
      if (syscall (SYS_fstat, fd, &status) != 0
          || !(S_ISREG (status.st_mode) || S_ISSOCK (status.st_mode) || S_ISFIFO (status.st_mode)))
        return 0;
      /* A pipe that only wakes somebody up, and the output of the test. */
      if (rules[call].error != SHORT && !S_ISREG (status.st_mode))
        return 0;
    }
  error = failure (call);
  if (error == 0)
    return 0;
  if (error == SHORT)
    {
      *size = *size > 1 ? 1 : *size;
      return 0;
    }
  errno = error;
  return 1;
}

/* --- threads and descriptors */

int
pthread_create (pthread_t            *thread,
                const pthread_attr_t *attributes,
                void               *(*func) (void *),
                void                 *data)
{
  int error = failure (CALL_PTHREAD_CREATE);

  ORIGINAL (pthread_create);
  return error != 0 ? error : original_ (thread, attributes, func, data);
}

pid_t
fork (void)
{
  ORIGINAL (fork);
  return fails (CALL_FORK) ? -1 : original_ ();
}

int
eventfd (unsigned int count,
         int          flags)
{
  ORIGINAL (eventfd);
  return fails (CALL_EVENTFD) ? -1 : original_ (count, flags);
}

int
pipe2 (int fds[2],
       int flags)
{
  ORIGINAL (pipe2);
  return fails (CALL_PIPE2) ? -1 : original_ (fds, flags);
}

int
socketpair (int domain,
            int type,
            int protocol,
            int fds[2])
{
  ORIGINAL (socketpair);
  return fails (CALL_SOCKETPAIR) ? -1 : original_ (domain, type, protocol, fds);
}

int
memfd_create (const char  *name,
              unsigned int flags)
{
  ORIGINAL (memfd_create);
  return fails (CALL_MEMFD_CREATE) ? -1 : original_ (name, flags);
}

int
epoll_create1 (int flags)
{
  ORIGINAL (epoll_create1);
  return fails (CALL_EPOLL_CREATE1) ? -1 : original_ (flags);
}

int
epoll_ctl (int                 epoll,
           int                 operation,
           int                 fd,
           struct epoll_event *event)
{
  ORIGINAL (epoll_ctl);
  return fails (CALL_EPOLL_CTL) ? -1 : original_ (epoll, operation, fd, event);
}

int
poll (struct pollfd *fds,
      nfds_t         n_fds,
      int            timeout)
{
  ORIGINAL (poll);
  return fails (CALL_POLL) ? -1 : original_ (fds, n_fds, timeout);
}

/* What newer GLib's loops call. */
int
ppoll (struct pollfd         *fds,
       nfds_t                 n_fds,
       const struct timespec *timeout,
       const sigset_t        *mask)
{
  ORIGINAL (ppoll);
  return fails (CALL_POLL) ? -1 : original_ (fds, n_fds, timeout, mask);
}

/* --- files.  Those who asked for large files, as our build does, call open64() and so on. */

#define DEFINE_OPEN(name) \
  int \
  name (const char *path, int flags, ...) \
  { \
    mode_t mode; \
    va_list args; \
    ORIGINAL (name); \
    va_start (args, flags); \
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg (args, mode_t) : 0; \
    va_end (args); \
    return fails (CALL_OPEN) ? -1 : original_ (path, flags, mode); \
  }

#define DEFINE_OPENAT(name) \
  int \
  name (int folder, const char *path, int flags, ...) \
  { \
    mode_t mode; \
    va_list args; \
    ORIGINAL (name); \
    va_start (args, flags); \
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg (args, mode_t) : 0; \
    va_end (args); \
    return fails (CALL_OPENAT) ? -1 : original_ (folder, path, flags, mode); \
  }

#define DEFINE_PREAD(name, offset_type) \
  ssize_t \
  name (int fd, void *buffer, size_t size, offset_type offset) \
  { \
    ORIGINAL (name); \
    return fails_io (CALL_PREAD, fd, &size) ? -1 : original_ (fd, buffer, size, offset); \
  }

#define DEFINE_FSTAT(name, stat_type) \
  int \
  name (int fd, stat_type *status) \
  { \
    ORIGINAL (name); \
    return fails (CALL_FSTAT) ? -1 : original_ (fd, status); \
  }

#define DEFINE_READDIR(name, dirent_type) \
  dirent_type * \
  name (DIR *folder) \
  { \
    ORIGINAL (name); \
    return fails (CALL_READDIR) ? NULL : original_ (folder); \
  }

DEFINE_OPEN (open)
DEFINE_OPEN (open64)
DEFINE_OPENAT (openat)
DEFINE_OPENAT (openat64)
DEFINE_PREAD (pread, off_t)
DEFINE_PREAD (pread64, off64_t)
DEFINE_FSTAT (fstat, struct stat)
DEFINE_FSTAT (fstat64, struct stat64)
DEFINE_READDIR (readdir, struct dirent)
DEFINE_READDIR (readdir64, struct dirent64)

DIR *
fdopendir (int fd)
{
  ORIGINAL (fdopendir);
  return fails (CALL_FDOPENDIR) ? NULL : original_ (fd);
}

ssize_t
read (int    fd,
      void  *buffer,
      size_t size)
{
  ORIGINAL (read);
  return fails_io (CALL_READ, fd, &size) ? -1 : original_ (fd, buffer, size);
}

ssize_t
write (int         fd,
       const void *buffer,
       size_t      size)
{
  ORIGINAL (write);
  return fails_io (CALL_WRITE, fd, &size) ? -1 : original_ (fd, buffer, size);
}

int
fsync (int fd)
{
  ORIGINAL (fsync);
  return fails (CALL_FSYNC) ? -1 : original_ (fd);
}

int
fchmod (int    fd,
        mode_t mode)
{
  ORIGINAL (fchmod);
  return fails (CALL_FCHMOD) ? -1 : original_ (fd, mode);
}

int
rename (const char *old_name,
        const char *new_name)
{
  ORIGINAL (rename);
  return fails (CALL_RENAME) ? -1 : original_ (old_name, new_name);
}

int
renameat (int         old_folder,
          const char *old_name,
          int         new_folder,
          const char *new_name)
{
  ORIGINAL (renameat);
  return fails (CALL_RENAMEAT) ? -1 : original_ (old_folder, old_name, new_folder, new_name);
}
