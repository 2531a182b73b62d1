#ifndef CSHIMS_FILE_H
#define CSHIMS_FILE_H
#include <stddef.h>
#include <stdint.h>
#endif
