#ifndef CRE2_H
#define CRE2_H
#include <stdbool.h>
#include <stddef.h>
#ifdef __cplusplus
extern "C" {
#endif
/// A compiled pattern of libre2: linear time on any input.
typedef struct CRE2_pattern CRE2_pattern;
/// Compiles `pattern`; NULL with a message in `error` (cut at `errorCapacity`, always terminated) if it is not valid.
CRE2_pattern *CRE2_compile(const char *pattern, size_t count, char *error, size_t errorCapacity);
/// Whether the pattern matches anywhere in the text. Safe from several threads.
bool CRE2_matches(const CRE2_pattern *pattern, const char *text, size_t count);
void CRE2_free(CRE2_pattern *pattern);
#ifdef __cplusplus
}
#endif
#endif
