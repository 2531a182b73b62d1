#ifndef CSHIMS_SCAN_H
#define CSHIMS_SCAN_H
#include <stddef.h>
#include <stdint.h>
#endif
