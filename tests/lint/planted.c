/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Defects that clang-tidy or cppcheck has to find, and with FIXED none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-analyzer-core.NullDereference */
int
planted_null (const int *number)
{
#ifdef FIXED
  if (number == NULL)
    return 0;
#else
  if (number == NULL)
    puts ("none");
#endif
  return *number;
}

/* cppcheck: deallocuse */
int
planted_freed (void)
{
  int *block = calloc (4, sizeof *block);
  int first;

  if (block == NULL)
    return 0;
#ifdef FIXED
  first = block[0];
  free (block);
#else
  free (block);
  first = block[0];
#endif
  return first;
}

/* bugprone-suspicious-string-compare */
int
planted_compare (const char *text)
{
#ifdef FIXED
  return strcmp (text, "planted") == 0;
#else
  return strcmp (text, "planted") == -1;
#endif
}

/* cert-env33-c */
void
planted_command (const char *command)
{
#ifdef FIXED
  (void) command;
#else
  (void) system (command);
#endif
}

/* cppcheck: pointerSize */
void
planted_size (char *text)
{
#ifdef FIXED
  memset (text, 0, 16);
#else
  memset (text, 0, sizeof text);
#endif
}

/* cppcheck: resourceLeak */
int
planted_leak (const char *path)
{
  FILE *file = fopen (path, "re");
  int first;

  if (file == NULL)
    return 0;
  first = fgetc (file);
#ifdef FIXED
  (void) fclose (file);
#endif
  return first;
}

/* clang-analyzer-core.uninitialized.UndefReturn; cppcheck: arrayIndexOutOfBounds */
int
planted_bounds (void)
{
  int numbers[4] = { 1, 2, 3, 4 };

#ifdef FIXED
  return numbers[3];
#else
  return numbers[4];
#endif
}
