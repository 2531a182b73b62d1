#include "CShimsMemory.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <malloc.h>

int64_t CShims_resident_bytes(void) {
  // Size, then resident, in pages: proc(5).
  char text[128];
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -errno;
  ssize_t count = read(file, text, sizeof text - 1);
  close(file);
  if (count <= 0) return -EIO;
  text[count] = 0;
  char *rest;
  strtoll(text, &rest, 10);
  return strtoll(rest, NULL, 10) * sysconf(_SC_PAGESIZE);
}

void CShims_bound_allocator(void) {
#if defined(__GLIBC__)
  // By default each thread gets a heap of its own (eight a core), which keeps what it freed; and each large block that is freed raises
  // the size from which on blocks are mapped, up to 32 MiB, so that buffers stay in the heaps for good.
  mallopt(M_ARENA_MAX, 2);
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}

void CShims_trim_allocator(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

size_t CShims_block_bytes(void *block) {
  // What the allocator adds lies before it.
  return malloc_usable_size(block) + sizeof(size_t);
}
