// A slow disk under a program that is not changed: preload this (LD_PRELOAD) and name a file in SLOWDISK_FILE that holds two decimal
// numbers, "SYNC_MICROSECONDS BYTES_PER_SECOND"; 0, or no such file, is as fast as the disk is. The file is read again while a call
// waits, so that a test makes the disk slow and fast while the program runs.
//
// One call waits at a time, as on a disk with one head. Only positioned writes and syncs are slowed: what goes to sockets and to
// standard error uses other calls.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

static void settings(long long *syncMicroseconds, long long *bytesPerSecond) {
  *syncMicroseconds = *bytesPerSecond = 0;
  const char *path = getenv("SLOWDISK_FILE");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  char text[64];
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return;
  text[count] = 0;
  char *rest;
  *syncMicroseconds = strtoll(text, &rest, 10);
  *bytesPerSecond = strtoll(rest, NULL, 10);
}

// Waits for as long as the disk takes by the settings of the moment.
static void stall(size_t byteCount, int isSync) {
  const long long step = 2000;
  pthread_mutex_lock(&disk);
  for (long long waited = 0;; waited += step) {
    long long sync, rate;
    settings(&sync, &rate);
    long long due = isSync ? sync : rate > 0 ? (long long)byteCount * 1000000 / rate : 0;
    if (waited >= due) break;
    struct timespec span = {0, (due - waited < step ? due - waited : step) * 1000};
    nanosleep(&span, NULL);
  }
  pthread_mutex_unlock(&disk);
}

typedef ssize_t (*write_call)(int, const void *, size_t, off_t);
typedef int (*sync_call)(int);

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  stall(count, 0);
  return ((write_call)dlsym(RTLD_NEXT, "pwrite"))(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) {
  stall(count, 0);
  return ((write_call)dlsym(RTLD_NEXT, "pwrite64"))(file, bytes, count, offset);
}

int fdatasync(int file) {
  stall(0, 1);
  return ((sync_call)dlsym(RTLD_NEXT, "fdatasync"))(file);
}

int fsync(int file) {
  stall(0, 1);
  return ((sync_call)dlsym(RTLD_NEXT, "fsync"))(file);
}
