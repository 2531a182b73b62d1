#include "CShimsClock.h"
#include <errno.h>
#include <sys/timex.h>

int CShims_clock_is_synchronised(void) {
  struct timex state = {0};
  int code = adjtimex(&state);
  return code < 0 ? -errno : code != TIME_ERROR;
}
