#ifndef CSHIMS_CHECKSUM_H
#define CSHIMS_CHECKSUM_H
#include <stddef.h>
#include <stdint.h>
/// CRC32C (Castagnoli) of `count` bytes, continuing from `crc` (0 at the start). Dispatches at run time.
uint32_t CShims_crc32c(uint32_t crc, const void *bytes, size_t count);
#endif
