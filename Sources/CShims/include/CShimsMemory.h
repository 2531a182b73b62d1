#ifndef CSHIMS_MEMORY_H
#define CSHIMS_MEMORY_H
#include <stddef.h>
#include <stdint.h>
/// Resident bytes of this process as /proc says; -errno where it does not.
int64_t CShims_resident_bytes(void);
/// Keeps the allocator from holding what was freed: few heaps for all threads, large blocks given back at once.
void CShims_bound_allocator(void);
/// Gives whole pages that lie free between pieces in use back to the system; takes milliseconds, under the locks of the heaps.
void CShims_trim_allocator(void);
/// Bytes that a block of `malloc` takes, with what the allocator adds.
size_t CShims_block_bytes(void *_Nonnull block);
/// Asks for the cache line at `address` ahead of its use, to be read or written; any address is fine.
static inline void CShims_prefetch(const void *_Nullable address) { __builtin_prefetch(address, 1, 3); }

// A 32-bit number that several threads read and write, in memory that Swift's `Atomic` cannot lie in.
static inline unsigned CShims_loadRelaxed(const unsigned *_Nonnull address) {
  return __atomic_load_n(address, __ATOMIC_RELAXED);
}
static inline void CShims_storeRelaxed(unsigned *_Nonnull address, unsigned value) {
  __atomic_store_n(address, value, __ATOMIC_RELAXED);
}
static inline unsigned CShims_loadAcquiring(const unsigned *_Nonnull address) {
  return __atomic_load_n(address, __ATOMIC_ACQUIRE);
}
// Counting holders: one more needs no order, one less is seen by who finds none left; both answer the new number.
static inline unsigned CShims_addRelaxed(unsigned *_Nonnull address, unsigned value) {
  return __atomic_add_fetch(address, value, __ATOMIC_RELAXED);
}
static inline unsigned CShims_subtractAcquiringReleasing(unsigned *_Nonnull address, unsigned value) {
  return __atomic_sub_fetch(address, value, __ATOMIC_ACQ_REL);
}
#endif
