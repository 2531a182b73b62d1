#include "CShimsThread.h"
#include <sys/prctl.h>

static _Thread_local int mayNotWait;

int CShims_mayNotWait(void) { return mayNotWait; }
void CShims_setMayNotWait(int value) { mayNotWait = value; }

// prctl cuts a long name, where pthread_setname_np refuses it.
void CShims_setThreadName(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }
