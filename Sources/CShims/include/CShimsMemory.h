#ifndef CSHIMS_MEMORY_H
#define CSHIMS_MEMORY_H
/// Asks for the cache line at `address` ahead of its use, to be read or written; any address is fine.
static inline void CShims_prefetch(const void *_Nullable address) { __builtin_prefetch(address, 1, 3); }
#endif
