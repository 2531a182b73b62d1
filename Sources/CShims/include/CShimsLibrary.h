#ifndef CSHIMS_LIBRARY_H
#define CSHIMS_LIBRARY_H
#include <stdbool.h>
#include <stddef.h>

/// A function of a library that is loaded when it is needed: its name, and the pointer that takes its address.
typedef struct {
  const char *name;
  void *pointer;
} CShims_Function;

/// Loads a library and looks functions up in it; false, with the reason in `error`, where it or one of them is not there.
bool CShims_loadLibrary(
    const char *library, const CShims_Function *functions, size_t count, char *error, size_t errorCapacity);
#endif
