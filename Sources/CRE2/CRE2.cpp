#include "CRE2.h"
#include <cstdio>
#include <new>
#include <re2/re2.h>

struct CRE2_pattern {
  RE2 re;
  CRE2_pattern(re2::StringPiece text, const RE2::Options &options) : re(text, options) {}
};

CRE2_pattern *CRE2_compile(const char *pattern, size_t count, char *error, size_t errorCapacity) {
  RE2::Options options;
  options.set_log_errors(false);
  auto *compiled = new (std::nothrow) CRE2_pattern(re2::StringPiece(pattern, count), options);
  if (compiled == nullptr) {
    std::snprintf(error, errorCapacity, "out of memory");
    return nullptr;
  }
  if (!compiled->re.ok()) {
    std::snprintf(error, errorCapacity, "%s", compiled->re.error().c_str());
    delete compiled;
    return nullptr;
  }
  return compiled;
}

bool CRE2_matches(const CRE2_pattern *pattern, const char *text, size_t count) {
  return RE2::PartialMatch(re2::StringPiece(text, count), pattern->re);
}

void CRE2_free(CRE2_pattern *pattern) { delete pattern; }
