#ifndef CSHIMS_SOCKET_H
#define CSHIMS_SOCKET_H
#include <stddef.h>
#include <stdint.h>
#endif
