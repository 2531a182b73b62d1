#ifndef CSHIMS_THREAD_H
#define CSHIMS_THREAD_H
/// Names the calling thread as `ps -L` and `top -H` show it; the kernel keeps the first 15 bytes.
void CShims_setThreadName(const char *name);
#endif
