// Records what a process does to the files under one folder, in the order in which it takes effect, so that a test can make
// of it what a power cut would have left at any moment. Loaded with LD_PRELOAD.
//
//   VARVE_RECORD_ROOT  the folder, an absolute path
//   VARVE_RECORD_LOG   where the record goes; made anew
//
// A record is: call (1 byte), handle (4), offset (8), length (8), then `length` bytes, all little-endian:
//
//   C  create    handle, -, path         a file made, and open as `handle` from now on
//   O  open      handle, -, path         an existing file opened for writing as `handle`
//   W  write     handle, offset, bytes
//   A  allocate  handle, end of what is allocated
//   T  truncate  handle, new length
//   S  sync      handle                  recorded when the call has returned
//   X  close     handle
//   M  mkdir     path
//   D  sync of a folder   path
//   R  rename    path, 0, path           offset holds the length of the first path
//   L  link      path, 0, path           the same
//   U  unlink    path
//   V  rmdir     path
//
// Paths are relative to the folder. A change and its record are one step under a lock; a sync of a file is recorded when it is
// done, so what another thread writes to the file meanwhile counts as synced: the store writes a file from one thread. A sync
// of a folder holds the lock, since other threads may make names in it meanwhile.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *root;
static size_t root_length;
static int record = -1;
// The handle of a descriptor, 0 where it is none of ours; folders have FOLDER and their path.
enum { FOLDER = 0xffffffff };
static uint32_t handles[DESCRIPTORS];
static char *folders[DESCRIPTORS];
static uint32_t last_handle;

static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fallocate)(int, off_t, off_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_link)(const char *, const char *);
static int (*real_unlink)(const char *);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_rmdir)(const char *);

