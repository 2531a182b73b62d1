#ifndef CSHIMS_H
#define CSHIMS_H
// What Swift cannot call: each function is thin, and prefixed CShims_. One header a concern, listed here.
#include "CShimsChecksum.h"
#include "CShimsScan.h"
#include "CShimsSocket.h"
#include "CShimsFile.h"
#include "CShimsClock.h"
#include "CShimsThread.h"
#include "CShimsMemory.h"
#include "CShimsLibrary.h"
#endif
