#include "CShimsLibrary.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool CShims_loadLibrary(
    const char *library, const CShims_Function *functions, size_t count, char *error, size_t errorCapacity) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == NULL) {
    const char *reason = dlerror();
    snprintf(error, errorCapacity, "%s", reason != NULL ? reason : library);
    return false;
  }
  for (size_t index = 0; index < count; index++) {
    void *address = dlsym(handle, functions[index].name);
    if (address == NULL) {
      snprintf(error, errorCapacity, "%s: no %s", library, functions[index].name);
      return false;
    }
    // POSIX has pointers to functions and to data look alike.
    memcpy(functions[index].pointer, &address, sizeof address);
  }
  return true;
}
