#ifndef CSHIMS_THREAD_H
#define CSHIMS_THREAD_H
/// Names the calling thread as `ps -L` and `top -H` show it; the kernel keeps the first 15 bytes.
void CShims_setThreadName(const char *name);
/// Whether the calling thread must not wait for a disk; nothing reads it but who asks.
int CShims_mayNotWait(void);
void CShims_setMayNotWait(int value);
#endif
