/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Linked into a copy of dupes with --wrap: sees every file that dupes opens, reads and hashes, and
 * lets things happen at the worst moment, without a single sleep.
 *
 *   DUPES_WATCH_LOG        a file that gets a line for each event: "open PATH", "read N PATH",
 *                          "hash N", "close PATH", "signal" (the handler has done its work), and at
 *                          the end "most-open N"; a newline in PATH is a form feed
 *   DUPES_WATCH_INTERRUPT  "open SUFFIX N" or "read SUFFIX N": when N threads are about to open, or
 *                          in their second read of, files whose name ends so, SIGINT is sent, and
 *                          they go on when it has been handled
 *   DUPES_WATCH_TWICE      if set, SIGINT is sent twice
 *   DUPES_WATCH_SPARE      a file that takes the place of one named *.replaced
 *
 * What happens to files by their names:
 *
 *   *.vanishes    is deleted before it is opened
 *   *.denied      cannot be opened
 *   *.replaced    becomes another file before it is opened
 *   *.broken      cannot be read
 *   *.shrinks     becomes shorter before it is read
 *   *.grows       becomes longer after its first read
 *   *.touched     is written after its first read, and keeps its size
 *   *.touched-later  the same after its second read
 */

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <dirent.h>
#include <unistd.h>

#define MAX_FD 1024

int     __real_open              (const char *path, int flags, ...);
ssize_t __real_read              (int fd, void *buffer, size_t n);
ssize_t __real_write             (int fd, const void *buffer, size_t n);
int     __real_close             (int fd);
int     __real_closedir          (DIR *stream);
void    __real_g_checksum_update (GChecksum *checksum, const guchar *data, gssize length);

int     __wrap_open              (const char *path, int flags, ...);
/* Its name where off_t is made to have 64 bits. */
int     __wrap_open64            (const char *path, int flags, ...)
  __attribute__ ((alias ("__wrap_open")));
ssize_t __wrap_read              (int fd, void *buffer, size_t n);
ssize_t __wrap_write             (int fd, const void *buffer, size_t n);
int     __wrap_close             (int fd);
int     __wrap_closedir          (DIR *stream);
void    __wrap_g_checksum_update (GChecksum *checksum, const guchar *data, gssize length);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;   /* guards what follows */
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static FILE *log_file;
static struct
{
  char    *path;
  unsigned n_reads;
} files[MAX_FD];
static int n_open, most_open;
static int n_gathered;
static gboolean interrupted;

static atomic_int expecting;
static sem_t handled;

static void
note (const char *format,
      ...) __attribute__ ((format (printf, 1, 2)));

static void
note (const char *format,
      ...)
{
  g_autofree char *line = NULL;
  va_list args;

  if (log_file == NULL)
    return;
  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  /* One line stays one line, whatever the path. */
  fprintf (log_file, "%s\n", g_strdelimit (line, "\n", '\f'));
  fflush (log_file);
}

__attribute__ ((constructor)) static void
begin (void)
{
  const char *path = getenv ("DUPES_WATCH_LOG");

  sem_init (&handled, 0, 0);
  if (path != NULL)
    log_file = fopen (path, "ae");
}

__attribute__ ((destructor)) static void
end (void)
{
  pthread_mutex_lock (&lock);
  note ("most-open %d", most_open);
  pthread_mutex_unlock (&lock);
}

/* The handler's last act is to write to its pipe. */
ssize_t
__wrap_write (int         fd,
              const void *buffer,
              size_t      n)
{
  ssize_t written = __real_write (fd, buffer, n);

  if (expecting && n == 1)
    sem_post (&handled);
  return written;
}

/* ThreadSanitizer puts off what another thread gets, and that of GCC 12 now and then for ever: the main thread was seen to
 * sleep in poll, its handler not run.  What a thread sends to itself is handled at once. */
static int
send_interrupt (void)
{
#ifdef __SANITIZE_THREAD__
  return raise (SIGINT);
#else
  return kill (getpid (), SIGINT);
#endif
}

static void
interrupt (void)
{
  expecting = 1;
  send_interrupt ();
  while (sem_wait (&handled) < 0 && errno == EINTR)
    ;
  expecting = 0;
  if (getenv ("DUPES_WATCH_TWICE") != NULL)
    kill (getpid (), SIGINT);
  note ("signal");
}