static void start(void) {
  real_open = dlsym(RTLD_NEXT, "open");
  real_close = dlsym(RTLD_NEXT, "close");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite");
  real_write = dlsym(RTLD_NEXT, "write");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate");
  real_fallocate = dlsym(RTLD_NEXT, "posix_fallocate");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_rename = dlsym(RTLD_NEXT, "rename");
  real_link = dlsym(RTLD_NEXT, "link");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_mkdir = dlsym(RTLD_NEXT, "mkdir");
  real_rmdir = dlsym(RTLD_NEXT, "rmdir");
  root = getenv("VARVE_RECORD_ROOT");
  const char *log = getenv("VARVE_RECORD_LOG");
  if (!root || !log) return;
  root_length = strlen(root);
  record = real_open(log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
}

// The part of a path below the folder ("" for the folder itself), or NULL.
static const char *below(const char *path) {
  pthread_once(&once, start);
  if (record < 0 || strncmp(path, root, root_length) != 0) return NULL;
  if (path[root_length] == 0) return path + root_length;
  return path[root_length] == '/' ? path + root_length + 1 : NULL;
}

static uint32_t handle_of(int descriptor) {
  pthread_once(&once, start);
  return descriptor >= 0 && descriptor < DESCRIPTORS ? handles[descriptor] : 0;
}

static void put(char call, uint32_t handle, uint64_t offset, const void *bytes, size_t length, const void *more, size_t more_length) {
  char head[21];
  uint64_t total = length + more_length;
  head[0] = call;
  memcpy(head + 1, &handle, 4);
  memcpy(head + 5, &offset, 8);
  memcpy(head + 13, &total, 8);
  struct iovec parts[3] = {{head, sizeof head}, {(void *)bytes, length}, {(void *)more, more_length}};
  // The record is worth nothing with a hole in it.
  if (writev(record, parts, 3) != (ssize_t)(sizeof head + total)) abort();
}

static void put_path(char call, uint32_t handle, const char *path) { put(call, handle, 0, path, strlen(path), NULL, 0); }

int open(const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & (O_CREAT | O_TMPFILE)) {
    va_list list;
    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
  }
  const char *name = below(path);
  int writes = (flags & O_ACCMODE) != O_RDONLY, folder = flags & O_DIRECTORY;
  if (!name || !(writes || folder)) return real_open(path, flags, mode);
  pthread_mutex_lock(&lock);
  struct stat before;
  int existed = stat(path, &before) == 0;
  int descriptor = real_open(path, flags, mode);
  int code = errno;
  if (descriptor >= DESCRIPTORS) abort();
  if (descriptor >= 0 && folder) {
    handles[descriptor] = FOLDER;
    folders[descriptor] = strdup(name);
  } else if (descriptor >= 0) {
    handles[descriptor] = ++last_handle;
    put_path(existed ? 'O' : 'C', last_handle, name);
    if (existed && (flags & O_TRUNC)) put('T', last_handle, 0, NULL, 0, NULL, 0);
  }
  pthread_mutex_unlock(&lock);
  errno = code;
  return descriptor;
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int close(int descriptor) {
  uint32_t handle = handle_of(descriptor);
  if (!handle) return real_close(descriptor);
  pthread_mutex_lock(&lock);
  handles[descriptor] = 0;
  if (handle == FOLDER) free(folders[descriptor]);
  else put('X', handle, 0, NULL, 0, NULL, 0);
  int result = real_close(descriptor);
  pthread_mutex_unlock(&lock);
  return result;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  uint32_t handle = handle_of(descriptor);
  if (!handle) return real_pwrite(descriptor, bytes, count, offset);
  pthread_mutex_lock(&lock);
  ssize_t done = real_pwrite(descriptor, bytes, count, offset);
  if (done > 0) put('W', handle, offset, bytes, done, NULL, 0);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t offset) __attribute__((alias("pwrite")));

// A copy across devices, and the words in the lock file.
ssize_t write(int descriptor, const void *bytes, size_t count) {
  uint32_t handle = handle_of(descriptor);
  if (!handle) return real_write(descriptor, bytes, count);
  pthread_mutex_lock(&lock);
  off_t offset = lseek(descriptor, 0, SEEK_CUR);
  ssize_t done = real_write(descriptor, bytes, count);
  if (done > 0) put('W', handle, offset, bytes, done, NULL, 0);
  pthread_mutex_unlock(&lock);
  return done;
}

int ftruncate(int descriptor, off_t length) {
  uint32_t handle = handle_of(descriptor);
  if (!handle) return real_ftruncate(descriptor, length);
  pthread_mutex_lock(&lock);
  int result = real_ftruncate(descriptor, length);
  if (result == 0) put('T', handle, length, NULL, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

int ftruncate64(int descriptor, off_t length) __attribute__((alias("ftruncate")));

int posix_fallocate(int descriptor, off_t offset, off_t length) {
  uint32_t handle = handle_of(descriptor);
  if (!handle) return real_fallocate(descriptor, offset, length);
  pthread_mutex_lock(&lock);
  int result = real_fallocate(descriptor, offset, length);
  if (result == 0) put('A', handle, offset + length, NULL, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

int posix_fallocate64(int descriptor, off_t offset, off_t length) __attribute__((alias("posix_fallocate")));

static int sync_one(int descriptor, int (*call)(int)) {
  uint32_t handle = handle_of(descriptor);
  if (handle == FOLDER) pthread_mutex_lock(&lock);
  int result = call(descriptor);
  if (handle && result == 0) {
    if (handle != FOLDER) pthread_mutex_lock(&lock);
    if (handle == FOLDER) put_path('D', 0, folders[descriptor]);
    else put('S', handle, 0, NULL, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
  } else if (handle == FOLDER) {
    pthread_mutex_unlock(&lock);
  }
  return result;
}

int fdatasync(int descriptor) {
  pthread_once(&once, start);
  return sync_one(descriptor, real_fdatasync);
}

int fsync(int descriptor) {
  pthread_once(&once, start);
  return sync_one(descriptor, real_fsync);
}

static int change_two(char call, int (*change)(const char *, const char *), const char *from, const char *to) {
  const char *first = below(from), *second = below(to);
  if (!first || !second) return change(from, to);
  pthread_mutex_lock(&lock);
  int result = change(from, to);
  if (result == 0) put(call, 0, strlen(first), first, strlen(first), second, strlen(second));
  pthread_mutex_unlock(&lock);
  return result;
}

static int change_one(char call, int result, const char *name) {
  if (result == 0) put_path(call, 0, name);
  pthread_mutex_unlock(&lock);
  return result;
}

int rename(const char *from, const char *to) {
  pthread_once(&once, start);
  return change_two('R', real_rename, from, to);
}

int link(const char *from, const char *to) {
  pthread_once(&once, start);
  return change_two('L', real_link, from, to);
}

int unlink(const char *path) {
  const char *name = below(path);
  if (!name) return real_unlink(path);
  pthread_mutex_lock(&lock);
  return change_one('U', real_unlink(path), name);
}

int mkdir(const char *path, mode_t mode) {
  const char *name = below(path);
  if (!name) return real_mkdir(path, mode);
  pthread_mutex_lock(&lock);
  return change_one('M', real_mkdir(path, mode), name);
}

int rmdir(const char *path) {
  const char *name = below(path);
  if (!name) return real_rmdir(path);
  pthread_mutex_lock(&lock);
  return change_one('V', real_rmdir(path), name);
}
