/* stop.c: SIGINT and SIGTERM are awaited by a thread of their own, which may do what a signal handler may not: read a
   folder and remove files. It first halts the main thread, so that no new partial file can appear behind its back. */
#include "stop.h"

#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static pthread_t main_thread;
static sem_t     halted;
static const char *volatile output_folder;

static void Halt(int signal_number)
{
  sem_post(&halted);
  for (;;) pause();
}

static void RemovePartials(const char *folder)
{
  static const char ending[]  = ".partial";
  DIR              *directory = opendir(folder);
  struct dirent    *entry;

  if (!directory) return;
  while ((entry = readdir(directory))) {
    const size_t length = strlen(entry->d_name);
    char         path[2 * PETSC_MAX_PATH_LEN];

    if (length < sizeof(ending) || strcmp(entry->d_name + length - sizeof(ending) + 1, ending)) continue;
    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    unlink(path);
  }
  closedir(directory);
}

static void *Watch(void *context)
{
  sigset_t        set;
  int             signal_number;
  struct timespec until;

  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  while (sigwait(&set, &signal_number)) continue;
  pthread_kill(main_thread, SIGUSR2);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 1; /* the main thread may sit in a system call that does not end: leave all the same */
  sem_timedwait(&halted, &until);
  if (output_folder && output_folder[0]) RemovePartials(output_folder);
  fprintf(stderr, "finegrain: stopped by %s\n", signal_number == SIGINT ? "SIGINT" : "SIGTERM");
  fflush(stderr);
  _exit(128 + signal_number);
}

PetscBool FgStopWatch(void)
{
  struct sigaction halt = {.sa_handler = Halt};
  pthread_t        watcher;
  sigset_t         set;

  main_thread = pthread_self();
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (sem_init(&halted, 0, 0) || sigaction(SIGUSR2, &halt, NULL)) return PETSC_FALSE;
  if (pthread_sigmask(SIG_BLOCK, &set, NULL)) return PETSC_FALSE;
  if (pthread_create(&watcher, NULL, Watch, NULL)) {
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    return PETSC_FALSE;
  }
  pthread_detach(watcher);
  return PETSC_TRUE;
}

void FgStopSetFolder(const char *folder)
{
  output_folder = folder;
}