/* With the lock: the threads that meet here wait for each other; the last sends the signal. */
static void
gather (const char *event,
        const char *path)
{
  const char *wish = getenv ("DUPES_WATCH_INTERRUPT");
  char what[16], suffix[64];
  int n_threads;

  if (wish == NULL || interrupted || sscanf (wish, "%15s %63s %d", what, suffix, &n_threads) != 3)
    return;
  if (strcmp (what, event) != 0 || !g_str_has_suffix (path, suffix))
    return;

  if (++n_gathered == n_threads)
    {
      interrupt ();
      interrupted = TRUE;
      pthread_cond_broadcast (&released);
    }
  while (!interrupted)
    pthread_cond_wait (&released, &lock);
}

int
__wrap_open (const char *path,
             int         flags,
             ...)
{
  const char *spare = getenv ("DUPES_WATCH_SPARE");
  int fd;

  pthread_mutex_lock (&lock);
  gather ("open", path);
  note ("open %s", path);
  pthread_mutex_unlock (&lock);

  if (g_str_has_suffix (path, ".vanishes"))
    unlink (path);
  if (g_str_has_suffix (path, ".replaced") && spare != NULL)
    rename (spare, path);
  if (g_str_has_suffix (path, ".denied"))
    {
      errno = EACCES;
      return -1;
    }

  fd = __real_open (path, flags);
  if (fd >= 0 && fd < MAX_FD)
    {
      pthread_mutex_lock (&lock);
      files[fd].path = strdup (path);
      files[fd].n_reads = 0;
      n_open++;
      most_open = MAX (most_open, n_open);
      pthread_mutex_unlock (&lock);
    }
  return fd;
}

/* With the lock. */
static void
forget (int fd)
{
  if (fd >= 0 && fd < MAX_FD && files[fd].path != NULL)
    {
      note ("close %s", files[fd].path);
      free (files[fd].path);
      files[fd].path = NULL;
      n_open--;
    }
}

int
__wrap_close (int fd)
{
  pthread_mutex_lock (&lock);
  forget (fd);
  pthread_mutex_unlock (&lock);
  return __real_close (fd);
}

int
__wrap_closedir (DIR *stream)
{
  pthread_mutex_lock (&lock);
  forget (dirfd (stream));
  pthread_mutex_unlock (&lock);
  return __real_closedir (stream);
}

static void
append_byte (const char *path)
{
  int fd = __real_open (path, O_WRONLY | O_APPEND | O_CLOEXEC);

  if (fd < 0 || __real_write (fd, "+", 1) != 1)
    abort ();
  __real_close (fd);
}

static void
touch (const char *path)
{
  const struct timespec times[2] = { { 1, 0 }, { 1, 0 } };

  if (utimensat (AT_FDCWD, path, times, 0) < 0)
    abort ();
}

ssize_t
__wrap_read (int    fd,
             void  *buffer,
             size_t n)
{
  const char *path;
  unsigned n_reads;
  ssize_t n_got;

  if (fd >= MAX_FD || files[fd].path == NULL)
    return __real_read (fd, buffer, n);

  /* Only the thread that opened the file comes here with it. */
  path = files[fd].path;
  n_reads = ++files[fd].n_reads;
  if (n_reads == 2)
    {
      pthread_mutex_lock (&lock);
      gather ("read", path);
      pthread_mutex_unlock (&lock);
    }

  if (g_str_has_suffix (path, ".broken"))
    {
      errno = EIO;
      return -1;
    }
  if (g_str_has_suffix (path, ".shrinks") && n_reads == 1 && truncate (path, 1) < 0)
    abort ();

  n_got = __real_read (fd, buffer, n);
  if (g_str_has_suffix (path, ".grows") && n_reads == 1)
    append_byte (path);
  if (g_str_has_suffix (path, n_reads == 1 ? ".touched" : ".touched-later") && n_reads <= 2)
    touch (path);

  pthread_mutex_lock (&lock);
  note ("read %zd %s", n_got, path);
  pthread_mutex_unlock (&lock);
  return n_got;
}

void
__wrap_g_checksum_update (GChecksum    *checksum,
                          const guchar *data,
                          gssize        length)
{
  pthread_mutex_lock (&lock);
  note ("hash %zd", length);
  pthread_mutex_unlock (&lock);
  __real_g_checksum_update (checksum, data, length);
}
