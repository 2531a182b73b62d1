#ifndef CSHIMS_CLOCK_H
#define CSHIMS_CLOCK_H
/// Whether the kernel's clock is disciplined by a time service: 1 or 0, or -errno. Glibc's module lacks sys/timex.h.
int CShims_clock_is_synchronised(void);
#endif
